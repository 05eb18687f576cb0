"""The errors a user can cause; each message is one sentence: asked, found, allowed."""

from collections.abc import Iterable
from difflib import get_close_matches


class AlignScopeError(Exception):
    """A mistake in what was asked for; the command line prints it and ends with code 2."""


class DataError(AlignScopeError):
    """A corpus that is missing, unreadable or not what was asked for."""


class EncoderError(AlignScopeError):
    """An encoder that cannot be loaded or ablated as asked."""


class StackingError(EncoderError):
    """Encoders that cannot be computed as one."""


class InsufficientMemoryError(AlignScopeError):
    """A run that needs more memory than there is."""

    def __str__(self) -> str:
        return (
            f"{self.args[0]} does not fit into memory, even by itself: give it a smaller "
            "tokens_per_batch, or other work on this machine less"
        )


class StudyError(AlignScopeError):
    """A study file or a run specification that does not make sense."""


class StoreError(AlignScopeError):
    """A result folder that cannot be read or belongs to other data."""


class SimilarityError(AlignScopeError):
    """Representations that cannot be compared as asked."""


class DivergedError(AlignScopeError):
    """A fine-tuning whose loss is no longer a finite number."""


def nearest(asked: str, allowed: Iterable[str]) -> str:
    """Say what was probably meant: ``; did you mean 'seeds'?`` or nothing.

    >>> nearest("seed", ["seeds", "tasks"])
    "; did you mean 'seeds'?"
    """
    found = get_close_matches(asked, list(allowed), n=1)
    return f"; did you mean '{found[0]}'?" if found else ""
