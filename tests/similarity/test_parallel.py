"""Corpora that do not line up are refused."""

from collections.abc import Sequence

import pytest

from alignscope.data.sentence import Sentence
from alignscope.errors import DataError
from alignscope.similarity.parallel import check_parallel


def corpus(ids: Sequence[str | None]) -> list[Sentence]:
    return [Sentence(("a",), id=one) for one in ids]


def test_the_same_ids_line_up() -> None:
    check_parallel(corpus(["x", "y"]), corpus(["x", "y"]), ("en", "de"))


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        (["x", "y"], ["x", "z"], "en and de do not line up: sentence 2 is y in one and z in the"),
        (["x", None], ["x", None], "sentence 2 is None in one"),
        (["x", "y"], ["x"], "one has 2 sentences, the other 1"),
        (["x", "x"], ["x", "x"], "more than once"),
    ],
)
def test_others_do_not(left: list[str], right: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_parallel(corpus(left), corpus(right), ("en", "de"))
