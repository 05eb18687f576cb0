"""Labels as class numbers, and the loss over them."""

from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from torch import Tensor
from torch.nn import functional

Value = TypeVar("Value", str, int)

IGNORED_LABEL = -100
"""The class number of a word without a loss; the default ``ignore_index`` of PyTorch."""


def to_label_ids(values: Sequence[str], labels: Sequence[str]) -> list[int]:
    """Return the position of each value among the labels, counted from 0.

    >>> to_label_ids(("VERB", "NOUN", "SYM"), ("NOUN", "VERB"))
    [1, 0, -100]

    A value that does not occur in the source becomes ``IGNORED_LABEL``. A head trained on the
    source cannot predict it, so it has no loss; in the score it counts as an error.
    """
    number = {label: position for position, label in enumerate(labels)}
    return [number.get(value, IGNORED_LABEL) for value in values]


def cross_entropy(scores: Tensor, classes: Tensor, mask: Tensor) -> Tensor:
    """Return the mean cross entropy over the words of a batch, 0 if there are none.

    Args:
        scores: Scores of labels, (batch, words, labels).
        classes: Class numbers, (batch, words). Words with ``IGNORED_LABEL`` are left out.
        mask: True where there is a word, (batch, words).
    """
    known = mask & (classes != IGNORED_LABEL)
    # Indexing by the mask would produce a data-dependent shape, which vmap does not support.
    total = functional.cross_entropy(
        scores.flatten(0, 1),
        classes.masked_fill(~known, IGNORED_LABEL).flatten(),
        ignore_index=IGNORED_LABEL,
        reduction="sum",
    )
    return total / known.sum().clamp(min=1)


def most_frequent(counts: Counter[Value]) -> Value:
    """Return the most frequent value; of equally frequent ones the first in sorted order.

    >>> most_frequent(Counter(["VERB", "NOUN", "VERB", "NOUN", "ADP"]))
    'NOUN'
    """
    return max(sorted(counts), key=counts.__getitem__)
