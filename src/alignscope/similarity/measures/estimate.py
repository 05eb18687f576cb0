"""The estimate of a measure: its value, an interval around it, and the range under chance."""

from dataclasses import dataclass, field, fields

from torch import Tensor

_NOT_A_COLUMN = "deviations"


@dataclass(frozen=True)
class Estimate:
    """One value of a measure, with its 95 % interval and its null band.

    ``low`` and ``high`` bound the interval for other rows of the same kind. 95 % of the random
    pairings of the same rows lie between ``null_low`` and ``null_high``. ``estimator`` is
    ``debiased``, ``biased`` (few rows or many columns move the value away from 0) or ``plain``
    (neither: the null does not depend on the number of columns).

    The other fields are columns of the table ``similarity``, and None where a measure does not
    have them. ``deviations`` says how the value changes without each row or document: the sum of
    their squares is the variance of the value.
    """

    estimator: str
    value: float
    low: float
    high: float
    null_low: float
    null_high: float
    documents: int | None = None
    length_null_low: float | None = None
    length_null_high: float | None = None
    length_broken: float | None = None
    without_length: float | None = None
    without_length_low: float | None = None
    without_length_high: float | None = None
    source_largest: float | None = None
    target_largest: float | None = None
    source_rank: float | None = None
    target_rank: float | None = None
    without_largest: float | None = None
    deviations: Tensor | None = field(default=None, compare=False, repr=False)

    @property
    def columns(self) -> dict[str, object]:
        """The fields that are columns of the table ``similarity``."""
        names = (item.name for item in fields(self) if item.name != _NOT_A_COLUMN)
        return {name: getattr(self, name) for name in names}
