"""Parallel corpora: the same sentences in two languages, paired by their ids."""

from collections import Counter
from collections.abc import Sequence

from alignscope.data.sentence import Sentence
from alignscope.errors import DataError


def align(
    left: Sequence[Sentence], right: Sequence[Sentence], names: tuple[str, str]
) -> list[Sentence]:
    """Return the sentences of ``right`` in the order of ``left``, by their ids.

    >>> [one.id for one in align(english, german[::-1], ("en", "de"))] == [e.id for e in english]
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
