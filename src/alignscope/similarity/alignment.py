"""Parallel corpora: the same sentences in two languages, paired by their ids."""

from collections import Counter
from collections.abc import Sequence

from alignscope.data.sentence import Sentence
from alignscope.errors import DataError


def align_by_id(
    left: Sequence[Sentence], right: Sequence[Sentence], names: tuple[str, str]
) -> list[Sentence]:
    """Return the sentences of ``right`` in the order of ``left``, by their ids.

    >>> aligned = align_by_id(english, german[::-1], ("en", "de"))
    >>> [sentence.id for sentence in aligned] == [sentence.id for sentence in english]
    True

    ``names`` are for the error.

    Raises:
        DataError: for the first sentence that is in one of them only, or an id that is missing or
            repeated.
    """
    both = f"{names[0]} and {names[1]} do not line up"
    for name, sentences in zip(names, (left, right), strict=True):
        for id, count in Counter(sentence.id for sentence in sentences).items():
            if id is None:
                raise DataError(f"{both}: a sentence of {name} has no id")
            if count > 1:
                raise DataError(f"{both}: {name} has the id {id} {count} times")
    found = {sentence.id: sentence for sentence in right}
    for place, sentence in enumerate(left, start=1):
        if sentence.id not in found:
            raise DataError(
                f"{both}: sentence {place} of {names[0]}, {sentence.id}, is not in {names[1]}"
            )
    if len(right) > len(left):
        known = {sentence.id for sentence in left}
        extra = next(sentence.id for sentence in right if sentence.id not in known)
        raise DataError(
            f"{both}: {names[1]} has {len(right)} sentences, {names[0]} {len(left)}, not {extra}"
        )
    return [found[sentence.id] for sentence in left]


KEYS = ("Align", "Gloss")
"""What CoNLL-U's MISC may hold of a word that its translation holds too, best first."""


def aligned_words(
    left: Sequence[Sentence], right: Sequence[Sentence], names: tuple[str, str]
) -> tuple[list[list[int]], list[list[int]]]:
    """Return, for every pair of parallel sentences, the places of words that translate each other.

    >>> dog = Sentence(("der", "Hund"), misc=("Gloss=the", "Gloss=dog"))
    >>> chien = Sentence(("le", "petit", "chien"), misc=("Gloss=the", "_", "Gloss=dog"))
    >>> aligned_words([dog], [chien], ("de", "fr"))
    ([[0, 1]], [[0, 2]])

    Places count from 0; word i of one list stands for word i of the other. A pair is two words
    whose ``Align=``, or else ``Gloss=``, is the same and is there once in either sentence.

    Raises:
        DataError: if there is not one pair; ``names`` are for the error.
    """
    places: tuple[list[list[int]], list[list[int]]] = [], []
    for one, other in zip(left, right, strict=True):
        marks = _marks(one), _marks(other)
        common = [mark for mark in marks[0] if mark in marks[1]]
        for found, own in zip(places, marks, strict=True):
            found.append([own[mark] for mark in common])
    if not any(places[0]):
        raise DataError(
            f"{names[0]} and {names[1]} do not say which words translate each other: no two have "
            f"the same {' or '.join(f'{key}=' for key in KEYS)} in MISC"
        )
    return places


def _marks(sentence: Sentence) -> dict[str, int]:
    """Where each mark is that is there once, by the best key that the sentence has."""
    for key in KEYS:
        marks = [_value(cell, key) for cell in sentence.misc or ()]
        counts = Counter(marks)
        if any(marks):
            return {mark: i for i, mark in enumerate(marks) if mark and counts[mark] == 1}
    return {}


def _value(cell: str, key: str) -> str:
    for pair in cell.split("|"):
        name, _, value = pair.partition("=")
        if name == key:
            return f"{key}={value}"
    return ""
