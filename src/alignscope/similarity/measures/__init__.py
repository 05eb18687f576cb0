"""similarity/measures."""
