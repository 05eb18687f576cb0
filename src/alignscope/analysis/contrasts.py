"""The means and contrasts of effects that are estimated, as linear maps from corpora."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from alignscope.analysis.arrays import Values
from alignscope.analysis.domains import PAIRED_COLUMNS, SameDomain, same_domain_pairs
from alignscope.analysis.genealogy import LineageOf
from alignscope.analysis.moderation import VarianceEstimate
from alignscope.analysis.relatives import LanguageAverages, average_languages
from alignscope.analysis.score_arrays import EvaluatedCorpus, ScoreArrays

SOURCE, TARGETS, DOMAINS = "source", "targets", "domains"
TARGETS_SOURCE, TARGETS_DOMAINS = "targets − source", "targets − domains"
SAME_DOMAIN = "targets − source, same domain"
"""The names of means and contrasts in the column ``on``."""
MEANS_AND_CONTRASTS = (
    SOURCE, TARGETS, DOMAINS, TARGETS_SOURCE, SAME_DOMAIN, TARGETS_DOMAINS,
)  # fmt: skip
_FIELDS = ("name", *PAIRED_COLUMNS[1:])
FEWEST_CORPORA = 3
"""The smallest number of values from which the noise of a single corpus is estimated."""


@dataclass(frozen=True)
class Contrast:
    """A mean over corpora, or a difference of two, as linear maps from effects by corpus.

    A single corpus is a contrast, too.
    """

    on: str
    corpora: int
    """Number of corpora in the mean: the targets of a contrast."""
    languages: int
    families: int
    by_family: Values
    """Weights of shape (corpora, families); their values are averaged over families."""
    over_languages: Values
    """Weights of shape (corpora,): the mean over these languages, each with equal weight."""
    headroom_of: Values
    """Weights of shape (corpora, corpora): row c averages the headrooms that scale corpus c."""
    subtracted: Sequence[int] = ()
    """Positions of the corpora whose mean is subtracted, if they are a sample of corpora."""
    partners: Values | None = None
    """Weights of shape (corpora,) of the corpora of the source language that are subtracted,
    each of which stands for a domain."""
    genera: tuple[tuple[tuple[int, ...], ...], ...] = ()
    """The positions of the target corpora of each language, by genus."""

    @property
    def used(self) -> Values:
        """Whether each corpus has a weight, of shape (corpora,)."""
        used: Values = (self.by_family != 0).any(1) | (self.over_languages != 0)
        return used


@dataclass(frozen=True)
class ContrastSet:
    """The means and contrasts of one encoder, task, metric, source and setting."""

    contrasts: list[Contrast]
    pairs: SameDomain
    unknown: tuple[str, ...]
    """Languages of unknown genealogy among the targets."""

    def named(self, on: str) -> Contrast | None:
        """Return the contrast of a name, or None if there is none."""
        return next((contrast for contrast in self.contrasts if contrast.on == on), None)

    @property
    def judged(self) -> Contrast | None:
        """The contrast of targets and source that verdicts use: within a domain if possible."""
        return self.named(SAME_DOMAIN) or self.named(TARGETS_SOURCE)


def contrasts_of(arrays: ScoreArrays, lineage: LineageOf) -> ContrastSet:
    """Return every mean, contrast and single corpus, in the order of the table ``effects``.

    Args:
        arrays: the scores of a group.
        lineage: returns genus and family of a language, or None.
    """
    corpora = arrays.corpora
    pairs = same_domain_pairs(_paired_rows(corpora))
    source, targets = arrays.places("in-domain"), arrays.places("cross-lingual")
    domains = arrays.places("cross-domain")
    found: list[Contrast] = []
    unknown: tuple[str, ...] = ()
    if source:
        found.append(_mean(SOURCE, corpora, source))
    if targets:
        averages = average_languages([corpora[i].language for i in targets], lineage)
        unknown = averages.unknown
        found.append(_targets(corpora, targets, averages))
    if domains:
        found.append(_mean(DOMAINS, corpora, domains))
    if targets and source:
        minus = dict.fromkeys(targets, source)
        found.append(_difference(TARGETS_SOURCE, corpora, minus, averages))
    found += _same_domain(corpora, targets, pairs, lineage)
    if targets and domains:
        minus = dict.fromkeys(targets, domains)
        found.append(_difference(TARGETS_DOMAINS, corpora, minus, averages))
    found += [_mean(corpora[i].name, corpora, [i]) for i in _single(arrays)]
    return ContrastSet(found, pairs, unknown)


def _paired_rows(corpora: Sequence[EvaluatedCorpus]) -> pl.DataFrame:
    rows = [tuple(getattr(corpus, name) for name in _FIELDS) for corpus in corpora]
    return pl.DataFrame(rows, schema=dict.fromkeys(PAIRED_COLUMNS, pl.String), orient="row")


def _single(arrays: ScoreArrays) -> Iterator[int]:
    for place, corpus in enumerate(arrays.corpora):
        if corpus.relation != "in-domain":
            yield place


def _mean(on: str, corpora: Sequence[EvaluatedCorpus], places: Sequence[int]) -> Contrast:
    """Return the mean over corpora in one language, each of which is a sample."""
    samples = np.zeros((len(corpora), len(places)))
    samples[places, range(len(places))] = 1
    return Contrast(
        on, len(places), 1, len(places) if on == DOMAINS else 1,
        samples, samples.mean(1), _common(len(corpora), [places]),
    )  # fmt: skip


def _targets(
    corpora: Sequence[EvaluatedCorpus], places: Sequence[int], averages: LanguageAverages
) -> Contrast:
    return Contrast(
        TARGETS,
        len(places),
        averages.languages,
        averages.families,
        _scattered(averages.by_family, places, len(corpora)),
        _scattered(averages.over_languages, places, len(corpora)),
        _common(len(corpora), [places]),
    )


def _difference(
    on: str,
    corpora: Sequence[EvaluatedCorpus],
    minus: Mapping[int, Sequence[int]],
    averages: LanguageAverages,
) -> Contrast:
    """Return the mean over targets of the effect on each minus the mean over other corpora."""
    targets = list(minus)
    difference = np.zeros((len(corpora), len(targets)))
    for column, (target, others) in enumerate(minus.items()):
        difference[target, column] = 1
        difference[others, column] -= 1 / len(others)
    others = sorted({other for places in minus.values() for other in places})
    subtracted = np.minimum(difference, 0) @ averages.over_languages
    return Contrast(
        on,
        len(targets),
        averages.languages,
        averages.families,
        difference @ averages.by_family,
        difference @ averages.over_languages,
        _common(len(corpora), [targets, others]),
        subtracted=others if on == TARGETS_DOMAINS else (),
        partners=-subtracted if on == SAME_DOMAIN else None,
        genera=_relatives(targets, averages) if on == SAME_DOMAIN else (),
    )


def _same_domain(
    corpora: Sequence[EvaluatedCorpus],
    targets: Sequence[int],
    pairs: SameDomain,
    lineage: LineageOf,
) -> list[Contrast]:
    """Return the contrast of the targets that have a corpus of their domain on the other side."""
    place_of = {corpus.name: place for place, corpus in enumerate(corpora)}
    minus = {
        target: [place_of[pairs.partners[corpora[target].name]]]
        for target in targets
        if corpora[target].name in pairs.partners
    }
    if not minus:
        return []
    averages = average_languages([corpora[i].language for i in minus], lineage)
    return [_difference(SAME_DOMAIN, corpora, minus, averages)]


def _relatives(
    targets: Sequence[int], averages: LanguageAverages
) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """Return the corpora of each language, by genus."""
    corpora_of = [
        tuple(targets[int(i)] for i in np.flatnonzero(averages.by_language[:, language]))
        for language in range(averages.languages)
    ]
    return tuple(
        tuple(corpora_of[i] for i, of in enumerate(averages.genera) if of == genus)
        for genus in dict.fromkeys(averages.genera)
    )


def _scattered(weights: Values, places: Sequence[int], count: int) -> Values:
    """Return weights of some corpora as weights of all corpora."""
    scattered = np.zeros((count, *weights.shape[1:]))
    scattered[list(places)] = weights
    return scattered


def _common(count: int, groups: Sequence[Sequence[int]]) -> Values:
    """Return weights with which the corpora of a group share the mean of their headrooms."""
    common = np.eye(count)
    for places in groups:
        common[np.ix_(places, places)] = 1 / len(places)
    return common


def partner_noise(
    contrast: Contrast, mean_effects: Values, source_corpora: Sequence[int]
) -> list[VarianceEstimate]:
    """Return what the reactions of single partner corpora add to the variance of a contrast.

    The corpus of the source language in a domain is a single one: how it reacts to a window is
    partly its own, and no mean removes that. This noise is at most how much languages of one genus
    differ. If too few languages share a genus, it is at most how much the other corpora of the
    source language differ, or, if these are fewer than three, how much any languages differ. With a
    single language it is unknown, and infinite.

    Args:
        contrast: the contrast within domains.
        mean_effects: the effects, means over seeds, of shape (corpora,).
        source_corpora: positions of the corpora in the source language.
    """
    if contrast.partners is None:
        return []
    weight = float((contrast.partners**2).sum())
    others = mean_effects[[i for i in source_corpora if contrast.partners[i] == 0]]
    bounds = (
        (_within(contrast.genera, mean_effects), FEWEST_CORPORA - 1),
        (_variance(others[np.isfinite(others)]), FEWEST_CORPORA - 1),
        (_within([[of for genus in contrast.genera for of in genus]], mean_effects), 1),
    )
    for noise, least in bounds:
        if noise.degrees >= least:
            return [noise._replace(variance=weight * noise.variance)]
    return [VarianceEstimate(math.inf, 1)]


def _within(groups: Sequence[Sequence[tuple[int, ...]]], mean_effects: Values) -> VarianceEstimate:
    """Return the variance of languages within groups; a language is given by its corpora."""
    squares, degrees = 0.0, 0
    for languages in groups:
        values = np.array([mean_effects[list(corpora)].mean() for corpora in languages])
        squares += float(((values - values.mean()) ** 2).sum())
        degrees += len(values) - 1
    return VarianceEstimate(squares / max(1, degrees), degrees)


def _variance(values: Values) -> VarianceEstimate:
    if len(values) < 2:
        return VarianceEstimate(0.0, 0)
    return VarianceEstimate(float(values.var(ddof=1)), len(values) - 1)
