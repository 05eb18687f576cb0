"""Roots: generated from the sounds of a family, then changed by the sound laws of a language."""

import re
from functools import cache
from random import Random
from typing import Any

from alignscope.data.synthetic.rng import WeightedChoice, choice, rng_for
from alignscope.data.synthetic.world import load_table

Syllables = dict[int, float]
"""Weights of the numbers of syllables."""

ROOT: Syllables = {1: 0.8, 2: 6.0, 3: 1.0}
PARTICLE: Syllables = {1: 3.0, 2: 1.0}
NAME: Syllables = {2: 3.0, 3: 2.0}


class LanguageFamily:
    """The sounds of a family, and the roots generated from them."""

    def __init__(self, name: str, sounds: dict[str, Any]) -> None:
        self.name = name
        self._letters = {"C": sounds["consonants"], "V": sounds["vowels"], "N": sounds["closing"]}
        self._syllables = WeightedChoice(sounds["syllables"])
        self._roots: dict[str, str] = {}

    def root(self, concept: str, length: Syllables) -> str:
        """Return the root of a concept, which is the same at every call.

        Two concepts occasionally share a root, as in natural languages.
        """
        if concept not in self._roots:
            self._roots[concept] = self._generate_root(concept, length)
        return self._roots[concept]

    def _generate_root(self, concept: str, length: Syllables) -> str:
        random = rng_for("root", self.name, concept)
        count = WeightedChoice(length).draw(random)
        return "".join(self._syllable(random) for _ in range(count))

    def _syllable(self, random: Random) -> str:
        pattern = self._syllables.draw(random)
        return "".join(choice(self._letters[symbol], random) for symbol in pattern)

    def ending(self, meaning: str) -> str:
        """Return the suffix of a meaning: V, CV, VC or CVC."""
        random = rng_for("ending", self.name, meaning)
        pattern = WeightedChoice({"V": 2.0, "CV": 2.0, "VN": 2.0, "CVN": 1.0}).draw(random)
        return "".join(choice(self._letters[symbol], random) for symbol in pattern)


@cache
def family(name: str) -> LanguageFamily:
    """Return a family of ``families.toml``."""
    return LanguageFamily(name, load_table("families.toml")[name])


def family_names() -> tuple[str, ...]:
    """Return the names of the families that a language may belong to."""
    return tuple(name for name in load_table("families.toml") if name != "names")


class SoundChanges:
    """Regular sound changes, applied one after the other.

    >>> SoundChanges([("k(?=[ei])", "C"), ("t$", "")]).of("kiket")
    'CiCe'
    """

    def __init__(self, rules: Any) -> None:
        self._rules = [(re.compile(pattern), replacement) for pattern, replacement in rules]

    def of(self, word: str) -> str:
        """Return the changed word; a word that would become empty stays unchanged."""
        changed = word
        for pattern, replacement in self._rules:
            changed = pattern.sub(replacement, changed)
        return changed or word
