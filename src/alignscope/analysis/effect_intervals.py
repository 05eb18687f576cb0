"""Effects with intervals and p-values: on the source, on every target, on means, and contrasts."""

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from alignscope.analysis.effects import effects_by_corpus, window_order
from alignscope.analysis.multiple_testing import holm_over
from alignscope.analysis.random_effects import two_way_mean
from alignscope.results.schemas import INTERVALS, to_frame

TARGETS_SOURCE, TARGETS_DOMAINS = "targets − source", "targets − domains"
CONTRASTED = (TARGETS_SOURCE, TARGETS_DOMAINS)
_GRID = ["encoder", "task", "metric", "source", "init", "window"]
_MEANS = {"in-domain": "source", "cross-lingual": "targets", "cross-domain": "domains"}

Values = NDArray[np.float64]


def intervals_table(scores: pl.DataFrame) -> pl.DataFrame:
    """Every effect of every window with its 95 % interval and p-value.

    Takes ``tables.SCORES`` and returns ``tables.INTERVALS``, in fractions. Effects are differences
    from REF, paired by seed and corpus. ``on`` is ``source``, ``targets``, ``domains`` (means over
    corpora), the name of a corpus, or one of two contrasts: ``targets − source``, below 0 where a
    window costs the targets more than the source, and ``targets − domains``, below 0 where it costs
    other languages more than other domains. Intervals are for other seeds and,
    of means over corpora, other corpora (`crossed.crossed_mean`), each of which counts as a sample
    of its own, also where two are of one language; null for a single seed and, beside domains, for
    a single domain. ``p_holm`` is corrected for all windows, sources and initialisations of an
    encoder, task and metric, and of single corpora for all of these.
    """
    values = effects_by_corpus(scores).sort(*_GRID, "relation", "corpus", "seed")
    rows = [
        {**dict(zip(_GRID, key, strict=True)), **row}
        for key, group in values.group_by(_GRID, maintain_order=True)
        for row in _rows(group)
    ]
    table = to_frame([{**row, "p_holm": None} for row in rows], INTERVALS)
    family = ["encoder", "task", "metric", "kind"]
    kinds = (*_MEANS.values(), *CONTRASTED)
    kind = pl.when(pl.col("on").is_in(kinds)).then("on").otherwise(pl.lit("corpus"))
    return (
        table.with_columns(kind=kind)
        .with_columns(p_holm=holm_over("p").over(family))
        .drop("kind")
        .sort(["encoder", "task", "metric", "source", "init", *window_order()], maintain_order=True)
    )


def effects_by_seed(group: pl.DataFrame) -> Mapping[str, Values]:
    """The effects of one window by relation, (seeds × corpora), of the seeds that have them all."""
    wide = group.pivot("corpus", index="seed", values="value").sort("seed").drop_nulls()
    relations = dict(group.select("corpus", "relation").rows())
    return {
        name: wide.select(corpora).to_numpy()
        for name in _MEANS
        if (corpora := [c for c in wide.columns[1:] if relations[c] == name])
    }


def contrasts_by_seed(group: pl.DataFrame) -> dict[str, Values]:
    """What a window costs each target beyond the source, and beyond the mean over domains."""
    found = effects_by_seed(group)
    targets = found.get("cross-lingual")
    if targets is None:
        return {}
    others = zip(CONTRASTED, ("in-domain", "cross-domain"), strict=True)
    return {
        name: targets - found[other].mean(1, keepdims=True)
        for name, other in others
        if other in found
    }


def _rows(group: pl.DataFrame) -> Iterator[dict[str, object]]:
    found = effects_by_seed(group)
    means = {_MEANS[relation]: values for relation, values in found.items()}
    domains = found.get("cross-domain")
    for on, values in (means | contrasts_by_seed(group)).items():
        if len(values):
            yield _row(on, values, domains if on == TARGETS_DOMAINS else None)
    for (corpus,), of_one in group.group_by("corpus", maintain_order=True):
        if of_one["relation"][0] != "in-domain":
            yield _row(str(corpus), of_one.select("value").to_numpy())


def _row(on: str, values: Values, beside: Values | None = None) -> dict[str, object]:
    seeds, corpora = values.shape
    found = two_way_mean(values, beside=beside)
    return {"on": on, "seeds": seeds, "corpora": corpora, **vars(found)}
