"""What a measure says of two sides: a value, how sure it is, and what chance would give."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """One value of a measure, with the interval around it and the band of its null.

    ``low`` and ``high`` are the ends of a 95 % interval for other rows of the same kind;
    ``null_low`` and ``null_high`` of where 95 % of random pairings of the same rows lie.
    ``estimator`` is ``debiased``, ``biased`` (drawn away from 0 by few rows or many columns) or
    ``plain`` (neither: its null does not depend on the number of columns).
    """

    estimator: str
    value: float
    low: float
    high: float
    null_low: float
    null_high: float
