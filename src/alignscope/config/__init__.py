"""Configuration: studies, runs, windows, similarity, and the names of tasks and measures."""
