"""The paper's hypotheses as statements that a study can support, contradict or leave undecided."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from alignscope.analysis.constants import RUN_KEYS
from alignscope.analysis.effect_intervals import (
    ALL_SOURCES,
    TARGETS_DOMAINS,
    TARGETS_SOURCE,
    effects_table,
)
from alignscope.analysis.random_effects import two_way_mean
from alignscope.analysis.transfer_gap import correlations, similarity_and_gap
from alignscope.config.study import HypothesisThresholds
from alignscope.config.windows import Window
from alignscope.results.schemas import CLAIMS, to_frame
from alignscope.results.tables import REF, primary_measure

PlannedWindows = Mapping[tuple[object, ...], Collection[str]]
"""The windows of a study by encoder, task, source, setting and initialisation."""
SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "undecided"


@dataclass(frozen=True)
class Hypothesis:
    """The statement that a statistic is below, or above, a threshold.

    The texts are values of the table ``claims``, which must not change.
    """

    name: str
    says: str
    statistic: str
    below: bool
    """Whether the hypothesis is supported by values below the threshold."""


CRUCIAL = Hypothesis(
    "crucial",
    "the lowest blocks are crucial for transfer, and less so for the source",
    "effect of the lowest window, targets − source",
    below=True,
)
HARMLESS = Hypothesis(
    "harmless",
    "the highest blocks can be re-initialised without loss of transfer",
    "effect of the highest window on the targets",
    below=False,
)
LANGUAGE = Hypothesis(
    "language",
    "what the lowest blocks do is about language, not merely domain",
    "effect of the lowest window, targets − domains",
    below=True,
)
STABLE = Hypothesis(
    "stable",
    "fine-tuning changes the lower layers less than the upper ones",
    "similarity before and after fine-tuning",
    below=False,
)
RELATED = Hypothesis(
    "related",
    "the more alike a target is to the source, the smaller its gap",
    "Spearman's correlation of similarity (mean over layers) and gap",
    below=True,
)
HYPOTHESES = (CRUCIAL, HARMLESS, LANGUAGE, STABLE, RELATED)


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


def claims_table(
    scores: pl.DataFrame,
    similarity: pl.DataFrame | None,
    thresholds: HypothesisThresholds,
    planned: PlannedWindows | None = None,
    effects: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return the table ``claims``: a verdict on every hypothesis, per encoder, task and source.

    Args:
        scores: the table ``scores``.
        similarity: the table ``similarity``, or None if it was not measured.
        thresholds: the thresholds of the hypotheses.
        planned: the windows that a study plans, of which the lowest and highest are judged.
            Default: the windows that have scores.
        effects: the table ``effects`` of these scores. Default: it is computed.

    Returns:
        The table. Each row has the statistic with its 95 % CI, the threshold and the verdict. A
        hypothesis has no row if a study cannot judge it: it has no domains, no similarity, or the
        window is not done.
    """
    if effects is None:
        effects = effects_table(scores)
    rows = [*_window_claims(effects, thresholds, planned or {})]
    if similarity is not None:
        rows += [
            *_stability_claims(scores, similarity, thresholds),
            *_gap_claims(scores, similarity, thresholds),
        ]
    order = {hypothesis.name: place for place, hypothesis in enumerate(HYPOTHESES)}
    rows.sort(
        key=lambda row: [str(row[name]) for name in RUN_KEYS] + [str(order[str(row["claim"])])]
    )
    return to_frame(rows, CLAIMS)


def _claim_row(
    hypothesis: Hypothesis,
    key: tuple[object, ...],
    value: float,
    ends: tuple[float | None, float | None],
    threshold: float,
) -> dict[str, object]:
    return {
        **dict(zip(RUN_KEYS, key, strict=True)),
        "init": None,
        "window": None,
        "claim": hypothesis.name,
        "says": hypothesis.says,
        "statistic": hypothesis.statistic,
        "value": value,
        "low": ends[0],
        "high": ends[1],
        "sign": "<" if hypothesis.below else ">",
        "threshold": threshold,
        "verdict": verdict(*ends, threshold, below=hypothesis.below),
    }


def _window_claims(
    effects: pl.DataFrame, thresholds: HypothesisThresholds, planned: PlannedWindows
) -> Iterator[dict[str, object]]:
    """Judge the hypotheses about the lowest and the highest planned window."""
    # 0.0 − x, because −x of a threshold of 0 would be shown as −0.0.
    judged = (
        (CRUCIAL, 0, TARGETS_SOURCE, 0.0 - thresholds.crucial),
        (HARMLESS, 1, "targets", 0.0 - thresholds.harmless),
        (LANGUAGE, 0, TARGETS_DOMAINS, 0.0 - thresholds.language),
    )
    single = effects.filter(pl.col("source") != ALL_SOURCES)
    for key, group in single.group_by([*RUN_KEYS, "init"], maintain_order=True):
        encoder, task, _, source, setting, init = key
        windows = _lowest_and_highest(
            planned.get((encoder, task, source, setting, init), set(group["window"]))
        )
        if windows is None:
            continue
        for hypothesis, place, on, threshold in judged:
            of_window = group.filter(window=windows[place])
            for effect in of_window.filter(on=on).iter_rows(named=True):
                ends = effect["low"], effect["high"]
                row = _claim_row(hypothesis, key[:-1], effect["mean"], ends, threshold)
                row |= {"init": str(init), "window": windows[place]}
                if hypothesis is CRUCIAL:
                    row |= _with_targets_alone(row, of_window.filter(on="targets"))
                yield row


def _lowest_and_highest(names: Iterable[str]) -> tuple[str, str] | None:
    """Return the lowest and the highest window, or None if they overlap."""
    windows = [Window.parse(name) for name in names]
    lowest = min(windows, key=lambda window: (window.first, window.last))
    highest = max(windows, key=lambda window: (window.last, window.first))
    return (str(lowest), str(highest)) if lowest.last < highest.first else None


def _with_targets_alone(row: Mapping[str, object], targets: pl.DataFrame) -> dict[str, str]:
    """Return statistic and verdict of *crucial*: the targets alone must lose enough, too."""
    (effect,) = targets.iter_rows(named=True)
    low, high, limit = effect["low"], effect["high"], float(str(row["threshold"]))
    verdicts = {row["verdict"], verdict(low, high, limit, below=True)}
    ends = "" if low is None else f" [{100 * low:+.1f}, {100 * high:+.1f}]"
    alone = f"{100 * effect['mean']:+.1f}{ends}".replace("-", "−")
    statistic = f"{CRUCIAL.statistic}; on the targets alone {alone} points"
    if CONTRADICTED in verdicts:
        return {"statistic": statistic, "verdict": CONTRADICTED}
    return {
        "statistic": statistic,
        "verdict": SUPPORTED if verdicts == {SUPPORTED} else UNDECIDED,
    }


def _stability_claims(
    scores: pl.DataFrame, similarity: pl.DataFrame, thresholds: HypothesisThresholds
) -> Iterator[dict[str, object]]:
    """Judge whether fine-tuning changes lower layers less; the same for all metrics of a task."""
    all_drift = primary_measure(
        similarity.filter((pl.col("state") == "drift") & (pl.col("layer") > 0))
    )
    for key in scores.select(RUN_KEYS).unique().sort(RUN_KEYS).iter_rows():
        of_runs = dict(zip(RUN_KEYS, key, strict=True))
        del of_runs["metric"]  # similarities have none
        drift = all_drift.filter(window=REF, **of_runs)
        layers = drift["layer"].unique().sort()
        if len(layers) < 2:
            continue
        half = len(layers) // 2
        lower = pl.col("layer") <= layers[half - 1]
        differences = drift.group_by("seed", "target").agg(
            value=pl.col("value").filter(lower).mean() - pl.col("value").filter(~lower).mean()
        )
        wide = differences.sort("target").pivot("target", index="seed", values="value").sort("seed")
        estimate = two_way_mean(wide.drop_nulls().drop("seed").to_numpy())
        ends = estimate.low, estimate.high
        row = _claim_row(STABLE, key, estimate.mean, ends, thresholds.stable)
        spans = " − ".join(f"{part[0]}-{part[-1]}" for part in (layers[:half], layers[half:]))
        yield {**row, "statistic": f"{STABLE.statistic}, layers {spans}"}


def _gap_claims(
    scores: pl.DataFrame, similarity: pl.DataFrame, thresholds: HypothesisThresholds
) -> Iterator[dict[str, object]]:
    """Judge whether targets with higher similarity in the pretrained encoder have smaller gaps."""
    joined = similarity_and_gap(scores, similarity)
    for key, group in joined.group_by(RUN_KEYS, maintain_order=True):
        found = correlations(group["value"].to_numpy(), group["gap"].to_numpy())
        rho, p = found["spearman"], found["p"]
        if rho is None:
            continue
        ends = found["low"], found["high"]
        if ends[0] is None and p is not None and p <= 0.05:
            ends = rho, rho  # a significant correlation of 1 or −1 has no Fisher interval
        yield _claim_row(RELATED, key, rho, ends, 0.0 - thresholds.related)
