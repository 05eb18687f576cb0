"""Read annotations, and pair gold sentences with predicted ones."""

from collections.abc import Sequence
from textwrap import shorten
from typing import Any

from alignscope.data.sentence import Sentence
from alignscope.errors import DataError


def get_annotation(sentence: Sentence, name: str) -> tuple[Any, ...]:
    """Return an annotation of the words of a sentence.

    >>> get_annotation(Sentence(words=("Dogs", "bark"), upos=("NOUN", "VERB")), "upos")
    ('NOUN', 'VERB')

    Raises:
        DataError: if the sentence does not have it, or has it for the whole sentence only.
    """
    values = sentence.annotations.get(name)
    if not isinstance(values, tuple):
        raise _missing(sentence, name)
    return values


def get_label(sentence: Sentence, name: str = "label") -> str:
    """Return an annotation of a whole sentence.

    >>> get_label(Sentence(words=("Dogs", "bark"), label="animals"))
    'animals'

    Raises:
        DataError: if the sentence does not have it, or has it for each word.
    """
    value = sentence.annotations.get(name)
    if not isinstance(value, str):
        raise _missing(sentence, name)
    return value


def _missing(sentence: Sentence, name: str) -> DataError:
    return DataError(f"Sentence {sentence.id or _text(sentence)!r} has no {name}.")


def pair_sentences(
    gold: Sequence[Sentence], predicted: Sequence[Sentence]
) -> list[tuple[Sentence, Sentence]]:
    """Pair gold sentences with predicted ones, which must have the same words.

    >>> dogs = Sentence(words=("Dogs", "bark"))
    >>> len(pair_sentences([dogs, dogs], [dogs, dogs]))
    2

    Raises:
        ValueError: if the numbers of sentences, or the words of a sentence, differ. Scoring
            such lists would be a programming error.
    """
    if len(gold) != len(predicted):
        raise ValueError(
            f"There are {len(gold)} gold sentences, but {len(predicted)} predicted ones. "
            "Pass one prediction per gold sentence."
        )
    paired = list(zip(gold, predicted, strict=True))
    for number, (sentence, prediction) in enumerate(paired, start=1):
        if sentence.words != prediction.words:
            raise ValueError(
                f"Sentence {number} has {len(sentence)} gold words ({_text(sentence)}), "
                f"but {len(prediction)} predicted ones ({_text(prediction)}). "
                "Predict the same words."
            )
    return paired


def ratio(correct: int, total: int, unit: str = "word") -> float:
    """Return the share of words, or of another unit, that are correct.

    >>> ratio(3, 4)
    0.75

    Raises:
        DataError: if ``total`` is 0, because 0 of 0 is undefined.
    """
    if not total:
        raise DataError(f"Nothing can be scored, because there are no {unit}s.")
    return correct / total


def _text(sentence: Sentence) -> str:
    return shorten(" ".join(sentence.words), width=60, placeholder=" …")
