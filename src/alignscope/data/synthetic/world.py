"""What there is to talk about: concepts, who does what to whom, and how each domain speaks."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

from alignscope.data.synthetic.rng import WeightedChoice, choice, rng_for, sample, zipf

ENTITY_OF = {"person": "PER", "loc": "LOC", "org": "ORG"}
FOREIGN = 0.02  # how much rarer a concept is outside its topics
FAVOURED = 0.9  # how often a verb takes one of the few nouns it prefers
FAVOURITES = 3


def table(name: str) -> dict[str, Any]:
    """Read one of the tables beside this file."""
    return tomllib.loads((files(__package__) / name).read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Verb:
    """A verb, its frame, and the classes that its subject and object come from."""

    gloss: str
    frame: str
    subjects: tuple[str, ...]
    objects: tuple[str, ...]
    topics: tuple[str, ...]


@dataclass(frozen=True)
class Domain:
    """How likely each construction is in a domain (``domains.toml`` says what is what)."""

    name: str
    topics: WeightedChoice[str]
    persons: WeightedChoice[int]
    tenses: WeightedChoice[str]
    chances: Mapping[str, float]

    def has(self, construction: str, random: Random) -> bool:
        """Toss this domain's coin for a construction."""
        return random.random() < self.chances[construction]


class World:
    """The concepts and their preferences; there is one, `world`."""

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
        self.domains = {name: _domain(name, rows) for name, rows in domains.items()}
        self._verb_draws: dict[str, WeightedChoice[Verb]] = {}
        self._noun_draws: dict[tuple[tuple[str, ...], str], WeightedChoice[tuple[str, str]]] = {}
        self._favourites: dict[tuple[str, str], WeightedChoice[tuple[str, str]]] = {}
        self._companions: dict[tuple[str, str], WeightedChoice[str]] = {}
        self._name_draws = {kind: WeightedChoice(zipf(names)) for kind, names in self.names.items()}

    def verb(self, topic: str, random: Random) -> Verb:
        """Draw a verb that goes with a topic."""
        if topic not in self._verb_draws:
            ranked = sorted(_shuffled(self.verbs, topic), key=lambda verb: topic not in verb.topics)
            self._verb_draws[topic] = WeightedChoice(
                {
                    verb: weight * (1.0 if topic in verb.topics else FOREIGN)
                    for verb, weight in zipf(ranked).items()
                }
            )
        return self._verb_draws[topic].draw(random)

    def noun(
        self, kinds: tuple[str, ...], topic: str, random: Random, by: str = ""
    ) -> tuple[str, str]:
        """Draw (noun, its class) among some classes; ``by`` is who chooses: a verb and its role."""
        kinds = tuple(kind for kind in kinds if kind in self.nouns)
        if by and random.random() < FAVOURED:
            return self._favourite(kinds, by).draw(random)
        key = (kinds, topic)
        if key not in self._noun_draws:
            self._noun_draws[key] = WeightedChoice(self._noun_weights(kinds, topic))
        return self._noun_draws[key].draw(random)

    def _noun_weights(
        self, kinds: tuple[str, ...], topic: str | None
    ) -> dict[tuple[str, str], float]:
        """How frequent nouns are in a topic, or in all of them alike."""
        return {
            (noun, kind): weight * (1.0 if topic in (home, None) else FOREIGN)
            for kind in kinds
            for home, nouns in self.nouns[kind].items()
            for noun, weight in zipf(nouns).items()
        }

    def _favourite(self, kinds: tuple[str, ...], by: str) -> WeightedChoice[tuple[str, str]]:
        """The few nouns that a verb prefers in a role: what tells verbs, and nouns, apart."""
        key = (by, " ".join(kinds))
        if key not in self._favourites:
            every = WeightedChoice(self._noun_weights(kinds, topic=None))
            chosen = every.draw_some(FAVOURITES, rng_for("favourites", *key))
            self._favourites[key] = WeightedChoice(zipf(chosen))
        return self._favourites[key]

    def adjective(self, noun: str, kind: str, random: Random) -> str:
        """Draw an adjective for a noun, which prefers a few of those its class allows."""
        allowed = [
            word for kinds, words in self.adjectives.items() if kind in kinds.split()
            for word in words
        ] or self.adjectives["document idea event"]  # fmt: skip
        return self._companion(f"adjective of {noun}", allowed, 4, random)

    def manner(self, verb: str, random: Random) -> str:
        """Draw an adverb for a verb, which prefers a few."""
        return self._companion(f"manner of {verb}", self.adverbs["manner"], 3, random)

    def _companion(self, by: str, allowed: list[str], count: int, random: Random) -> str:
        key = (by, allowed[0])
        if key not in self._companions:
            chosen = sample(allowed, count, rng_for("companions", *key))
            self._companions[key] = WeightedChoice(zipf(chosen))
        return self._companions[key].draw(random)

    def when(self, tense: str, random: Random) -> str:
        """Draw an adverb of time that goes with a tense."""
        return choice([*self.adverbs[tense], *self.adverbs["any"]], random)

    def name(self, kind: str, random: Random) -> str:
        """Draw a name of a kind: given, surname, city, country or company."""
        return self._name_draws[kind].draw(random)

    def surname_noun(self, name: str) -> str | None:
        """The noun that a surname is too (a smith, a wolf), for every third of them."""
        number = int(name.removeprefix("surname"))
        if number % 3:
            return None
        people = [noun for kind in ("person", "animal", "tool", "food")
                  for nouns in self.nouns[kind].values() for noun in nouns]  # fmt: skip
        return choice(people, rng_for("surname", number))


def _shuffled(verbs: list[Verb], topic: str) -> list[Verb]:
    """Each topic has its own frequent verbs."""
    return sample(verbs, len(verbs), rng_for("verbs", topic))


def _domain(name: str, rows: dict[str, Any]) -> Domain:
    chances = {key: value for key, value in rows.items() if isinstance(value, float)}
    return Domain(
        name,
        WeightedChoice(rows["topics"]),
        WeightedChoice(dict(zip((1, 2, 3), rows["persons"], strict=True))),
        WeightedChoice(dict(zip(("past", "present", "future"), rows["tenses"], strict=True))),
        chances,
    )


@cache
def world() -> World:
    """Return the world that all embedded languages talk about."""
    return World(table("concepts.toml"), table("domains.toml"))


FUNCTION_WORDS = (
    "the", "a", "this", "many", "some", "plural", "two", "three", "four", "classifier",
    "1singular", "2singular", "3singular", "1plural", "2plural", "3plural", "who", "which",
    "to", "from", "of", *world().adjuncts, "and", "or", "but", "that", "relativizer",
    "because", "when", "if", "although", "be", "past", "future", "not", "question", "infinitive",
    *(word for words in world().adverbs.values() for word in words),
    "yes", "no", "oh", "hm", "thanks",
)  # fmt: skip
"""Everything that is no noun, verb, adjective or name; adverbs are few, so they are here too."""
