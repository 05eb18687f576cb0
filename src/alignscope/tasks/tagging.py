"""Tasks that assign one label to each word, and their head."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from operator import eq

from torch import Tensor, nn

from alignscope.data.sentence import Sentence
from alignscope.errors import DataError
from alignscope.tasks.annotations import get_annotation, pair_sentences, ratio
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
        """Return the score of every label, (batch, words, labels), for word vectors.

        The mask is unused, because the layer treats every word separately.

        Args:
            words: Word vectors, (batch, words, hidden).
            mask: True where there is a word, (batch, words).
        """
        scores: Tensor = self.linear(self.dropout(words))
        return scores


class TokenTagging:
    """A task that assigns one label to each word; a subclass names the annotation.

    >>> class Emphasis(TokenTagging):
    ...     name, annotation = "emphasis", "emphasis"
    >>> train = [Sentence(words=("NO", "thanks"), emphasis=("LOUD", "CALM"))]
    >>> Emphasis().labels(train)
    ('CALM', 'LOUD')
    >>> Emphasis().encode(train[0], ("CALM", "LOUD"))
    {'emphasis': [1, 0]}
    >>> Emphasis().score(train, train)
    {'accuracy': 1.0}

    A subclass that sets other ``metrics`` overrides ``score``. The methods fulfil the protocol
    ``alignscope.tasks.task.Task``.
    """

    name: str
    annotation: str
    """The annotation of a ``Sentence`` that holds the labels, such as ``upos``."""
    metrics: tuple[str, ...] = ("accuracy",)

    @property
    def needs(self) -> tuple[str, ...]:
        """The annotations that a gold sentence must have."""
        return (self.annotation,)

    def labels(self, train: Sequence[Sentence]) -> tuple[str, ...]:
        """Return the labels of the source, sorted.

        Raises:
            DataError: if ``train`` has no words.
        """
        return tuple(sorted(self._counts(train)))

    def head(self, hidden: int, labels: Sequence[str]) -> TaggingHead:
        """Return a new linear head."""
        return TaggingHead(hidden, len(labels))

    def encode(self, sentence: Sentence, labels: Sequence[str]) -> dict[str, list[int]]:
        """Return the label id of every word, ``IGNORED_LABEL`` for unknown labels."""
        return {self.annotation: to_label_ids(get_annotation(sentence, self.annotation), labels)}

    def loss(self, output: Tensor, gold: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        """Return the mean cross entropy over words; ``output`` is (batch, words, labels)."""
        return cross_entropy(output, gold[self.annotation], mask)

    def decode(
        self, output: Tensor, lengths: Sequence[int], labels: Sequence[str]
    ) -> list[Annotations]:
        """Return the best label of every word."""
        best = output.argmax(dim=-1).tolist()
        return [
            {self.annotation: tuple(labels[label_id] for label_id in row[:length])}
            for row, length in zip(best, lengths, strict=True)
        ]

    def score(self, gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> dict[str, float]:
        """Return the accuracy over all words.

        Raises:
            ValueError: if gold and predicted do not have the same words.
            DataError: if there are no words, or a sentence lacks the annotation.
        """
        counts = TokenTagging.sentence_counts(self, gold, predicted)
        correct, words = (sum(column) for column in zip((0, 0), *counts, strict=True))
        return {"accuracy": ratio(correct, words)}

    def sentence_counts(
        self, gold: Sequence[Sentence], predicted: Sequence[Sentence]
    ) -> list[tuple[int, int]]:
        """Return the numbers of correct labels and of words of every sentence."""
        pairs = [
            (get_annotation(sentence, self.annotation), get_annotation(prediction, self.annotation))
            for sentence, prediction in pair_sentences(gold, predicted)
        ]
        return [(sum(map(eq, *pair)), len(pair[0])) for pair in pairs]

    def majority(self, train: Sequence[Sentence]) -> Callable[[Sentence], Sentence]:
        """Return the predictor that assigns the source's most frequent label to every word."""
        label = most_frequent(self._counts(train))

        def predict(sentence: Sentence) -> Sentence:
            return sentence.annotate(**{self.annotation: (label,) * len(sentence)})

        return predict

    def _counts(self, train: Sequence[Sentence]) -> Counter[str]:
        counts = Counter(
            label for sentence in train for label in get_annotation(sentence, self.annotation)
        )
        if not counts:
            raise DataError(
                f"The task {self.name} needs words with {self.annotation}, but there are none."
            )
        return counts
