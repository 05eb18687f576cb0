"""Sentences are paired by their ids; corpora that do not line up are refused."""

from collections.abc import Sequence

import pytest

from alignscope.data.sentence import Sentence
from alignscope.errors import DataError
from alignscope.similarity.alignment import align_by_id


def corpus(ids: Sequence[str | None]) -> list[Sentence]:
    return [Sentence((f"w{place}",), id=one) for place, one in enumerate(ids)]


def test_sentences_are_paired_by_their_ids_in_any_order() -> None:
    left, right = corpus(["x", "y", "z"]), corpus(["z", "x", "y"])
    assert align_by_id(left, right, ("en", "de")) == [right[1], right[2], right[0]]
    assert align_by_id(left, left, ("en", "de")) == left


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        (
            ["x", "y"],
            ["x", "z"],
            "en and de do not line up: sentence 2 of en, y, is missing from de",
        ),
        (["x", None], ["x", "y"], "a sentence of en has no id"),
        (["x", "y"], ["x"], "sentence 2 of en, y, is missing from de"),
        (["x"], ["y", "x"], "de has 2 sentences and en 1; y, for example, is missing from en"),
        (["x", "y"], ["x", "x"], "de has the id x 2 times"),
    ],
)
def test_corpora_that_do_not_line_up_are_refused(
    left: list[str], right: list[str], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        align_by_id(corpus(left), corpus(right), ("en", "de"))
