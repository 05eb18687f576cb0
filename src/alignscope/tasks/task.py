"""The protocol that every task fulfils."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from torch import Tensor, nn

from alignscope.data.sentence import Sentence

Annotations = Mapping[str, Any]
"""New annotations of a sentence by name, as ``Sentence.annotate`` takes them."""


class Task(Protocol):
    """The steps from sentences with gold annotations to predictions and their scores.

    A task is stateless: ``labels`` holds the label inventory of the source, and the head holds
    the trained weights. The head sees word vectors, never subwords.
    """

    name: str
    metrics: tuple[str, ...]
    """Names of the scores, fractions 0-1; the first selects the epoch and comes first in tables."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The annotations that a gold sentence must have, such as ``("upos",)``."""
        ...

    def labels(self, train: Sequence[Sentence]) -> tuple[str, ...]:
        """Return the label inventory of the source's training sentences, sorted."""
        ...

    def head(self, hidden: int, labels: Sequence[str]) -> nn.Module:
        """Return a new head.

        The head maps word vectors (batch, words, hidden) and a mask (batch, words) to an output:
        a tensor or a named tuple of tensors, whose first dimension is the batch. Its weights
        are drawn from PyTorch's global generator, which the caller seeds.

        Several heads can be trained as one stack if all their parameters belong to linear
        layers, embeddings or norms. A module with parameters of its own names its stacked
        version by a static method ``stacked_module(stacked_parameter)``, as ``RootEmbedding``
        of ``alignscope.tasks.biaffine`` does.
        """
        ...

    def encode(self, sentence: Sentence, labels: Sequence[str]) -> dict[str, list[int]]:
        """Return the gold annotations as numbers.

        Each list has one entry per word, or a single entry for the whole sentence.
        """
        ...

    def loss(self, output: Any, gold: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        """Return the mean loss over the words, or over the sentences, of a batch.

        Args:
            output: The output of the head.
            gold: The lists of ``encode``, padded with 0 to (batch, words).
            mask: True where there is a word, (batch, words).
        """
        ...

    def decode(
        self, output: Any, lengths: Sequence[int], labels: Sequence[str]
    ) -> list[Annotations]:
        """Return the predicted annotations of each sentence.

        Args:
            output: The output of the head.
            lengths: The number of words of each sentence.
            labels: The label inventory of the source.
        """
        ...

    def score(self, gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> dict[str, float]:
        """Return one fraction per metric; ``gold`` and ``predicted`` must have the same words."""
        ...

    def majority(self, train: Sequence[Sentence]) -> Callable[[Sentence], Sentence]:
        """Return the baseline: a predictor based on the source's majority classes alone."""
        ...
