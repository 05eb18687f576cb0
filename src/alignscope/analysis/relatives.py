"""Averages over corpora, languages and families: relatives are no independent sample."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alignscope.analysis.arrays import Values
from alignscope.analysis.genealogy import Lineage, LineageOf


@dataclass(frozen=True)
class LanguageAverages:
    """The averages over corpora, as linear maps from values per corpus.

    >>> from alignscope.analysis.genealogy import lineage
    >>> averages = average_languages(["de", "de", "sv", "ja"], lineage)
    >>> averages.over_languages.round(3).tolist()
    [0.167, 0.167, 0.333, 0.333]
    >>> averages.by_family.round(2).tolist()  # German and Swedish are Germanic
    [[0.25, 0.0], [0.25, 0.0], [0.5, 0.0], [0.0, 1.0]]
    """

    over_languages: Values
    """Weights of shape (corpora,): the mean over languages of the mean over their corpora."""
    by_family: Values
    """Weights of shape (corpora, families): corpora are averaged within their language, languages
    within their genus, and genera within their family."""
    by_language: Values
    """Weights of shape (corpora, languages)."""
    genera: tuple[int, ...]
    """The number of the genus of each language."""
    unknown: tuple[str, ...]
    """Languages of unknown genealogy, each of which counts as a family of its own."""

    @property
    def languages(self) -> int:
        """The number of languages."""
        return int(self.by_language.shape[1])

    @property
    def families(self) -> int:
        """The number of families."""
        return int(self.by_family.shape[1])


def average_languages(languages: Sequence[str], lineage: LineageOf) -> LanguageAverages:
    """Return the averages over corpora in these languages.

    Args:
        languages: the language of each corpus.
        lineage: returns genus and family of a language, or None if they are unknown.
    """
    names = list(dict.fromkeys(languages))
    lineages = [lineage(name) or Lineage(name, name) for name in names]
    genera = list(dict.fromkeys(lineages))
    families = list(dict.fromkeys(member.family for member in genera))
    by_language = _average([names.index(name) for name in languages], len(names))
    genus_of = [genera.index(member) for member in lineages]
    by_genus = _average(genus_of, len(genera))
    of_families = _average([families.index(genus.family) for genus in genera], len(families))
    return LanguageAverages(
        over_languages=by_language.mean(1),
        by_family=by_language @ by_genus @ of_families,
        by_language=by_language,
        genera=tuple(genus_of),
        unknown=tuple(name for name in names if lineage(name) is None),
    )


def _average(group_of: Sequence[int], groups: int) -> Values:
    """Return the weights (items, groups) that average the items of each group."""
    member = np.zeros((len(group_of), groups))
    member[np.arange(len(group_of)), group_of] = 1
    averages: Values = member / member.sum(0)
    return averages
