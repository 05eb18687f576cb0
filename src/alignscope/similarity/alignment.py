"""Pair sentences that translate each other, by id or by position, and words by their marks."""

from collections import Counter
from collections.abc import Iterable, Sequence

from alignscope.data.sentence import Sentence
from alignscope.encoders.tokenization import Text
from alignscope.errors import DataError

MARKS = ("Align", "Gloss")
"""Keys of CoNLL-U's MISC whose value a word shares with its translation, best first."""


def align(source: Sequence[Text], target: Sequence[Text], names: tuple[str, str]) -> Sequence[Text]:
    """Return ``target`` in the order of ``source``: by sentence id, or else by position.

    >>> align(["It rains.", "It snows."], ["Es regnet.", "Es schneit."], ("en", "de"))
    ['Es regnet.', 'Es schneit.']

    Ids decide if any sentence of both sides has one. Strings have no ids.

    Args:
        source: the sentences to follow.
        target: their translations.
        names: the two names that errors mention.

    Raises:
        DataError: if the numbers of sentences differ, or as `align_by_id` does.
    """
    if _has_ids(source) and _has_ids(target):
        left, right = (
            [text for text in texts if isinstance(text, Sentence)] for texts in (source, target)
        )
        return align_by_id(left, right, names)
    if len(source) != len(target):
        raise DataError(
            f"{names[0]} has {len(source)} sentences and {names[1]} has {len(target)}. Sentences "
            "without ids are paired by position, so give equally many."
        )
    return target


def _has_ids(texts: Iterable[Text]) -> bool:
    return any(isinstance(text, Sentence) and text.id is not None for text in texts)


def align_by_id(
    source: Sequence[Sentence], target: Sequence[Sentence], names: tuple[str, str]
) -> list[Sentence]:
    """Return the sentences of ``target`` in the order of ``source``, paired by their ids.

    >>> english = [Sentence(("It", "rains"), id="1"), Sentence(("It", "snows"), id="2")]
    >>> german = [Sentence(("Es", "schneit"), id="2"), Sentence(("Es", "regnet"), id="1")]
    >>> [sentence.words[1] for sentence in align_by_id(english, german, ("en", "de"))]
    ['regnet', 'schneit']

    Args:
        source: the sentences to follow.
        target: their translations, in any order.
        names: the two names that errors mention.

    Raises:
        DataError: for the first sentence without a counterpart, or for an id that is missing or
            repeated.
    """
    complaint = f"{names[0]} and {names[1]} do not line up"
    for name, sentences in zip(names, (source, target), strict=True):
        for id, count in Counter(sentence.id for sentence in sentences).items():
            if id is None:
                raise DataError(f"{complaint}: a sentence of {name} has no id.")
            if count > 1:
                raise DataError(f"{complaint}: {name} has the id {id} {count} times.")
    by_id = {sentence.id: sentence for sentence in target}
    for number, sentence in enumerate(source, start=1):
        if sentence.id not in by_id:
            raise DataError(
                f"{complaint}: sentence {number} of {names[0]}, {sentence.id}, "
                f"is missing from {names[1]}."
            )
    if len(target) > len(source):
        known = {sentence.id for sentence in source}
        extra = next(sentence.id for sentence in target if sentence.id not in known)
        raise DataError(
            f"{complaint}: {names[1]} has {len(target)} sentences and {names[0]} {len(source)}; "
            f"{extra}, for example, is missing from {names[0]}."
        )
    return [by_id[sentence.id] for sentence in source]


def aligned_words(
    source: Sequence[Sentence], target: Sequence[Sentence], names: tuple[str, str]
) -> tuple[list[list[int]], list[list[int]]]:
    """Return, for every pair of parallel sentences, which words translate each other.

    >>> dog = Sentence(("der", "Hund"), misc=("Gloss=the", "Gloss=dog"))
    >>> chien = Sentence(("le", "petit", "chien"), misc=("Gloss=the", "_", "Gloss=dog"))
    >>> aligned_words([dog], [chien], ("de", "fr"))
    ([[0, 1]], [[0, 2]])

    Two words are a pair if they have the same ``Align=``, or else ``Gloss=``, and if this value
    occurs once in either sentence.

    Args:
        source: sentences.
        target: their translations, in the same order.
        names: the two names that errors mention.

    Returns:
        For the source and for the target, the words of every sentence, counted from 0. Word i of
        one list translates word i of the other.

    Raises:
        DataError: if no two words are a pair.
    """
    words: tuple[list[list[int]], list[list[int]]] = [], []
    for left, right in zip(source, target, strict=True):
        marks = _unique_marks(left), _unique_marks(right)
        common = [mark for mark in marks[0] if mark in marks[1]]
        for side, word_of in zip(words, marks, strict=True):
            side.append([word_of[mark] for mark in common])
    if not any(words[0]):
        raise DataError(
            f"{names[0]} and {names[1]} do not mark which words translate each other: no two words "
            f"have the same {' or '.join(f'{key}=' for key in MARKS)} in MISC. Compare sentences "
            "instead."
        )
    return words


def _unique_marks(sentence: Sentence) -> dict[str, int]:
    """Return the word of each mark that occurs once, by the best key that the sentence has."""
    for key in MARKS:
        marks = [_mark(cell, key) for cell in sentence.misc or ()]
        counts = Counter(marks)
        if any(marks):
            return {mark: i for i, mark in enumerate(marks) if mark and counts[mark] == 1}
    return {}


def _mark(cell: str, key: str) -> str:
    for pair in cell.split("|"):
        name, _, value = pair.partition("=")
        if name == key:
            return f"{key}={value}"
    return ""
