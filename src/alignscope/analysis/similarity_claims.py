"""Verdicts on the hypotheses about representations."""

from collections.abc import Iterator

import polars as pl

from alignscope.analysis.block_changes import stability_values
from alignscope.analysis.constants import RUN_KEYS
from alignscope.analysis.genealogy import LineageOf
from alignscope.analysis.phylogenetic import phylogenetic_correlation
from alignscope.analysis.random_effects import MeanEstimate, two_way_mean
from alignscope.analysis.relatives import average_languages
from alignscope.analysis.statements import RELATED, STABLE, claim_row
from alignscope.analysis.transfer_gap import correlations, similarity_and_gap
from alignscope.analysis.verdicts import ALPHA, CONTRADICTED, SUPPORTED, UNDECIDED, verdict
from alignscope.config.thresholds import HypothesisThresholds
from alignscope.data.corpus import parse_corpus

Row = dict[str, object]


def stability_claims(
    scores: pl.DataFrame,
    changes: pl.DataFrame,
    thresholds: HypothesisThresholds,
    lineage_of: LineageOf,
) -> Iterator[Row]:
    """Yield the verdicts on *stable*, the same for all metrics of a task.

    The output of the upper blocks must change more than that of the lower ones, relative to noise
    of equal size, by the threshold; and the weights of the upper blocks must change more.

    Args:
        scores: the table ``scores``.
        changes: the table ``changes``.
        thresholds: the thresholds of the hypotheses.
        lineage_of: returns genus and family of a language, or None.
    """
    differences = stability_values(changes)
    for key in scores.select(RUN_KEYS).unique().sort(RUN_KEYS).iter_rows():
        of_key = dict(zip(RUN_KEYS, key, strict=True))
        del of_key["metric"]
        group = differences.filter(**of_key)
        if group.is_empty():
            continue
        corpora = group["corpus"].unique().sort().to_list()
        languages = [parse_corpus(name).language for name in corpora]
        averages = average_languages(languages, lineage_of)
        output, weight = (
            group.pivot("corpus", index="seed", values=name)
            .sort("seed")
            .drop_nulls()
            .select(corpora)
            for name in ("output", "weight")
        )
        families = two_way_mean(output.to_numpy() @ averages.by_family)
        fixed = two_way_mean(output.to_numpy() @ averages.over_languages[:, None])
        weights = two_way_mean(weight.to_numpy()[:, :1])
        row = claim_row(STABLE, key, families, thresholds.stable)
        yield row | {
            "statistic": "log of output change / that of noise, upper − lower half of the blocks; "
            f"log of weight change {_with_ends(weights)}",
            "languages": averages.languages,
            "families": averages.families,
            "p": _stable_p(families, weights, thresholds.stable),
            "verdict": _stable_verdict(families, weights, thresholds.stable),
            "fixed": fixed.mean,
            "fixed_low": fixed.low,
            "fixed_high": fixed.high,
            "fixed_verdict": _stable_verdict(fixed, weights, thresholds.stable),
        }


def _stable_verdict(output: MeanEstimate, weights: MeanEstimate, threshold: float) -> str:
    verdicts = {
        verdict(output.low, output.high, threshold, below=False),
        verdict(weights.low, weights.high, 0.0, below=False),
    }
    if CONTRADICTED in verdicts:
        return CONTRADICTED
    return SUPPORTED if verdicts == {SUPPORTED} else UNDECIDED


def _stable_p(output: MeanEstimate, weights: MeanEstimate, threshold: float) -> float:
    supported, contradicted = (
        (output.p_beyond(threshold, below=below), weights.p_beyond(0.0, below=below))
        for below in (False, True)
    )
    return min(1.0, 2 * min(max(supported), min(contradicted)))


def _with_ends(estimate: MeanEstimate) -> str:
    """Return ``+0.35 [+0.20, +0.50]``."""
    low, high = estimate.low, estimate.high
    ends = "" if low is None or high is None else f" [{low:+.2f}, {high:+.2f}]"
    return f"{estimate.mean:+.2f}{ends}".replace("-", "−")


def gap_claims(
    scores: pl.DataFrame,
    similarity: pl.DataFrame,
    thresholds: HypothesisThresholds,
    lineage_of: LineageOf,
) -> Iterator[Row]:
    """Yield the verdicts on *related*: whether more similar targets have smaller gaps.

    The correlation is Spearman's, for languages like these adjusted for genus and family
    (`phylogenetic_correlation`), for these languages as it is. Sentence length is regressed out of
    the similarity if that was measured.

    Args:
        scores: the table ``scores``.
        similarity: the table ``similarity``.
        thresholds: the thresholds of the hypotheses.
        lineage_of: returns genus and family of a language, or None.
    """
    threshold = 0.0 - thresholds.related  # not −0.0, which would be shown with its sign
    joined = similarity_and_gap(scores, similarity)
    for key, group in joined.group_by(RUN_KEYS, maintain_order=True):
        adjusted_for_length = group["without_length"].null_count() == 0
        similarities = group["without_length" if adjusted_for_length else "value"].to_numpy()
        sides = similarities, group["gap"].to_numpy()
        plain = correlations(*sides)
        adjusted = phylogenetic_correlation(*sides, [*map(lineage_of, group["language"])])
        if plain["spearman"] is None or adjusted.value is None:
            continue
        ends = _ends(adjusted.value, adjusted.low, adjusted.high, adjusted.p)
        of_these = _ends(plain["spearman"], plain["low"], plain["high"], plain["p"])
        row = claim_row(RELATED, key, MeanEstimate(adjusted.value), threshold)
        yield row | {
            "statistic": "Spearman's correlation of similarity (mean over layers"
            f"{', sentence length removed' if adjusted_for_length else ''}) and gap",
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
