"""Parallel corpora: the same sentences in two languages, paired by their ids."""

from collections.abc import Sequence

from alignscope.data.sentence import Sentence
from alignscope.errors import DataError


def check_parallel(
    left: Sequence[Sentence], right: Sequence[Sentence], names: tuple[str, str]
) -> None:
    """Make sure that sentence i of both is the same by its id; ``names`` are for the error.

    Raises:
        DataError: for the first that is not, if lengths differ, or an id is missing or repeated.
    """
    both = f"{names[0]} and {names[1]} do not line up"
    for place, (one, other) in enumerate(zip(left, right, strict=False), start=1):
        if one.id is None or one.id != other.id:
            raise DataError(
                f"{both}: sentence {place} is {one.id} in one and {other.id} in the other"
            )
    if len(left) != len(right):
        raise DataError(f"{both}: one has {len(left)} sentences, the other {len(right)}")
    if len({sentence.id for sentence in left}) < len(left):
        raise DataError(f"{both}: some sentence ids are there more than once")
