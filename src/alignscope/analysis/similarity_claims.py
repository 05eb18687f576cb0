"""Verdicts on the hypotheses about representations."""

from collections.abc import Iterator

import polars as pl

from alignscope.analysis.constants import RUN_KEYS
from alignscope.analysis.genealogy import LineageOf
from alignscope.analysis.phylogenetic import phylogenetic_correlation
from alignscope.analysis.random_effects import MeanEstimate
from alignscope.analysis.statements import RELATED, claim_row
from alignscope.analysis.transfer_gap import correlations, similarity_and_gap
from alignscope.analysis.verdicts import ALPHA, verdict
from alignscope.config.study import HypothesisThresholds

Row = dict[str, object]


def stability_claims(
    scores: pl.DataFrame, changes: pl.DataFrame, thresholds: HypothesisThresholds
) -> Iterator[Row]:
    """Yield the verdicts on *stable*."""
    yield from ()


def gap_claims(
    scores: pl.DataFrame,
    similarity: pl.DataFrame,
    thresholds: HypothesisThresholds,
    lineage_of: LineageOf,
) -> Iterator[Row]:
    """Yield the verdicts on *related*: whether more similar targets have smaller gaps.

    The correlation is Spearman's, for languages like these adjusted for genus and family
    (`phylogenetic_correlation`), for these languages as it is.

    Args:
        scores: the table ``scores``.
        similarity: the table ``similarity``.
        thresholds: the thresholds of the hypotheses.
        lineage_of: returns genus and family of a language, or None.
    """
    threshold = 0.0 - thresholds.related  # not −0.0, which would be shown with its sign
    joined = similarity_and_gap(scores, similarity)
    for key, group in joined.group_by(RUN_KEYS, maintain_order=True):
        sides = group["value"].to_numpy(), group["gap"].to_numpy()
        plain = correlations(*sides)
        adjusted = phylogenetic_correlation(*sides, [*map(lineage_of, group["language"])])
        if plain["spearman"] is None or adjusted.value is None:
            continue
        ends = _ends(adjusted.value, adjusted.low, adjusted.high, adjusted.p)
        of_these = _ends(plain["spearman"], plain["low"], plain["high"], plain["p"])
        row = claim_row(RELATED, key, MeanEstimate(adjusted.value), threshold)
        yield row | {
            "statistic": "Spearman's correlation of similarity (mean over layers) and gap",
            "languages": len(group),
            "families": adjusted.families,
            "low": ends[0],
            "high": ends[1],
            "p": adjusted.p if threshold == 0 else None,
            "verdict": verdict(*ends, threshold, below=True),
            "fixed": plain["spearman"],
            "fixed_low": of_these[0],
            "fixed_high": of_these[1],
            "fixed_verdict": verdict(*of_these, threshold, below=True),
        }


def _ends(
    value: float, low: float | None, high: float | None, p: float | None
) -> tuple[float | None, float | None]:
    """Return the interval; a significant correlation of 1 or −1 has none, and counts as it is."""
    if low is None and p is not None and p <= ALPHA:
        return value, value
    return low, high
