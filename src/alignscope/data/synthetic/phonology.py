"""Roots: drawn from the sounds of a family, then changed, language by language."""

import re
from functools import cache
from random import Random
from typing import Any

from alignscope.data.synthetic.rng import WeightedChoice, choice, rng_for
from alignscope.data.synthetic.world import table

Syllables = dict[int, float]
ROOT: Syllables = {1: 0.8, 2: 6.0, 3: 1.0}
PARTICLE: Syllables = {1: 3.0, 2: 1.0}
NAME: Syllables = {2: 3.0, 3: 2.0}


class LanguageFamily:
    """A family's sounds, and the roots made of them."""

    def __init__(self, name: str, rows: dict[str, Any]) -> None:
        self.name = name
        self._letters = {"C": rows["consonants"], "V": rows["vowels"], "N": rows["closing"]}
        self._syllables = WeightedChoice(rows["syllables"])
        self._roots: dict[str, str] = {}

    def root(self, concept: str, length: Syllables) -> str:
        """Return the family's root for a concept, always the same.

        Now and then two concepts share one, as they do in any language.
        """
        if concept not in self._roots:
            self._roots[concept] = self._new(concept, length)
        return self._roots[concept]

    def _new(self, concept: str, length: Syllables) -> str:
        random = rng_for("root", self.name, concept)
        count = WeightedChoice(length).draw(random)
        return "".join(self._syllable(random) for _ in range(count))

    def _syllable(self, random: Random) -> str:
        shape = self._syllables.draw(random)
        return "".join(choice(self._letters[place], random) for place in shape)

    def ending(self, meaning: str) -> str:
        """Return a suffix: a vowel, a syllable, or a vowel and a consonant."""
        random = rng_for("ending", self.name, meaning)
        shape = WeightedChoice({"V": 2.0, "CV": 2.0, "VN": 2.0, "CVN": 1.0}).draw(random)
        return "".join(choice(self._letters[place], random) for place in shape)


@cache
def family(name: str) -> LanguageFamily:
    """Return a family of ``families.toml``."""
    return LanguageFamily(name, table("families.toml")[name])


def family_names() -> tuple[str, ...]:
    """Name the families that a language may belong to."""
    return tuple(name for name in table("families.toml") if name != "names")


class SoundChanges:
    """Regular changes, one after the other, to whatever they meet.

    >>> SoundChanges([("k(?=[ei])", "C"), ("t$", "")]).of("kiket")
    'CiCe'
    """

    def __init__(self, rules: Any) -> None:
        self._rules = [(re.compile(pattern), replacement) for pattern, replacement in rules]

    def of(self, word: str) -> str:
        """Return what became of a word; one that would vanish stays as it was."""
        changed = word
        for pattern, replacement in self._rules:
            changed = pattern.sub(replacement, changed)
        return changed or word
