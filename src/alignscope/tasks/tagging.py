"""What the tasks that give each word one label have in common."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from alignscope.data.sentence import Sentence
from alignscope.errors import DataError
from alignscope.tasks.annotations import get_annotation
from alignscope.tasks.label_ids import cross_entropy, most_frequent, to_label_ids
from alignscope.tasks.task import Annotations


class TaggingHead(nn.Module):
    """Dropout and one linear layer, as in BERT's token classification (arXiv 1810.04805, §5.3).

    >>> import torch
    >>> TaggingHead(hidden=8, labels=3)(torch.zeros(2, 5, 8), torch.ones(2, 5).bool()).shape
    torch.Size([2, 5, 3])
    """

    DROPOUT = 0.1

    def __init__(self, hidden: int, labels: int) -> None:
        super().__init__()
        self.dropout = nn.Dropout(self.DROPOUT)
        self.linear = nn.Linear(hidden, labels)

    def forward(self, words: Tensor, mask: Tensor) -> Tensor:
        """Score every label: (batch, words, hidden) to (batch, words, labels).

        ``mask`` is not needed, because no word looks at another.
        """
        scores: Tensor = self.linear(self.dropout(words))
        return scores


class TokenTagging:
    """One label per word, kept in one field of a ``Sentence``.

    A subclass says which field it needs, under which name, and how it is scored:

    >>> class Shouting(TokenTagging):
    ...     name, needs, metrics = "shouting", ("upos",), ("accuracy",)
    >>> train = [Sentence(words=("NO", "thanks"), upos=("LOUD", "CALM"))]
    >>> Shouting().labels(train)
    ('CALM', 'LOUD')
    >>> Shouting().encode(train[0], ("CALM", "LOUD"))
    {'upos': [1, 0]}

    Everything else is the contract of ``alignscope.tasks.task.Task``.
    """

    name: str
    needs: tuple[str, ...]
    metrics: tuple[str, ...]

    @property
    def field(self) -> str:
        """The field of a ``Sentence`` that holds the labels: the only one that is needed."""
        (field,) = self.needs
        return field

    def labels(self, train: Sequence[Sentence]) -> tuple[str, ...]:
        """Return the labels of the source, sorted.

        Raises:
            DataError: if there is not one word to learn a label from.
        """
        return tuple(sorted(self._counts(train)))

    def head(self, hidden: int, labels: Sequence[str]) -> TaggingHead:
        """Return a new linear head."""
        return TaggingHead(hidden, len(labels))

    def encode(self, sentence: Sentence, labels: Sequence[str]) -> dict[str, list[int]]:
        """Return the class number of every word, ``IGNORED_LABEL`` for unknown labels."""
        return {self.field: to_label_ids(get_annotation(sentence, self.field), labels)}

    def loss(self, output: Tensor, gold: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        """Return the mean cross entropy; ``output`` is (batch, words, labels)."""
        return cross_entropy(output, gold[self.field], mask)

    def decode(
        self, output: Tensor, lengths: Sequence[int], labels: Sequence[str]
    ) -> list[Annotations]:
        """Return the best label of every word."""
        best = output.argmax(dim=-1).tolist()
        return [
            {self.field: tuple(labels[number] for number in row[:length])}
            for row, length in zip(best, lengths, strict=True)
        ]

    def majority(self, train: Sequence[Sentence]) -> Callable[[Sentence], Sentence]:
        """Return the predictor that gives every word the source's most frequent label."""
        label = most_frequent(self._counts(train))

        def predict(sentence: Sentence) -> Sentence:
            annotations: dict[str, Any] = {self.field: (label,) * len(sentence)}
            return replace(sentence, **annotations)

        return predict

    def _counts(self, train: Sequence[Sentence]) -> Counter[str]:
        counts = Counter(
            label for sentence in train for label in get_annotation(sentence, self.field)
        )
        if not counts:
            raise DataError(f"{self.name} needs sentences with {self.field}, found not one word")
        return counts
