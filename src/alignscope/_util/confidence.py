"""The confidence level of the whole package."""

CONFIDENCE = 0.95
"""The level of every confidence interval and null band."""
