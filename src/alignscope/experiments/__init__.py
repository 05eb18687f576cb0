"""Executing runs: one run, a group, a sweep, a study."""
