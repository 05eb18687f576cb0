"""The estimate of a measure: its value, an interval around it, and the range under chance."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """One value of a measure, with its 95 % interval and its null band.

    ``low`` and ``high`` bound the interval for other rows of the same kind. 95 % of the random
    pairings of the same rows lie between ``null_low`` and ``null_high``. ``estimator`` is
    ``debiased``, ``biased`` (few rows or many columns move the value away from 0) or ``plain``
    (neither: the null does not depend on the number of columns).
    """

    estimator: str
    value: float
    low: float
    high: float
    null_low: float
    null_high: float
