"""The shared world: concepts, the nouns each verb prefers, and the style of each domain."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

from alignscope.data.synthetic.rng import WeightedChoice, choice, rng_for, sample, zipf

OFF_TOPIC = 0.02  # relative frequency of a concept outside its topics
PREFERENCE = 0.9  # probability that a verb takes one of its preferred nouns
PREFERRED_NOUNS = 3  # per verb and role


def load_table(name: str) -> dict[str, Any]:
    """Read a TOML file of this folder."""
    return tomllib.loads((files(__package__) / name).read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Verb:
    """A verb, its frame, and the noun classes of its subject and object."""

    gloss: str
    frame: str
    subjects: tuple[str, ...]
    objects: tuple[str, ...]
    topics: tuple[str, ...]


@dataclass(frozen=True)
class Domain:
    """The probability of each construction in a domain (``domains.toml`` explains them)."""

    name: str
    topics: WeightedChoice[str]
    persons: WeightedChoice[int]
    tenses: WeightedChoice[str]
    chances: Mapping[str, float]

    def has(self, construction: str, random: Random) -> bool:
        """Decide at random whether a clause has a construction."""
        return random.random() < self.chances[construction]


class World:
    """The concepts and their preferences; `world` returns the only instance."""

    def __init__(self, concepts: dict[str, Any], domains: dict[str, Any]) -> None:
        self.nouns: dict[str, dict[str, list[str]]] = {
            kind: {topic: words.split() for topic, words in topics.items()}
            for kind, topics in concepts["nouns"].items()
        }
        self.verbs = [
            Verb(gloss, frame, *(tuple(text.split()) for text in rest))
            for gloss, (frame, *rest) in concepts["verbs"].items()
        ]
        self.adjectives: dict[str, list[str]] = {
            kinds: words.split() for kinds, words in concepts["adjectives"].items()
        }
        self.adverbs: dict[str, list[str]] = {
            kind: words.split() for kind, words in concepts["adverbs"].items()
        }
        self.adjuncts = {name: kinds.split() for name, kinds in concepts["adjuncts"].items()}
        self.names = {
            kind: [f"{kind}{number}" for number in range(1, count + 1)]
            for kind, count in concepts["names"].items()
        }
        self.domains = {name: _domain(name, settings) for name, settings in domains.items()}
        self._verb_draws: dict[str, WeightedChoice[Verb]] = {}
        self._noun_draws: dict[tuple[tuple[str, ...], str], WeightedChoice[tuple[str, str]]] = {}
        self._preferred: dict[tuple[str, str], WeightedChoice[tuple[str, str]]] = {}
        self._companions: dict[tuple[str, str], WeightedChoice[str]] = {}
        self._name_draws = {kind: WeightedChoice(zipf(names)) for kind, names in self.names.items()}

    def verb(self, topic: str, random: Random) -> Verb:
        """Draw a verb that fits a topic."""
        if topic not in self._verb_draws:
            ranked = sorted(_shuffled(self.verbs, topic), key=lambda verb: topic not in verb.topics)
            self._verb_draws[topic] = WeightedChoice(
                {
                    verb: weight * (1.0 if topic in verb.topics else OFF_TOPIC)
                    for verb, weight in zipf(ranked).items()
                }
            )
        return self._verb_draws[topic].draw(random)

    def noun(
        self, kinds: tuple[str, ...], topic: str, random: Random, by: str = ""
    ) -> tuple[str, str]:
        """Draw a noun of some classes and return it with its class.

        Args:
            kinds: the noun classes to draw from.
            topic: the topic of the sentence.
            random: the source of randomness.
            by: a verb and a role, such as ``object of wash``, whose preferred nouns are more
                likely; empty for no preference.
        """
        kinds = tuple(kind for kind in kinds if kind in self.nouns)
        if by and random.random() < PREFERENCE:
            return self._preferred_nouns(kinds, by).draw(random)
        key = (kinds, topic)
        if key not in self._noun_draws:
            self._noun_draws[key] = WeightedChoice(self._noun_weights(kinds, topic))
        return self._noun_draws[key].draw(random)

    def _noun_weights(
        self, kinds: tuple[str, ...], topic: str | None
    ) -> dict[tuple[str, str], float]:
        """Return the weights of nouns in a topic, or in all topics equally if it is None."""
        return {
            (noun, kind): weight * (1.0 if topic in (noun_topic, None) else OFF_TOPIC)
            for kind in kinds
            for noun_topic, nouns in self.nouns[kind].items()
            for noun, weight in zipf(nouns).items()
        }

    def _preferred_nouns(self, kinds: tuple[str, ...], by: str) -> WeightedChoice[tuple[str, str]]:
        """Return the few nouns that a verb prefers in a role.

        These preferences are what an encoder can learn to distinguish verbs, and nouns, by.
        """
        key = (by, " ".join(kinds))
        if key not in self._preferred:
            candidates = WeightedChoice(self._noun_weights(kinds, topic=None))
            chosen = candidates.draw_some(PREFERRED_NOUNS, rng_for("favourites", *key))
            self._preferred[key] = WeightedChoice(zipf(chosen))
        return self._preferred[key]

    def adjective(self, noun: str, kind: str, random: Random) -> str:
        """Draw an adjective for a noun; each noun prefers a few that its class allows."""
        allowed = [
            word for kinds, words in self.adjectives.items() if kind in kinds.split()
            for word in words
        ] or self.adjectives["document idea event"]  # fmt: skip
        return self._companion(f"adjective of {noun}", allowed, 4, random)

    def manner(self, verb: str, random: Random) -> str:
        """Draw an adverb of manner for a verb; each verb prefers a few."""
        return self._companion(f"manner of {verb}", self.adverbs["manner"], 3, random)

    def _companion(self, by: str, allowed: list[str], count: int, random: Random) -> str:
        key = (by, allowed[0])
        if key not in self._companions:
            chosen = sample(allowed, count, rng_for("companions", *key))
            self._companions[key] = WeightedChoice(zipf(chosen))
        return self._companions[key].draw(random)

    def when(self, tense: str, random: Random) -> str:
        """Draw an adverb of time that fits a tense."""
        return choice([*self.adverbs[tense], *self.adverbs["any"]], random)

    def name(self, kind: str, random: Random) -> str:
        """Draw a name; ``kind`` is given, surname, city, country or company."""
        return self._name_draws[kind].draw(random)

    def surname_noun(self, name: str) -> str | None:
        """Return the noun that a surname equals (smith, wolf); only every third surname has one."""
        number = int(name.removeprefix("surname"))
        if number % 3:
            return None
        people = [noun for kind in ("person", "animal", "tool", "food")
                  for nouns in self.nouns[kind].values() for noun in nouns]  # fmt: skip
        return choice(people, rng_for("surname", number))


def _shuffled(verbs: list[Verb], topic: str) -> list[Verb]:
    """Return the verbs in the frequency order of a topic."""
    return sample(verbs, len(verbs), rng_for("verbs", topic))


def _domain(name: str, settings: dict[str, Any]) -> Domain:
    chances = {key: value for key, value in settings.items() if isinstance(value, float)}
    return Domain(
        name,
        WeightedChoice(settings["topics"]),
        WeightedChoice(dict(zip((1, 2, 3), settings["persons"], strict=True))),
        WeightedChoice(dict(zip(("past", "present", "future"), settings["tenses"], strict=True))),
        chances,
    )


@cache
def world() -> World:
    """Return the world that all synthetic languages describe."""
    return World(load_table("concepts.toml"), load_table("domains.toml"))


FUNCTION_WORDS = (
    "the", "a", "this", "many", "some", "plural", "two", "three", "four", "classifier",
    "1singular", "2singular", "3singular", "1plural", "2plural", "3plural", "who", "which",
    "to", "from", "of", *world().adjuncts, "and", "or", "but", "that", "relativizer",
    "because", "when", "if", "although", "be", "past", "future", "not", "question", "infinitive",
    *(word for words in world().adverbs.values() for word in words),
    "yes", "no", "oh", "hm", "thanks",
)  # fmt: skip
"""All words other than nouns, verbs, adjectives and names; the few adverbs are included."""
