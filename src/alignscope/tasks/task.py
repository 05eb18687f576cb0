"""What a task is: the one protocol that POS tagging, parsing and NER fulfil."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from torch import Tensor, nn

from alignscope.data.sentence import Sentence

Annotations = Mapping[str, Any]
"""New values for fields of a ``Sentence``, ready for ``dataclasses.replace``."""


class Task(Protocol):
    """From words with gold annotations to predictions and their scores.

    A task is stateless: what it learns from the source lives in ``labels``, what is trained
    in the head. The head sees word vectors, never sub-words.
    """

    name: str
    needs: tuple[str, ...]
    """The annotations of a ``Sentence`` that must be there, such as ``("upos",)``."""
    metrics: tuple[str, ...]
    """Names of the scores, fractions 0-1; the first one selects the epoch and leads the tables."""

    def labels(self, train: Sequence[Sentence]) -> tuple[str, ...]:
        """Return the label inventory of the source's training sentences, sorted."""
        ...

    def head(self, hidden: int, labels: Sequence[str]) -> nn.Module:
        """Return a new head: word vectors (batch, words, hidden) and mask (batch, words) to output.

        Its weights are drawn from the global generator, which the caller seeds.
        """
        ...

    def encode(self, sentence: Sentence, labels: Sequence[str]) -> dict[str, list[int]]:
        """Return the gold annotation as numbers, each list with one entry per word."""
        ...

    def loss(self, output: Any, gold: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        """Return the mean loss over the words of a batch.

        ``gold`` holds what ``encode`` gave, padded to (batch, words) with 0; ``mask`` is true
        where there is a word, (batch, words).
        """
        ...

    def decode(
        self, output: Any, lengths: Sequence[int], labels: Sequence[str]
    ) -> list[Annotations]:
        """Return the predicted annotations of each sentence; ``lengths`` counts its words."""
        ...

    def score(self, gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> dict[str, float]:
        """Return one fraction per metric; ``gold`` and ``predicted`` must have the same words."""
        ...

    def majority(self, train: Sequence[Sentence]) -> Callable[[Sentence], Sentence]:
        """Return the baseline: a predictor that knows nothing but the source's majority classes."""
        ...
