"""Labels as class numbers: what every head is trained on."""

from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from torch import Tensor
from torch.nn import functional

Value = TypeVar("Value", str, int)

IGNORED_LABEL = -100
"""The class number of a word that has no part in the loss; PyTorch's own ``ignore_index``."""


def to_label_ids(values: Sequence[str], labels: Sequence[str]) -> list[int]:
    """Return the position of each value among the labels, counted from 0.

    >>> to_label_ids(("VERB", "NOUN", "SYM"), ("NOUN", "VERB"))
    [1, 0, -100]

    A value that the source never showed is ``IGNORED_LABEL``: no head trained on that source can
    give it, so it has no loss; in the score it counts as the mistake it is.
    """
    number = {label: position for position, label in enumerate(labels)}
    return [number.get(value, IGNORED_LABEL) for value in values]


def cross_entropy(scores: Tensor, classes: Tensor, mask: Tensor) -> Tensor:
    """Return the mean cross entropy over the words of a batch, 0 if there are none.

    Args:
        scores: (batch, words, labels)
        classes: (batch, words), class numbers; ``IGNORED_LABEL`` ones do not count as words
        mask: (batch, words), true where there is a word
    """
    known = mask & (classes != IGNORED_LABEL)
    # No indexing by the mask: its result would have a data-dependent shape, which vmap refuses.
    total = functional.cross_entropy(
        scores.flatten(0, 1),
        classes.masked_fill(~known, IGNORED_LABEL).flatten(),
        ignore_index=IGNORED_LABEL,
        reduction="sum",
    )
    return total / known.sum().clamp(min=1)


def most_frequent(counts: Counter[Value]) -> Value:
    """Return the most frequent value, of several the first in sorted order.

    >>> most_frequent(Counter(["VERB", "NOUN", "VERB", "NOUN", "ADP"]))
    'NOUN'
    """
    return max(sorted(counts), key=counts.__getitem__)
