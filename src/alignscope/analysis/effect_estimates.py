"""The effects of windows, estimated on three scales and in two readings."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from alignscope.analysis.arrays import Values
from alignscope.analysis.contrasts import Contrast, ContrastSet, contrasts_of, partner_noise
from alignscope.analysis.genealogy import LineageOf, lineage
from alignscope.analysis.moderation import VarianceEstimate, moderate_variances
from alignscope.analysis.random_effects import MeanEstimate, two_way_mean
from alignscope.analysis.score_arrays import Ablation, ScoreArrays, score_arrays

LEAST_HEADROOM = 0.05
"""The smallest headroom of REF above the majority baseline of which a share is computed."""


@dataclass(frozen=True)
class Readings:
    """An effect in two readings, both of which generalise to other seeds."""

    families: MeanEstimate
    """Languages like these: families are a sample, and the mean is over families."""
    fixed: MeanEstimate
    """These languages: the corpora are fixed, and the mean is over languages."""


@dataclass(frozen=True)
class EffectEstimate:
    """The effect of one window: a mean over corpora, a contrast, or a single corpus."""

    contrast: Contrast
    seeds: int
    points: Readings
    """Difference of scores, a fraction."""
    logits: Readings
    """Difference of log odds (`ScoreArrays.logits`)."""
    share: Readings | None
    """Difference of scores / (REF − majority baseline); None if REF is hardly above it."""


@dataclass(frozen=True)
class GroupEffects:
    """The effects of all windows of one encoder, task, metric, source and setting."""

    arrays: ScoreArrays
    contrasts: ContrastSet
    by_ablation: dict[Ablation, dict[str, EffectEstimate]]
    """The estimates of a window by the name of the mean, contrast or corpus."""


def estimate_effects(scores: pl.DataFrame, lineage_of: LineageOf = lineage) -> list[GroupEffects]:
    """Return the effects of every window, by encoder, task, metric, source and setting.

    Args:
        scores: the table ``scores``.
        lineage_of: returns genus and family of a language, or None if they are unknown.

    Raises:
        StoreError: as `score_arrays` does.
    """
    return [_group_effects(arrays, lineage_of) for arrays in score_arrays(scores)]


def _group_effects(arrays: ScoreArrays, lineage_of: LineageOf) -> GroupEffects:
    contrasts = contrasts_of(arrays, lineage_of)
    by_ablation: dict[Ablation, dict[str, EffectEstimate]] = {name: {} for name in arrays.ablations}
    for contrast in contrasts.contrasts:
        estimates = estimate_contrast(arrays, contrast)
        for ablation, estimate in zip(arrays.ablations, estimates, strict=True):
            if estimate is not None:
                by_ablation[ablation][contrast.on] = estimate
    return GroupEffects(arrays, contrasts, by_ablation)


def estimate_contrast(arrays: ScoreArrays, contrast: Contrast) -> list[EffectEstimate | None]:
    """Return a mean or contrast of every window; None where no seed has its corpora.

    Args:
        arrays: the scores of a group.
        contrast: one of its `contrasts_of`.
    """
    complete = complete_seeds(arrays, contrast)
    if not any(seeds.any() for seeds in complete):
        return [None] * len(arrays.ablations)
    points, logits, shares = (
        None if effects is None else _readings(arrays, contrast, effects, complete)
        for effects in (arrays.points, arrays.logits, _shares(arrays, contrast))
    )
    assert points is not None and logits is not None  # noqa: PT018
    return [
        EffectEstimate(
            contrast,
            int(seeds.sum()),
            points[place],
            logits[place],
            None if shares is None else shares[place],
        )
        if seeds.any()
        else None
        for place, seeds in enumerate(complete)
    ]


def complete_seeds(arrays: ScoreArrays, contrast: Contrast) -> list[Values]:
    """Return, for every window, which seeds count: a mask of shape (seeds,).

    A seed counts in means and contrasts if the window has every corpus that any seed of it has; for
    a single corpus, if it has that corpus.
    """
    known = np.isfinite(arrays.points)
    if contrast.corpora == 1 and contrast.used.sum() == 1:
        return [of[:, contrast.used].all(1) for of in known]
    masks = []
    for of in known:
        needed = of.any(0)
        has_all = not (contrast.used & ~needed).any()
        masks.append((of | ~needed).all(1) & has_all & of.any(1))
    return masks


def _shares(arrays: ScoreArrays, contrast: Contrast) -> Values | None:
    """Return effects as shares of what REF has above the baseline, or None if that is too little.

    The effects of a mean are divided by the mean headroom of its corpora, so that a corpus with a
    small headroom does not dominate.
    """
    headroom = contrast.headroom_of @ np.nan_to_num(arrays.headroom)
    if not (headroom[contrast.used] >= LEAST_HEADROOM).all():
        return None
    shares: Values = arrays.points / np.where(contrast.used, headroom, 1)
    return shares


def _readings(
    arrays: ScoreArrays, contrast: Contrast, effects: Values, complete: Sequence[Values]
) -> list[Readings]:
    """Return both readings of the effects of every window.

    Args:
        arrays: the scores of the group.
        contrast: the mean or contrast.
        effects: the effects on one scale, of shape (ablations, seeds, corpora).
        complete: the seeds that count, by window (`complete_seeds`).
    """
    used = contrast.used
    values = [of[seeds] for of, seeds in zip(effects, complete, strict=True)]
    families = [of[:, used] @ contrast.by_family[used] for of in values]
    fixed = [(of[:, used] @ contrast.over_languages[used])[:, None] for of in values]
    source_corpora = [*arrays.places("in-domain"), *arrays.places("cross-domain")]

    def extra(place: int) -> list[VarianceEstimate]:
        means = values[place].mean(0)
        if contrast.subtracted:
            return [_sample_of(means[list(contrast.subtracted)])]
        return partner_noise(contrast, means, source_corpora)

    return [
        Readings(of_families, of_fixed)
        for of_families, of_fixed in zip(
            _moderated(families, extra), _moderated(fixed, lambda _: []), strict=True
        )
    ]


def _moderated(
    values: Sequence[Values], extra: Callable[[int], list[VarianceEstimate]]
) -> list[MeanEstimate]:
    """Return the mean over families of every window, with variances over seeds moderated."""
    own = {
        place: VarianceEstimate(float(of.mean(1).var(ddof=1)), len(of) - 1)
        for place, of in enumerate(values)
        if len(of) > 1
    }
    moderated = dict(zip(own, moderate_variances(list(own.values())), strict=True))
    return [
        two_way_mean(of, moderated[place], extra(place)) if place in moderated else _single_seed(of)
        for place, of in enumerate(values)
    ]


def _single_seed(values: Values) -> MeanEstimate:
    return MeanEstimate(float(values.mean()) if len(values) else math.nan)


def _sample_of(means: Values) -> VarianceEstimate:
    """Return the variance of the mean over corpora that are a sample; infinite for a single one."""
    count = len(means)
    if count < 2:
        return VarianceEstimate(math.inf, 1)
    return VarianceEstimate(float(means.var(ddof=1)) / count, count - 1)


def values_by_seed(group: GroupEffects, on: str) -> dict[Ablation, dict[int, float]]:
    """Return a mean or contrast over these languages by window and seed, as fractions.

    Args:
        group: the effects of an encoder, task, metric, source and setting.
        on: the name of the mean, contrast or corpus.
    """
    arrays, contrast = group.arrays, group.contrasts.named(on)
    if contrast is None:
        return {}
    values = {}
    for place, seeds in enumerate(complete_seeds(arrays, contrast)):
        used = contrast.used
        means = arrays.points[place][seeds][:, used] @ contrast.over_languages[used]
        names = [seed for seed, counts in zip(arrays.seeds, seeds, strict=True) if counts]
        values[arrays.ablations[place]] = dict(zip(names, means.tolist(), strict=True))
    return values
