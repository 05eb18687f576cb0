"""The choice of a learning rate from the dev scores of a range test."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEAST_TOLERANCE = 0.005
"""The smallest difference of dev scores that counts. Near a score of 1 the standard error is far
smaller, and would prefer rates that are no better on the source and transfer worse."""


@dataclass(frozen=True)
class RateScore:
    """The outcome of fine-tuning with one learning rate."""

    rate: float
    score: float | None
    """The dev score, a fraction; None if the fine-tuning diverged."""


@dataclass(frozen=True)
class RateChoice:
    """The learning rate that a range test suggests, or the reason why it suggests none."""

    rate: float | None
    reason: str
    """One or two sentences with numbers in points."""


def choose_rate(tested: Sequence[RateScore], units: int, majority: float) -> RateChoice:
    """Choose the smallest rate whose dev score is about as good as the best.

    >>> scores = [RateScore(1e-4, 0.5), RateScore(3e-4, 0.898), RateScore(1e-3, 0.9)]
    >>> choose_rate(scores, units=1000, majority=0.3).rate
    0.0003

    A score is about as good if it is within one standard error of the best, that of a binomial
    proportion, or within half a point. The smallest of such rates changes the pretrained encoder
    least. This is the one-standard-error rule of Breiman et al. (1984), with the smallest rate as
    the simplest model.

    Args:
        tested: the rates in increasing order, with their scores.
        units: the number of words, sentences or entities that were scored.
        majority: the dev score of the majority baseline, a fraction.

    Returns:
        No rate if all of them diverged, if the best does not exceed the majority baseline by more
        than a standard error, if all scores are about as good as it, or if the chosen rate is
        the smallest or the largest of the range.
    """
    scores = {entry.rate: entry.score for entry in tested if entry.score is not None}
    if not scores:
        return RateChoice(None, "Training diverged with every rate. Test smaller rates.")
    best_rate = max(scores, key=lambda rate: scores[rate])
    best = scores[best_rate]
    error = math.sqrt(best * (1 - best) / units)
    tolerance = max(error, LEAST_TOLERANCE)
    if best <= majority + error:
        return RateChoice(
            None,
            f"No rate is better than the majority baseline: the best dev score is {_points(best)}, "
            f"the baseline's {_points(majority)}. Train longer, or on more sentences.",
        )
    chosen = min(rate for rate, score in scores.items() if score >= best - tolerance)
    if min(scores.values()) >= best - tolerance:
        return RateChoice(
            None,
            f"All dev scores are within {_points(tolerance)} points of the best, "
            f"{_points(best)}. Test a wider range of rates, or on more sentences.",
        )
    if chosen in (tested[0].rate, tested[-1].rate):
        edge, change = (
            ("smallest", "smaller") if chosen == tested[0].rate else ("largest", "larger")
        )
        return RateChoice(
            None,
            f"The {edge} rate of the range is chosen (dev score {_points(scores[chosen])}). Widen "
            f"the range: test {change} rates.",
        )
    return RateChoice(
        chosen,
        f"It is the smallest rate whose dev score, {_points(scores[chosen])}, is within "
        f"{_points(tolerance)} points of the best, {_points(best)} at {best_rate:g}.",
    )


def _points(fraction: float) -> str:
    return f"{100 * fraction:.1f}"
