"""The effects of windows with confidence intervals and p-values."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from alignscope._util.confidence import CONFIDENCE
from alignscope.analysis.arrays import Values
from alignscope.analysis.constants import RUN_KEYS, WINDOW_KEYS
from alignscope.analysis.contrasts import (
    MEANS_AND_CONTRASTS,
    SAME_DOMAIN,
    SOURCE,
    TARGETS,
    TARGETS_SOURCE,
)
from alignscope.analysis.effect_estimates import (
    EffectEstimate,
    GroupEffects,
    Readings,
    values_by_seed,
)
from alignscope.analysis.effects import window_order
from alignscope.analysis.moderation import VarianceEstimate, moderate_variances
from alignscope.analysis.multiple_testing import holm_over
from alignscope.analysis.random_effects import MeanEstimate, two_way_mean
from alignscope.analysis.score_arrays import Ablation
from alignscope.analysis.sentence_intervals import EffectKey
from alignscope.results.schemas import EFFECTS

ALL_SOURCES = "all"
"""The name, in the column ``source``, of the mean over the sources of a task."""

Row = dict[str, object]


def effects_table(
    groups: Sequence[GroupEffects], sentence_errors: Mapping[EffectKey, float] | None = None
) -> pl.DataFrame:
    """Return the table ``effects``: every effect with its 95 % CIs and p-value.

    An effect is a difference from REF, paired by seed and corpus. ``on`` is one of

    * ``source``, ``targets`` or ``domains``: the mean over these corpora,
    * ``targets − source``: below 0 where a window costs the targets more than the source,
    * ``targets − source, same domain``: the same for targets whose domain the source language has,
      too; each is compared with the corpus of that domain,
    * ``targets − domains``: below 0 where a window costs other languages more than other domains,
    * the name of a corpus.

    There are two readings. ``mean``, ``low``, ``high`` and ``p`` generalise to other seeds and to
    languages like these: corpora are averaged within their language, languages within their genus,
    and genera within their family; families are the sample (`two_way_mean`). ``fixed``,
    ``seeds_low`` and ``seeds_high`` generalise to other seeds only: the mean over these languages.
    Variances over seeds are moderated across windows (`moderate_variances`). Intervals are null for
    a single seed, and the first ones also for ``targets − domains`` with a single domain.

    Rows of source ``all`` are means over the sources of a task, one observation per seed, because
    the sources of a seed share its random blocks. They have the second reading only.

    ``p_holm`` is corrected over all windows, sources, settings and initialisations of an encoder,
    task and metric, and for single corpora also over the corpora.

    ``sentences_low`` and ``sentences_high`` generalise to other sentences of these corpora only.
    They exist for studies with a single seed, whose effects have no other interval.

    Args:
        groups: the estimates (`estimate_effects`).
        sentence_errors: the standard errors over sentences (`sentence_errors`).
    """
    errors = sentence_errors or {}
    rows = [row for group in groups for row in _rows_of_group(group, errors)]
    rows += _rows_over_sources(groups)
    names = [name for name in EFFECTS if name != "p_holm"]
    table = pl.DataFrame(rows, schema={name: EFFECTS[name] for name in names}, orient="row")
    corrected = holm_over("p").over("encoder", "task", "metric", _family())
    table = table.with_columns(p_holm=corrected).select(*EFFECTS)
    return table.sort([*WINDOW_KEYS[:-1], *window_order()], maintain_order=True)


def _family() -> pl.Expr:
    """Return what p-values are corrected within: one kind of mean or contrast, or the corpora."""
    return pl.when(pl.col("on").is_in(MEANS_AND_CONTRASTS)).then("on").otherwise(pl.lit("corpus"))


def _rows_of_group(group: GroupEffects, errors: Mapping[EffectKey, float]) -> Iterator[Row]:
    key = dict(zip(RUN_KEYS, group.arrays.key, strict=True))
    for (init, window), estimates in group.by_ablation.items():
        for on, estimate in estimates.items():
            error = errors.get((group.arrays.key, (init, window), on))
            yield {
                **key, "init": init, "window": window, "on": on, **_values(estimate),
                **_of_sentences(estimate.points.fixed.mean, error),
            }  # fmt: skip


def _of_sentences(mean: float, error: float | None) -> Row:
    from scipy.special import ndtri

    half = None if error is None else float(ndtri((1 + CONFIDENCE) / 2)) * error
    return {
        "sentences_low": None if half is None else mean - half,
        "sentences_high": None if half is None else mean + half,
    }


def _values(estimate: EffectEstimate) -> Row:
    contrast, points = estimate.contrast, estimate.points
    return {
        "seeds": estimate.seeds,
        "corpora": contrast.corpora,
        "languages": contrast.languages,
        "families": contrast.families,
        "mean": points.families.mean,
        "low": points.families.low,
        "high": points.families.high,
        "p": points.families.p,
        **_fixed(points.fixed),
        **_of_families("logits", estimate.logits),
        **_of_families("share", estimate.share),
    }


def _fixed(estimate: MeanEstimate) -> Row:
    return {"fixed": estimate.mean, "seeds_low": estimate.low, "seeds_high": estimate.high}


def _of_families(name: str, readings: Readings | None) -> Row:
    estimate = None if readings is None else readings.families
    return {
        name: estimate and estimate.mean,
        f"{name}_low": estimate and estimate.low,
        f"{name}_high": estimate and estimate.high,
    }


def _rows_over_sources(groups: Sequence[GroupEffects]) -> Iterator[Row]:
    """Yield the means over the sources of a task, if it has several."""
    by_task: dict[tuple[str, ...], list[GroupEffects]] = {}
    for group in groups:
        by_task.setdefault(_without_source(group), []).append(group)
    for key, members in by_task.items():
        if len(members) < 2:
            continue
        for on in (SOURCE, TARGETS, TARGETS_SOURCE, SAME_DOMAIN):
            for (init, window), values in _means_over_sources(members, on).items():
                names = [name for name in RUN_KEYS if name != "source"]
                yield {
                    **dict(zip(names, key, strict=True)),
                    "source": ALL_SOURCES,
                    "init": init,
                    "window": window,
                    "on": on,
                    **values,
                }


def _without_source(group: GroupEffects) -> tuple[str, ...]:
    key = zip(RUN_KEYS, group.arrays.key, strict=True)
    return tuple(value for name, value in key if name != "source")


def _means_over_sources(groups: Sequence[GroupEffects], on: str) -> dict[Ablation, Row]:
    """Return mean and interval over seeds of every window that all sources have."""
    by_source = [values_by_seed(group, on) for group in groups]
    shared = [name for name in by_source[0] if all(name in of for of in by_source)]
    values = {name: _means_of_common_seeds([of[name] for of in by_source]) for name in shared}
    several = {name: of for name, of in values.items() if len(of) > 1}
    own = [VarianceEstimate(float(of.var(ddof=1)), len(of) - 1) for of in several.values()]
    moderated = dict(zip(several, moderate_variances(own), strict=True))
    return {
        name: {
            "seeds": len(of),
            "mean": float(of.mean()),
            **_fixed(two_way_mean(of[:, None], moderated.get(name))),
        }
        for name, of in values.items()
        if len(of)
    }


def _means_of_common_seeds(by_source: Sequence[Mapping[int, float]]) -> Values:
    """Return the mean over sources of every seed that each source has."""
    common = sorted(set.intersection(*(set(of) for of in by_source)))
    return np.array([np.mean([of[seed] for of in by_source]) for seed in common])
