"""Fixtures for the tests of tasks: random gold sentences, and real treebanks if available."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from alignscope.data.sentence import Sentence
from alignscope.tasks.check_inputs import random_sentences, random_tree


@pytest.fixture
def gold() -> list[Sentence]:
    """Seven sentences of 1 to 9 words, each with every annotation."""
    return random_sentences()


@pytest.fixture
def tree() -> Callable[[int, random.Random], tuple[int, ...]]:
    """Return a function from a number of words and a generator to the heads of a random tree."""
    return random_tree


@pytest.fixture(scope="session")
def treebanks(real_data: Path) -> Path:
    """The folder of real treebanks."""
    return real_data / "ud"
