"""Distance is a metric, and relatives are nearer."""

from itertools import combinations, product
from statistics import fmean

import pytest

from alignscope.data.synthetic.distance import TRAITS, typological_distance
from alignscope.data.synthetic.language import Language, languages, load_language
from alignscope.errors import DataError

PAIRS = {pair: typological_distance(*pair) for pair in product(languages(), repeat=2)}


def test_metric():
    for (left, right), distance in PAIRS.items():
        assert 0 <= distance <= 1
        assert (distance == 0) == (left == right)
        assert distance == PAIRS[right, left]
        for third in languages():
            assert distance <= PAIRS[left, third] + PAIRS[third, right] + 1e-12


def test_relatives_are_nearer():
    distances = {True: [], False: []}
    for pair in combinations(languages(), 2):
        one, other = map(load_language, pair)
        distances[one.family == other.family].append(PAIRS[pair])
    assert len(distances[True]) >= 5
    assert fmean(distances[True]) < 0.8 * fmean(distances[False])


def test_distances_counted_by_hand():
    """Of 24 traits, Kirgu keeps pronouns and copulas where Ataru leaves them out.

    Dorun differs from Vesti in order, genitive, morphology, agreement, person, tense and negation,
    and has two of their three cases alone.
    """
    assert PAIRS["ataru", "kirgu"] == pytest.approx(2 / 24)
    assert PAIRS["vesti", "dorun"] == pytest.approx((7 + 2 / 3) / 24)


def test_traits_exist():
    assert set(TRAITS) <= set(Language.model_fields)
    assert len(set(TRAITS)) == len(TRAITS)


def test_unknown_languages():
    with pytest.raises(DataError, match="vesta is not an embedded language"):
        typological_distance("vesti", "vesta")
