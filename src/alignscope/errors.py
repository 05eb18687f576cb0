"""The errors that a user can cause. Each message names the problem, the value and the remedy."""

from collections.abc import Iterable
from difflib import get_close_matches


class AlignScopeError(Exception):
    """A mistake in the input; the command line prints it and exits with code 2."""


class DataError(AlignScopeError):
    """A corpus is missing, cannot be read, or lacks what the task needs."""


class EncoderError(AlignScopeError):
    """An encoder cannot be loaded, or not re-initialised as specified."""


class StackingError(EncoderError):
    """Models cannot be computed as one stacked model."""


class InsufficientMemoryError(AlignScopeError):
    """A single run needs more memory than there is; the argument is the run's label."""

    def __str__(self) -> str:
        return (
            f"{self.args[0]} does not fit in memory even on its own. "
            "Reduce `tokens_per_batch`, or free memory on this machine."
        )


class StudyError(AlignScopeError):
    """A study file, an option or a run specification is not valid."""


class TaskCheckError(AlignScopeError):
    """A task does not do what training, prediction or scoring rely on."""


class StoreError(AlignScopeError):
    """A result folder cannot be read or written, or belongs to other data."""


class SimilarityError(AlignScopeError):
    """Representations cannot be compared as specified."""


class DivergedError(AlignScopeError):
    """The loss of a fine-tuning is no longer a finite number."""


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Return a hint at the closest allowed name, or an empty string if none is close.

    >>> nearest("seed", ["seeds", "tasks"])
    "; did you mean 'seeds'?"
    """
    matches = get_close_matches(name, list(allowed), n=1)
    return f"; did you mean '{matches[0]}'?" if matches else ""
