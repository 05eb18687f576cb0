"""Averages over corpora, languages, genera and families, by hand."""

import numpy as np
import pytest

from alignscope.analysis.genealogy import Lineage
from alignscope.analysis.relatives import average_languages

LINEAGES = {
    "de": Lineage("Germanic", "IE"),
    "sv": Lineage("Germanic", "IE"),
    "fr": Lineage("Romance", "IE"),
    "fi": Lineage("Finnic", "Uralic"),
}


def test_corpora_are_averaged_step_by_step() -> None:
    languages = ["de", "fi", "de", "sv", "fr"]
    averages = average_languages(languages, LINEAGES.get)
    values = np.array([1.0, 20.0, 3.0, 6.0, 10.0])
    german, swedish, french, finnish = 2.0, 6.0, 10.0, 20.0
    assert values @ averages.over_languages == pytest.approx(
        (german + swedish + french + finnish) / 4
    )
    germanic = (german + swedish) / 2
    assert values @ averages.by_family == pytest.approx([(germanic + french) / 2, finnish])
    assert (averages.languages, averages.families, averages.unknown) == (4, 2, ())
    assert values @ averages.by_language == pytest.approx([german, finnish, swedish, french])
    assert averages.genera == (0, 1, 0, 2)


def test_a_language_of_unknown_family_is_a_family_of_its_own() -> None:
    averages = average_languages(["de", "xx", "sv", "yy"], LINEAGES.get)
    assert averages.families == 3
    assert averages.unknown == ("xx", "yy")
    assert averages.by_family.sum(0) == pytest.approx([1, 1, 1])
