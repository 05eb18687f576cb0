"""Fixtures for the tests of the embedded languages: their sentences, as trees to walk in."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import pytest

from alignscope.data.sentence import Sentence
from alignscope.data.synthetic.corpus import SentenceGenerator, domains
from alignscope.data.synthetic.language import Language, languages, load_language
from alignscope.data.synthetic.meaning import Clause, sample_meaning
from alignscope.data.synthetic.rng import rng_for

SAMPLE = 100
"""Sentences of each language and domain that are looked at."""


@dataclass(eq=False)
class Token:
    """A word of a finished sentence, with those under it."""

    place: int
    form: str
    upos: str
    relation: str
    gloss: str
    head: "Token | None" = None
    below: list["Token"] = field(default_factory=list)

    def all(self, *relations: str) -> list["Token"]:
        return [token for token in self.below if token.relation in relations]

    def one(self, relation: str) -> "Token | None":
        found = self.all(relation)
        assert len(found) <= 1, f"{len(found)} {relation} under {self.gloss}"
        return found[0] if found else None

    @property
    def span(self) -> list["Token"]:
        """This word and everything below it."""
        return [self, *(token for child in self.below for token in child.span)]

    @property
    def side(self) -> str:
        """Where it stands from its head."""
        assert self.head is not None
        return "before" if self.place < self.head.place else "after"


Tree = list[Token]


@dataclass
class Said:
    """A sentence, its tree, and what it means."""

    sentence: Sentence
    tree: Tree
    meaning: Clause

    @property
    def root(self) -> Token:
        (root,) = (token for token in self.tree if token.head is None)
        return root


def grow(sentence: Sentence) -> Tree:
    """Turn a sentence's columns into a tree."""
    rows = zip(sentence.words, sentence.upos, sentence.relations, sentence.misc, strict=True)
    tree = [
        Token(place, form, upos, relation, misc.split("|")[0].removeprefix("Gloss="))
        for place, (form, upos, relation, misc) in enumerate(rows, start=1)
    ]
    for token, head in zip(tree, sentence.heads, strict=True):
        if head:
            token.head = tree[head - 1]
            token.head.below.append(token)
    return tree


@cache
def _say(language: str, domain: str) -> list[Said]:
    speaker = SentenceGenerator(language)
    ids = [f"{domain}-test-{number:05}" for number in range(SAMPLE)]
    sentences = [speaker.say(domain, identity) for identity in ids]
    return [
        Said(one, grow(one), sample_meaning(domain, rng_for("meaning", one.id)))
        for one in sentences
    ]


@pytest.fixture(scope="session")
def say() -> Callable[[str, str], list[Said]]:
    """From a language and a domain to the first of their test sentences; do not change them."""
    return _say


@pytest.fixture(scope="session", params=languages())
def language(request: pytest.FixtureRequest) -> Language:
    """The description of each language in turn."""
    return load_language(request.param)


@pytest.fixture(scope="session")
def sayings(language: Language) -> list[Said]:
    """Sentences of one language in every domain."""
    return [said for domain in domains() for said in _say(language.name.lower(), domain)]


@pytest.fixture(scope="session")
def tokens(sayings: list[Said]) -> list[Token]:
    """All words of these sentences."""
    return [token for said in sayings for token in said.tree]
