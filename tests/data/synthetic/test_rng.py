"""Chance: in proportion, and the same on every machine and Python."""

import math
from collections import Counter
from random import Random

import pytest

from alignscope.data.synthetic import rng as chance
from alignscope.data.synthetic.grammar import Grammar
from alignscope.data.synthetic.language import load_language
from alignscope.data.synthetic.lexicon import Lexicon
from alignscope.data.synthetic.meaning import sample_meaning
from alignscope.data.synthetic.phonology import family
from alignscope.data.synthetic.rng import WeightedChoice, choice, rng_for, sample, zipf
from alignscope.data.synthetic.world import world


class OnlyRandom:
    """Has no choice, no shuffle, no randint: only what no Python will change."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed).random


class Fixed:
    """Gives the numbers that it is told."""

    def __init__(self, *numbers: float) -> None:
        self.random = iter(numbers).__next__


def test_weights_are_proportions():
    random = rng_for("a test")
    draw = WeightedChoice({"a": 6, "b": 3, "never": 0, "c": 1})
    found = Counter(draw.draw(random) for _ in range(20_000))
    assert set(found) == {"a", "b", "c"}
    for item, share in {"a": 0.6, "b": 0.3, "c": 0.1}.items():
        assert found[item] / 20_000 == pytest.approx(share, abs=0.015)


def test_the_borders_of_weights():
    draw = WeightedChoice({"a": 1, "b": 3})
    numbers = Fixed(0.0, 0.2499, 0.25, math.nextafter(1, 0))
    assert [draw.draw(numbers) for _ in range(4)] == ["a", "a", "b", "b"]


@pytest.mark.parametrize("weights", [{}, {"a": 0}])
def test_nothing_to_draw_from(weights):
    with pytest.raises(ValueError, match="nothing to draw from"):
        WeightedChoice(weights)


def test_one_and_some():
    assert [choice("abc", Fixed(number)) for number in (0.0, 0.34, 0.99)] == ["a", "b", "c"]
    assert sample("abcd", 3, Fixed(0.99, 0.99, 0.0)) == ["d", "c", "a"]
    assert sorted(sample("abc", 9, rng_for("a test"))) == ["a", "b", "c"]


def test_zipf():
    weights = list(zipf(range(1000)).values())
    assert weights == sorted(weights, reverse=True)
    assert weights[98] / weights[998] == pytest.approx(10, rel=0.1)


def test_streams_differ_by_purpose():
    first = {rng_for(*purpose).random() for purpose in (("a", "b"), ("a",), ("b", "a"), ("a", 1))}
    assert len(first) == 4
    assert rng_for("roots", "dog").random() == 0.20523450500301899


def _forget():
    world.cache_clear()
    family.cache_clear()


def _say(make):
    """Everything anew, from the world to the sentences."""
    _forget()
    grammar = Grammar(load_language("zoravi"))
    meanings = [sample_meaning("chat", make(number)) for number in range(60)]
    return [
        [(word.form, word.relation) for word in grammar.sentence(meaning, make(number))]
        for number, meaning in enumerate(meanings)
    ]


def test_nothing_but_random_is_used(monkeypatch):
    usual = _say(Random)
    monkeypatch.setattr(chance, "Random", OnlyRandom)
    assert _say(OnlyRandom) == usual
    assert isinstance(Lexicon(load_language("vesti")).noun("dog"), str)
    _forget()
