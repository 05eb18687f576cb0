"""The figures of a report: one file per figure, found by the registry."""
