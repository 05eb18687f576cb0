"""Verdicts on a hypothesis from estimates, on two scales and after correction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alignscope.analysis.multiple_testing import holm
from alignscope.analysis.random_effects import MeanEstimate

SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "undecided"
SCALE = "depends on the scale"
"""The verdict where an effect has its sign in points, but not on the scale of logits."""
DOMAIN = "not separated from domain"
"""The verdict where targets and source differ in domain as well as in language."""
VERDICTS = (SUPPORTED, CONTRADICTED, UNDECIDED, SCALE, DOMAIN)
ALPHA = 0.05


def verdict(low: float | None, high: float | None, threshold: float, *, below: bool) -> str:
    """Return the verdict on the hypothesis that a value is below (or above) a threshold.

    >>> verdict(-0.3, -0.1, -0.02, below=True), verdict(-0.3, 0.1, -0.02, below=True)
    ('supported', 'undecided')

    Args:
        low: the lower end of the value's 95 % CI, or None if there is no interval.
        high: the upper end.
        threshold: the threshold, in the unit of the value.
        below: whether the hypothesis is that the value is below the threshold.

    Returns:
        ``supported`` if the whole interval is on the side of the hypothesis, ``contradicted`` if
        the whole interval is on the other side, else ``undecided``; also without an interval.
    """
    if low is None or high is None or low <= threshold <= high:
        return UNDECIDED
    return SUPPORTED if (high < threshold) == below else CONTRADICTED


@dataclass(frozen=True)
class Condition:
    """A hypothesis on one effect: it lies beyond a threshold, in points and in logits."""

    points: MeanEstimate
    logits: MeanEstimate
    threshold: float
    """In points, as a fraction."""
    logit_threshold: float
    below: bool

    @property
    def verdict(self) -> str:
        """The verdict, which needs the same sign on both scales."""
        in_points, in_logits = self._verdicts()
        if in_points == SUPPORTED and in_logits != SUPPORTED:
            return SCALE
        if in_points == CONTRADICTED and in_logits == SUPPORTED and self._signs_differ():
            return SCALE
        return in_points

    @property
    def p_supported(self) -> float:
        """The one-sided p-value for the hypothesis: the larger one of both scales."""
        return max(
            self.points.p_beyond(self.threshold, below=self.below),
            self.logits.p_beyond(self.logit_threshold, below=self.below),
        )

    @property
    def p_contradicted(self) -> float:
        """The one-sided p-value against the hypothesis, in points."""
        return self.points.p_beyond(self.threshold, below=not self.below)

    def _verdicts(self) -> tuple[str, str]:
        points, logits = self.points, self.logits
        return (
            verdict(points.low, points.high, self.threshold, below=self.below),
            verdict(logits.low, logits.high, self.logit_threshold, below=self.below),
        )

    def _signs_differ(self) -> bool:
        return self.points.mean * self.logits.mean < 0


def joint_verdict(conditions: Sequence[Condition]) -> str:
    """Return the verdict on conditions that must all hold; one that fails contradicts them."""
    verdicts = {condition.verdict for condition in conditions}
    for stronger in (CONTRADICTED, UNDECIDED, SCALE):
        if stronger in verdicts:
            return stronger
    return SUPPORTED


def joint_p(conditions: Sequence[Condition]) -> float:
    """Return the two-sided p-value of conditions that must all hold."""
    supported = max(condition.p_supported for condition in conditions)
    contradicted = min(condition.p_contradicted for condition in conditions)
    return min(1.0, 2 * min(supported, contradicted))


def corrected_verdicts(rows: Iterable[dict[str, object]]) -> list[dict[str, object]]:
    """Add ``p_holm`` and ``verdict_holm``: verdicts with p-values corrected over all rows."""
    rows = list(rows)
    p_values = [row["p"] if isinstance(row["p"], float) else None for row in rows]
    return [
        {**row, "p_holm": p, "verdict_holm": _corrected(str(row["verdict"]), p)}
        for row, p in zip(rows, holm(p_values), strict=True)
    ]


def _corrected(uncorrected: str, p: float | None) -> str:
    decided = uncorrected in (SUPPORTED, CONTRADICTED)
    return UNDECIDED if decided and (p is None or p > ALPHA) else uncorrected
