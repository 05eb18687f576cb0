"""The configuration of a learning-rate range test."""

from typing import Annotated

from pydantic import Field, field_validator

from alignscope._util.validation import StrictModel

DEFAULT_RATES = (2e-5, 5e-5, 1.2e-4, 3e-4, 8e-4, 2e-3, 5e-3)
"""About equal steps on a logarithmic scale, from large encoders to small ones."""
MIN_RATES = 3
"""With fewer, every rate is at an edge of the range."""


class RangeTest(StrictModel):
    """Learning rates of the encoder to try, and how briefly to fine-tune with each of them."""

    rates: tuple[Annotated[float, Field(gt=0)], ...] = DEFAULT_RATES
    epochs: int = Field(2, ge=1)
    limit: int = Field(1000, ge=1, description="maximum number of train and of dev sentences")

    @field_validator("rates")
    @classmethod
    def _sort(cls, rates: tuple[float, ...]) -> tuple[float, ...]:
        distinct = sorted(set(rates))
        if len(distinct) < MIN_RATES:
            raise ValueError(
                f"A range test needs at least {MIN_RATES} different rates, got {len(distinct)}"
            )
        return tuple(distinct)


def format_rate(rate: float) -> str:
    """Return a learning rate as a study file has it, in scientific notation.

    >>> format_rate(0.0005), format_rate(1.2e-4), format_rate(2)
    ('5e-4', '1.2e-4', '2')
    """
    digits, _, exponent = f"{rate:.6e}".partition("e")
    digits = digits.rstrip("0").rstrip(".")
    return f"{digits}e{int(exponent)}" if int(exponent) else digits
