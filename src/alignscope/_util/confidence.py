"""The confidence level of the whole package."""

CONFIDENCE = 0.95
"""The level of every confidence interval and null band."""

OUTLIER_MARGIN = 0.1
"""How much CKA may fall without the largest dimension of each side before a warning is due."""
