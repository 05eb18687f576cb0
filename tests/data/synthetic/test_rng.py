"""Random choices: proportional to weights, and identical on every machine and Python."""

import math
from collections import Counter
from random import Random

import pytest

from alignscope.data.synthetic import rng
from alignscope.data.synthetic.grammar import Grammar
from alignscope.data.synthetic.language import load_language
from alignscope.data.synthetic.lexicon import Lexicon
from alignscope.data.synthetic.meaning import sample_meaning
from alignscope.data.synthetic.phonology import family
from alignscope.data.synthetic.rng import WeightedChoice, choice, rng_for, sample, zipf
from alignscope.data.synthetic.world import world


class OnlyRandom:
    """A generator without choice, shuffle and randint, whose sequences may change."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed).random


class Fixed:
    """A generator that returns given numbers."""

    def __init__(self, *numbers: float) -> None:
        self.random = iter(numbers).__next__


def test_draws_are_proportional_to_weights():
    random = rng_for("a test")
    draw = WeightedChoice({"a": 6, "b": 3, "never": 0, "c": 1})
    counts = Counter(draw.draw(random) for _ in range(20_000))
    assert set(counts) == {"a", "b", "c"}
    for item, share in {"a": 0.6, "b": 0.3, "c": 0.1}.items():
        assert counts[item] / 20_000 == pytest.approx(share, abs=0.015)


def test_draws_at_the_boundaries_of_weights():
    draw = WeightedChoice({"a": 1, "b": 3})
    numbers = Fixed(0.0, 0.2499, 0.25, math.nextafter(1, 0))
    assert [draw.draw(numbers) for _ in range(4)] == ["a", "a", "b", "b"]


@pytest.mark.parametrize("weights", [{}, {"a": 0}])
def test_weights_without_a_positive_one_are_refused(weights):
    with pytest.raises(ValueError, match="No item has a positive weight"):
        WeightedChoice(weights)


def test_choice_and_sample():
    assert [choice("abc", Fixed(number)) for number in (0.0, 0.34, 0.99)] == ["a", "b", "c"]
    assert sample("abcd", 3, Fixed(0.99, 0.99, 0.0)) == ["d", "c", "a"]
    assert sorted(sample("abc", 9, rng_for("a test"))) == ["a", "b", "c"]


def test_zipf_weights_fall_as_one_over_rank():
    weights = list(zipf(range(1000)).values())
    assert weights == sorted(weights, reverse=True)
    assert weights[98] / weights[998] == pytest.approx(10, rel=0.1)


def test_generators_differ_by_purpose():
    first = {rng_for(*purpose).random() for purpose in (("a", "b"), ("a",), ("b", "a"), ("a", 1))}
    assert len(first) == 4
    assert rng_for("roots", "dog").random() == 0.20523450500301899


def _clear_caches():
    world.cache_clear()
    family.cache_clear()


def _generate(make):
    """Generate sentences with empty caches."""
    _clear_caches()
    grammar = Grammar(load_language("zoravi"))
    meanings = [sample_meaning("chat", make(number)) for number in range(60)]
    return [
        [(word.form, word.relation) for word in grammar.sentence(meaning, make(number))]
        for number, meaning in enumerate(meanings)
    ]


def test_only_random_random_is_used(monkeypatch):
    usual = _generate(Random)
    monkeypatch.setattr(rng, "Random", OnlyRandom)
    assert _generate(OnlyRandom) == usual
    assert isinstance(Lexicon(load_language("vesti")).noun("dog"), str)
    _clear_caches()
