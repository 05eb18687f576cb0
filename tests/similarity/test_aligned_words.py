"""Aligned words have the same mark, which occurs once in either sentence."""

import pytest

from alignscope.data.sentence import Sentence
from alignscope.errors import DataError
from alignscope.similarity.alignment import aligned_words


def sentence(*marks: str) -> Sentence:
    return Sentence(tuple("w" for _ in marks), misc=marks)


def test_words_with_the_same_mark_are_paired() -> None:
    left = [sentence("Gloss=dog", "SpaceAfter=No|Gloss=see", "_"), sentence("Gloss=a")]
    right = [sentence("_", "Gloss=see|X=1", "Gloss=dog"), sentence("Gloss=b")]
    assert aligned_words(left, right, ("a", "b")) == ([[0, 1], []], [[2, 1], []])


def test_mark_that_occurs_twice_is_ignored() -> None:
    left, right = (
        sentence("Gloss=dog", "Gloss=dog", "Gloss=cat"),
        sentence("Gloss=dog", "Gloss=cat"),
    )
    assert aligned_words([left], [right], ("a", "b")) == ([[2]], [[1]])
    assert aligned_words([right], [left], ("a", "b")) == ([[1]], [[2]])


def test_align_takes_precedence_over_gloss() -> None:
    left = sentence("Align=1|Gloss=dog", "Align=2|Gloss=cat")
    right = sentence("Align=2|Gloss=dog", "Gloss=cat")
    assert aligned_words([left], [right], ("a", "b")) == ([[1]], [[0]])
    with pytest.raises(DataError, match="a and b do not mark which words translate each other"):
        aligned_words([left], [sentence("Gloss=dog", "Gloss=1")], ("a", "b"))


def test_corpora_without_marks_are_refused() -> None:
    with pytest.raises(DataError, match="no two words have the same Align= or Gloss= in MISC"):
        aligned_words([Sentence(("a",))], [sentence("Gloss=a")], ("a", "b"))
