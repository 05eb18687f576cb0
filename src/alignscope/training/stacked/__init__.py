"""training/stacked."""
