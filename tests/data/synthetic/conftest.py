"""Fixtures for the tests of the synthetic languages: their sentences as navigable trees."""

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
"""Number of sentences of each language and domain that the tests read."""


@dataclass(eq=False)
class Token:
    """A word of a finished sentence, with its dependents."""

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
        dependents = self.all(relation)
        assert len(dependents) <= 1, f"{len(dependents)} {relation} under {self.gloss}"
        return dependents[0] if dependents else None

    @property
    def span(self) -> list["Token"]:
        """This word and all its descendants."""
        return [self, *(token for child in self.below for token in child.span)]

    @property
    def side(self) -> str:
        """Whether it stands before or after its head."""
        assert self.head is not None
        return "before" if self.place < self.head.place else "after"


Tree = list[Token]


@dataclass
class Generated:
    """A generated sentence, its tree and its meaning."""

    sentence: Sentence
    tree: Tree
    meaning: Clause

    @property
    def root(self) -> Token:
        (root,) = (token for token in self.tree if token.head is None)
        return root


def build_tree(sentence: Sentence) -> Tree:
    """Build the tree of a sentence from its columns."""
    columns = zip(sentence.words, sentence.upos, sentence.relations, sentence.misc, strict=True)
    tree = [
        Token(place, form, upos, relation, misc.split("|")[0].removeprefix("Gloss="))
        for place, (form, upos, relation, misc) in enumerate(columns, start=1)
    ]
    for token, head in zip(tree, sentence.heads, strict=True):
        if head:
            token.head = tree[head - 1]
            token.head.below.append(token)
    return tree


@cache
def _generate(language: str, domain: str) -> list[Generated]:
    generator = SentenceGenerator(language)
    ids = [f"{domain}-test-{number:05}" for number in range(SAMPLE)]
    sentences = [generator.sentence(domain, sentence_id) for sentence_id in ids]
    return [
        Generated(
            sentence,
            build_tree(sentence),
            sample_meaning(domain, rng_for("meaning", sentence.id)),
        )
        for sentence in sentences
    ]


@pytest.fixture(scope="session")
def generate() -> Callable[[str, str], list[Generated]]:
    """Return the first test sentences of a language and a domain; do not change them."""
    return _generate


@pytest.fixture(scope="session", params=languages())
def language(request: pytest.FixtureRequest) -> Language:
    """The description of each language in turn."""
    return load_language(request.param)


@pytest.fixture(scope="session")
def sentences(language: Language) -> list[Generated]:
    """Sentences of one language in every domain."""
    return [item for domain in domains() for item in _generate(language.name.lower(), domain)]


@pytest.fixture(scope="session")
def tokens(sentences: list[Generated]) -> list[Token]:
    """All words of these sentences."""
    return [token for item in sentences for token in item.tree]
