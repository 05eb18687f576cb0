"""The effects of windows with confidence intervals and p-values."""

from collections.abc import Iterator, Mapping

import polars as pl

from alignscope.analysis.arrays import Values
from alignscope.analysis.constants import RELATION_LABELS, WINDOW_KEYS
from alignscope.analysis.effects import effects_by_corpus, window_order
from alignscope.analysis.multiple_testing import holm_over
from alignscope.analysis.random_effects import two_way_mean
from alignscope.analysis.seed_intervals import (
    ALL_SOURCES,
    CONTRASTS,
    TARGETS_DOMAINS,
    TARGETS_SOURCE,
    intervals_over_seeds,
)
from alignscope.results.schemas import EFFECTS

__all__ = ["ALL_SOURCES", "TARGETS_DOMAINS", "TARGETS_SOURCE", "contrasts_by_seed", "effects_table"]


def effects_table(scores: pl.DataFrame) -> pl.DataFrame:
    """Return the table ``effects``: every effect with its 95 % CI and p-value, in fractions.

    Takes the table ``scores``. An effect is a difference from REF, paired by seed and corpus.
    ``on`` is one of

    * ``source``, ``targets`` or ``domains``: the mean over these corpora,
    * ``targets − source``: below 0 where a window costs the targets more than the source,
    * ``targets − domains``: below 0 where a window costs other languages more than other domains,
    * the name of a corpus.

    There are two intervals. ``low`` and ``high`` generalise to other seeds and, for means over
    corpora, to other corpora (`two_way_mean`). Each corpus counts as one sample, also if two are
    in one language. They are null for a single seed, and for ``targets − domains`` also if there
    is a single domain. ``seeds_low`` and ``seeds_high`` generalise to other seeds only
    (`intervals_over_seeds`); only they exist for source ``all``, the mean over the sources of a
    task.

    ``p_holm`` is corrected over all windows, sources and initialisations of an encoder, task,
    metric and setting, and for single corpora also over the corpora.
    """
    values = effects_by_corpus(scores).sort(*WINDOW_KEYS, "relation", "corpus", "seed")
    rows = [
        (*key, *row)
        for key, group in values.group_by(WINDOW_KEYS, maintain_order=True)
        for row in _effect_rows(group)
    ]
    names = [name for name in EFFECTS if name not in ("p_holm", "seeds_low", "seeds_high")]
    schema = {name: EFFECTS[name] for name in names}
    table = pl.DataFrame(rows, schema=schema, orient="row")
    family = ["encoder", "task", "metric", "setting", _family()]
    table = table.with_columns(p_holm=holm_over("p").over(family))
    return _with_seed_intervals(table, values)


def _family() -> pl.Expr:
    """Return what p-values are corrected within: one kind of mean or contrast, or the corpora."""
    kinds = (*RELATION_LABELS.values(), *CONTRASTS)
    return pl.when(pl.col("on").is_in(kinds)).then("on").otherwise(pl.lit("corpus"))


def _with_seed_intervals(table: pl.DataFrame, values: pl.DataFrame) -> pl.DataFrame:
    """Add the intervals over seeds, and the rows for source ``all``."""
    keys = [*WINDOW_KEYS, "on"]
    over_seeds = intervals_over_seeds(values)
    joined = table.join(
        over_seeds.drop("seeds", "mean"),
        on=keys,
        how="left",
        nulls_equal=True,
        maintain_order="left",
        validate="1:1",
    )
    over_sources = over_seeds.filter(source=ALL_SOURCES)
    whole = pl.concat([joined, over_sources], how="diagonal").select(*EFFECTS)
    return whole.sort([*WINDOW_KEYS[:-1], *window_order()], maintain_order=True)


def effects_by_seed(group: pl.DataFrame) -> Mapping[str, Values]:
    """Return the effects of one window by relation, each of shape (seeds, corpora).

    A seed counts if it has every corpus.
    """
    wide = group.pivot("corpus", index="seed", values="value").sort("seed").drop_nulls()
    relations = dict(group.select("corpus", "relation").rows())
    corpora_of = {
        relation: [corpus for corpus in wide.columns[1:] if relations[corpus] == relation]
        for relation in RELATION_LABELS
    }
    return {
        RELATION_LABELS[relation]: wide.select(corpora).to_numpy()
        for relation, corpora in corpora_of.items()
        if corpora
    }


def contrasts_by_seed(group: pl.DataFrame) -> dict[str, Values]:
    """Return the contrasts of one window, each of shape (seeds, targets).

    A contrast is the effect on a target − the effect on the source, or − the mean over domains.
    """
    return _contrasts(effects_by_seed(group))


def _contrasts(effects: Mapping[str, Values]) -> dict[str, Values]:
    if "targets" not in effects:
        return {}
    return {
        contrast: effects["targets"] - effects[place].mean(1, keepdims=True)
        for contrast, place in CONTRASTS.items()
        if place in effects
    }


def _effect_rows(group: pl.DataFrame) -> Iterator[tuple[object, ...]]:
    effects = effects_by_seed(group)
    for on, values in {**effects, **_contrasts(effects)}.items():
        if len(values):
            subtracted = effects["domains"] if on == TARGETS_DOMAINS else None
            yield _effect_row(on, values, subtracted)
    for (corpus,), of_corpus in group.group_by("corpus", maintain_order=True):
        if of_corpus["relation"][0] != "in-domain":
            yield _effect_row(str(corpus), of_corpus.select("value").to_numpy())


def _effect_row(on: str, values: Values, subtracted: Values | None = None) -> tuple[object, ...]:
    estimate = two_way_mean(values, beside=subtracted)
    return (on, *values.shape, estimate.mean, estimate.low, estimate.high, estimate.p)
