"""The hypotheses of Muller et al. (2021) in words."""

from dataclasses import dataclass

from alignscope.analysis.constants import RUN_KEYS
from alignscope.analysis.random_effects import MeanEstimate


@dataclass(frozen=True)
class Hypothesis:
    """The statement that a statistic is below, or above, a threshold."""

    name: str
    says: str
    """The statement, a value of the table ``claims``."""
    below: bool
    """Whether the hypothesis is supported by values below the threshold."""


CRUCIAL = Hypothesis(
    "crucial",
    "the lowest blocks are crucial for transfer, and less so for the source",
    below=True,
)
HARMLESS = Hypothesis(
    "harmless",
    "the highest blocks can be re-initialised without loss of transfer",
    below=False,
)
LANGUAGE = Hypothesis(
    "language",
    "the lowest blocks matter for language, not merely for domain",
    below=True,
)
STABLE = Hypothesis(
    "stable",
    "fine-tuning changes the lower blocks less than the upper ones",
    below=False,
)
RELATED = Hypothesis(
    "related",
    "the more similar a target is to the source, the smaller its gap",
    below=True,
)
HYPOTHESES = (CRUCIAL, HARMLESS, LANGUAGE, STABLE, RELATED)


def claim_row(
    hypothesis: Hypothesis,
    key: tuple[object, ...],
    estimate: MeanEstimate,
    threshold: float,
    **columns: object,
) -> dict[str, object]:
    """Return a row of the table ``claims`` without the columns of the correction.

    Args:
        hypothesis: the hypothesis.
        key: the values of `RUN_KEYS`.
        estimate: the statistic, in the reading that generalises.
        threshold: the threshold.
        columns: further columns; those that are missing are null.
    """
    return {
        **dict(zip(RUN_KEYS, key, strict=True)),
        **dict.fromkeys(("init", "window", "languages", "families", "p")),
        **dict.fromkeys(("fixed", "fixed_low", "fixed_high", "fixed_verdict")),
        **dict.fromkeys(("logits", "logits_low", "logits_high")),
        "claim": hypothesis.name,
        "says": hypothesis.says,
        "value": estimate.mean,
        "low": estimate.low,
        "high": estimate.high,
        "sign": "<" if hypothesis.below else ">",
        "threshold": threshold,
        "notes": "",
        **columns,
    }
