"""The paper's hypotheses as statements that a study can support, contradict or leave undecided."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

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

Planned = Mapping[tuple[object, ...], Collection[str]]
SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "undecided"

_GRID = ["encoder", "task", "metric", "source"]


@dataclass(frozen=True)
class Hypothesis:
    """A statement: that ``statistic`` is below (or above) its threshold."""

    name: str
    says: str
    statistic: str


CRUCIAL = Hypothesis(
    "crucial",
    "the lowest blocks are crucial for transfer, and less so for the source",
    "effect of the lowest window, targets − source",
)
HARMLESS = Hypothesis(
    "harmless",
    "the highest blocks can be re-initialised without loss of transfer",
    "effect of the highest window on the targets",
)
LANGUAGE = Hypothesis(
    "language",
    "what the lowest blocks do is about language, not merely domain",
    "effect of the lowest window, targets − domains",
)
STABLE = Hypothesis(
    "stable",
    "fine-tuning changes the lower layers less than the upper ones",
    "similarity before and after fine-tuning",
)
RELATED = Hypothesis(
    "related",
    "the more alike a target is to the source, the smaller its gap",
    "Spearman's correlation of similarity (mean over layers) and gap",
)
HYPOTHESES = (CRUCIAL, HARMLESS, LANGUAGE, STABLE, RELATED)


def verdict(low: float | None, high: float | None, threshold: float, *, below: bool) -> str:
    """Say what an interval says of being below (or above) a threshold.

    >>> verdict(-0.3, -0.1, -0.02, below=True), verdict(-0.3, 0.1, -0.02, below=True)
    ('supported', 'undecided')

    Supported where all of it is, contradicted where none of it is, undecided between, and where
    there is no interval.
    """
    if low is None or high is None or low <= threshold <= high:
        return UNDECIDED
    return SUPPORTED if (high < threshold) == below else CONTRADICTED


def claims_table(
    scores: pl.DataFrame,
    similarity: pl.DataFrame | None,
    thresholds: HypothesisThresholds,
    planned: Planned | None = None,
    effects: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Judge every claim for every encoder, task, metric and source (``tables.CLAIMS``).

    Takes ``tables.SCORES`` and, for the claims on layers, ``tables.RUN_SIMILARITY``. Each row has
    the statistic with its 95 % interval, the threshold and the verdict. A claim for which a study
    has nothing (no domains, no similarity, not yet the window) has no row. ``planned`` has the
    windows of a study by encoder, task, source and initialisation; those with scores if left out.
    ``effects`` is the table of that name, computed if left out.
    """
    if effects is None:
        effects = effects_table(scores)
    rows = [*_of_windows(effects, thresholds, planned or {})]
    if similarity is not None:
        rows += [
            *_of_drift(scores, similarity, thresholds),
            *_of_gaps(scores, similarity, thresholds),
        ]
    order = {claim.name: place for place, claim in enumerate(HYPOTHESES)}
    rows.sort(key=lambda row: [str(row[name]) for name in _GRID] + [str(order[str(row["claim"])])])
    return to_frame(rows, CLAIMS)


def _row(
    claim: Hypothesis,
    key: tuple[object, ...],
    init: str | None,
    value: float,
    ends: tuple[float | None, float | None],
    threshold: float,
    *,
    below: bool,
) -> dict[str, object]:
    return {
        **dict(zip(_GRID, key, strict=True)),
        "init": init,
        "window": None,
        "claim": claim.name,
        "says": claim.says,
        "statistic": claim.statistic,
        "value": value,
        "low": ends[0],
        "high": ends[1],
        "sign": "<" if below else ">",
        "threshold": threshold,
        "verdict": verdict(*ends, threshold, below=below),
    }


def _of_windows(
    effects: pl.DataFrame, thresholds: HypothesisThresholds, planned: Planned
) -> Iterator[dict[str, object]]:
    """The claims on the lowest and on the highest window that were planned."""
    asked = (
        (CRUCIAL, 0, TARGETS_SOURCE, 0.0 - thresholds.crucial, True),
        (HARMLESS, 1, "targets", 0.0 - thresholds.harmless, False),
        (LANGUAGE, 0, TARGETS_DOMAINS, 0.0 - thresholds.language, True),
    )
    single = effects.filter(pl.col("source") != ALL_SOURCES)
    for key, group in single.group_by([*_GRID, "init"], maintain_order=True):
        encoder, task, _, source, init = key
        windows = _ends(planned.get((encoder, task, source, init), set(group["window"])))
        if windows is None:
            continue
        for claim, place, on, threshold, below in asked:
            of_window = group.filter(window=windows[place])
            for row in of_window.filter(on=on).iter_rows(named=True):
                ends = row["low"], row["high"]
                judged = _row(claim, key[:-1], str(init), row["mean"], ends, threshold, below=below)
                judged["window"] = windows[place]
                if claim is CRUCIAL:
                    judged |= _both(judged, of_window.filter(on="targets"))
                yield judged


def _ends(names: Iterable[str]) -> tuple[str, str] | None:
    """The lowest and the highest of windows, or None where they are not apart."""
    windows = [Window.parse(name) for name in names]
    lowest = min(windows, key=lambda window: (window.first, window.last))
    highest = max(windows, key=lambda window: (window.last, window.first))
    return (str(lowest), str(highest)) if lowest.last < highest.first else None


def _both(judged: Mapping[str, object], targets: pl.DataFrame) -> dict[str, str]:
    """Crucial is what costs the targets more than the source, and costs the targets at all."""
    (row,) = targets.iter_rows(named=True)
    limit = float(str(judged["threshold"]))
    verdicts = {judged["verdict"], verdict(row["low"], row["high"], limit, below=True)}
    ends = "" if row["low"] is None else f" [{100 * row['low']:+.1f}, {100 * row['high']:+.1f}]"
    alone = f"{100 * row['mean']:+.1f}{ends}".replace("-", "−")
    said = {"statistic": f"{CRUCIAL.statistic}; on the targets alone {alone} points"}
    if CONTRADICTED in verdicts:
        return {**said, "verdict": CONTRADICTED}
    return {**said, "verdict": SUPPORTED if verdicts == {SUPPORTED} else UNDECIDED}


def _of_drift(
    scores: pl.DataFrame, similarity: pl.DataFrame, thresholds: HypothesisThresholds
) -> Iterator[dict[str, object]]:
    """The claim on what fine-tuning changes; the same for all metrics of a task."""
    own = primary_measure(similarity.filter((pl.col("state") == "drift") & (pl.col("layer") > 0)))
    metrics = scores.select(_GRID).unique().sort(_GRID)
    for key in metrics.iter_rows():
        encoder, task, _, source = key
        drift = own.filter(encoder=encoder, task=task, source=source, window=REF)
        layers = drift["layer"].unique().sort()
        if len(layers) < 2:
            continue
        lower = pl.col("layer") <= layers[len(layers) // 2 - 1]
        each = drift.group_by("seed", "target").agg(
            value=pl.col("value").filter(lower).mean() - pl.col("value").filter(~lower).mean()
        )
        wide = each.sort("target").pivot("target", index="seed", values="value").sort("seed")
        found = two_way_mean(wide.drop_nulls().drop("seed").to_numpy())
        ends = found.low, found.high
        row = _row(STABLE, key, None, found.mean, ends, thresholds.stable, below=False)
        half = len(layers) // 2
        parts = (layers[:half], layers[half:])
        spans = " − ".join(f"{part[0]}-{part[-1]}" for part in parts)
        yield {**row, "statistic": f"{STABLE.statistic}, layers {spans}"}


def _of_gaps(
    scores: pl.DataFrame, similarity: pl.DataFrame, thresholds: HypothesisThresholds
) -> Iterator[dict[str, object]]:
    """The claim on similarity and gap, in the pretrained encoder."""
    joined = similarity_and_gap(scores, similarity)
    for key, group in joined.group_by(_GRID, maintain_order=True):
        found = correlations(group["value"].to_numpy(), group["gap"].to_numpy())
        if found["spearman"] is not None:
            ends = found["low"], found["high"]
            if ends[0] is None and found["p"] is not None and found["p"] <= 0.05:
                ends = found["spearman"], found["spearman"]  # 1 or -1: no interval, but no chance
            limit = 0.0 - thresholds.related  # not −0.0
            yield _row(RELATED, key, None, found["spearman"], ends, limit, below=True)
