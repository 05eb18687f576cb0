"""Typological distance is a metric, and related languages are closer."""

from itertools import combinations, product
from statistics import fmean

import pytest

from alignscope.data.synthetic.distance import TRAITS, typological_distance
from alignscope.data.synthetic.language import Language, languages, load_language
from alignscope.errors import DataError

PAIRS = {pair: typological_distance(*pair) for pair in product(languages(), repeat=2)}


def test_distance_is_a_metric():
    for (left, right), distance in PAIRS.items():
        assert 0 <= distance <= 1
        assert (distance == 0) == (left == right)
        assert distance == PAIRS[right, left]
        for third in languages():
            assert distance <= PAIRS[left, third] + PAIRS[third, right] + 1e-12


def test_related_languages_are_closer():
    distances = {True: [], False: []}
    for pair in combinations(languages(), 2):
        left, right = map(load_language, pair)
        distances[left.family == right.family].append(PAIRS[pair])
    assert len(distances[True]) >= 5
    assert fmean(distances[True]) < 0.8 * fmean(distances[False])


def test_distances_counted_by_hand():
    """Kirgu and Ataru differ in 2 of 24 traits: pronoun dropping and the copula.

    Dorun and Vesti differ in order, genitive, morphology, agreement, person, tense and negation,
    and only Dorun has two of their three cases.
    """
    assert PAIRS["ataru", "kirgu"] == pytest.approx(2 / 24)
    assert PAIRS["vesti", "dorun"] == pytest.approx((7 + 2 / 3) / 24)


def test_traits_are_fields_of_a_language():
    assert set(TRAITS) <= set(Language.model_fields)
    assert len(set(TRAITS)) == len(TRAITS)


def test_unknown_languages_are_refused():
    with pytest.raises(DataError, match="vesta is not a synthetic language"):
        typological_distance("vesti", "vesta")
