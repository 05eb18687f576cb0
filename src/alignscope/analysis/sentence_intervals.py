"""Intervals of effects over sentences, for studies with a single seed."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from alignscope.analysis.arrays import Values
from alignscope.analysis.contrasts import Contrast
from alignscope.analysis.effect_estimates import GroupEffects
from alignscope.analysis.score_arrays import Ablation, EvaluatedCorpus
from alignscope.results.store import RunResult

LEAST_SENTENCES = 20
"""The smallest number of sentences whose variance is estimated."""

EffectKey = tuple[tuple[str, ...], Ablation, str]
"""Values of the run keys, the window and how it was initialised, and the name of the effect."""
_RunKey = tuple[str, str, str, str, str | None, str | None]


def sentence_errors(
    groups: Sequence[GroupEffects],
    outcomes: Iterable[RunResult],
    primary_metrics: Mapping[str, str],
) -> dict[EffectKey, float]:
    """Return the standard error over sentences of every effect of a single seed, as a fraction.

    A score is a ratio of sums over sentences, so that a sentence contributes (numerator − score ×
    denominator) / mean denominator to it. The contributions with and without re-initialisation are
    subtracted sentence by sentence. Corpora of one domain with equally many sentences may be
    translations of each other, so their contributions are added sentence by sentence, too. The
    effect is that on these languages, whose corpora are fixed.

    Args:
        groups: the effects of windows.
        outcomes: the results of the runs.
        primary_metrics: the metric of each task whose outcomes are kept by sentence.
    """
    by_run = {_run_key(outcome): outcome for outcome in outcomes}
    errors: dict[EffectKey, float] = {}
    for group in groups:
        encoder, task, metric, source, setting = group.arrays.key
        if primary_metrics.get(task) != metric or len(group.arrays.seeds) > 1:
            continue
        reference = by_run.get((encoder, task, source, setting, None, None))
        for (init, window), estimates in group.by_ablation.items():
            ablated = by_run.get((encoder, task, source, setting, init, window))
            if reference is None or ablated is None:
                continue
            differences = _differences(reference, ablated, group.arrays.corpora)
            for on, estimate in estimates.items():
                error = _error(estimate.contrast, differences, group.arrays.corpora)
                if error is not None:
                    errors[group.arrays.key, (init, window), on] = error
    return errors


def _run_key(outcome: RunResult) -> _RunKey:
    run = outcome.run
    return run.encoder.label, run.task, run.source, run.setting, run.init_label, run.window


def _differences(
    reference: RunResult, ablated: RunResult, corpora: Sequence[EvaluatedCorpus]
) -> list[Values | None]:
    """Return what each sentence contributes to the effect on each corpus, of shape (sentences,)."""
    differences: list[Values | None] = []
    for corpus in corpora:
        counts = [run.sentence_counts(corpus.name) for run in (ablated, reference)]
        parts = [None if of is None else _contributions(of) for of in counts]
        left, right = parts
        known = left is not None and right is not None and len(left) == len(right)
        differences.append(left - right if known else None)  # type: ignore[operator]
    return differences


def _contributions(counts: np.ndarray) -> Values | None:
    numerators, denominators = counts.T.astype(float)
    total = denominators.sum()
    if total == 0:
        return None
    contributions: Values = (numerators - numerators.sum() / total * denominators) / (
        total / len(counts)
    )
    return contributions


def _error(
    contrast: Contrast, differences: Sequence[Values | None], corpora: Sequence[EvaluatedCorpus]
) -> float | None:
    """Return the standard error of a weighted sum over corpora; None if one has no outcomes."""
    clusters: dict[tuple[object, int], Values] = {}
    for place in map(int, np.flatnonzero(contrast.over_languages)):
        part = differences[place]
        if part is None or len(part) < LEAST_SENTENCES:
            return None
        domain = corpora[place].domain or corpora[place].name
        key = (domain, len(part))
        clusters[key] = clusters.get(key, 0) + contrast.over_languages[place] * part
    variance = sum(
        float((part**2).sum()) / (len(part) * (len(part) - 1)) for part in clusters.values()
    )
    return float(np.sqrt(variance))
