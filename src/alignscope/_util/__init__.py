"""Helpers without knowledge of encoders or studies: files, seeds, cores, text, validation."""
