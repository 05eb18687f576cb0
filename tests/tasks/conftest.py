"""Fixtures for the tests of tasks: random gold sentences, and real ones where they are."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from alignscope.data.sentence import Sentence

UPOS = ("ADJ", "NOUN", "PUNCT", "VERB")
RELATIONS = ("nsubj", "nsubj:pass", "obj", "obl:tmod", "punct")
TYPES = ("LOC", "PER")


def random_tree(words: int, draw: random.Random) -> tuple[int, ...]:
    """Return heads of a tree with a single root: each word hangs from one placed before it."""
    order = draw.sample(range(1, words + 1), words)
    head_of = {order[0]: 0}
    for position, word in enumerate(order[1:], start=1):
        head_of[word] = draw.choice(order[:position])
    return tuple(head_of[word] for word in range(1, words + 1))


def random_sentence(number: int, words: int, draw: random.Random) -> Sentence:
    """Return a sentence with every annotation, well-formed, and with at least one entity."""
    heads = random_tree(words, draw)
    tags = [draw.choice(("O", *(f"B-{name}" for name in TYPES))) for _ in range(words)]
    tags[0] = "B-PER"
    for i in range(1, words):
        if tags[i] == "O" and tags[i - 1] != "O" and draw.random() < 0.5:
            tags[i] = "I-" + tags[i - 1][2:]
    return Sentence(
        words=tuple(f"w{number}.{i}" for i in range(1, words + 1)),
        upos=tuple(draw.choice(UPOS) for _ in range(words)),
        heads=heads,
        relations=tuple(draw.choice(RELATIONS) if head else "root" for head in heads),
        entities=tuple(tags),
    )


@pytest.fixture
def gold() -> list[Sentence]:
    """Seven sentences of 1 to 9 words, each with every annotation."""
    draw = random.Random(7)
    return [random_sentence(i, words, draw) for i, words in enumerate((5, 1, 9, 2, 3, 7, 4))]


@pytest.fixture
def tree() -> Callable[[int, random.Random], tuple[int, ...]]:
    """From a number of words and a generator to the heads of a random tree."""
    return random_tree


@pytest.fixture(scope="session")
def treebanks(real_data: Path) -> Path:
    """The folder of real treebanks."""
    return real_data / "ud"
