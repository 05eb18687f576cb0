"""Sentence classification: one label for a sentence (topic) or for a pair of sentences (NLI)."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from torch import Tensor, nn

from alignscope.data.sentence import Sentence
from alignscope.errors import DataError
from alignscope.tasks.annotations import get_label, pair_sentences, ratio
from alignscope.tasks.label_ids import cross_entropy, most_frequent, to_label_ids
from alignscope.tasks.task import Annotations

LABEL = "label"
"""The annotation of a ``Sentence`` that holds the label."""


class MeanPoolingHead(nn.Module):
    """The mean of the word vectors of a sentence, then dropout and one linear layer.

    >>> import torch
    >>> head = MeanPoolingHead(hidden=8, labels=3)
    >>> head(torch.zeros(2, 5, 8), torch.ones(2, 5).bool()).shape
    torch.Size([2, 3])

    All words count, those of both sentences of a pair. Special tokens such as ``[CLS]`` do not,
    because re-initialised blocks lose what pretraining taught them about these tokens first.
    """

    DROPOUT = 0.1

    def __init__(self, hidden: int, labels: int) -> None:
        super().__init__()
        self.dropout = nn.Dropout(self.DROPOUT)
        self.linear = nn.Linear(hidden, labels)

    def forward(self, words: Tensor, mask: Tensor) -> Tensor:
        """Return the score of every label, (batch, labels).

        Args:
            words: Word vectors, (batch, words, hidden).
            mask: True where there is a word, (batch, words).
        """
        present = mask.unsqueeze(-1)
        total = words.masked_fill(~present, 0).sum(dim=1)
        mean = total / present.sum(dim=1).clamp(min=1)
        scores: Tensor = self.linear(self.dropout(mean))
        return scores


class SentenceClassification:
    """One label per sentence or pair, scored by accuracy and macro F1.

    >>> gold = [Sentence(("Goal", "!"), label="sport"), Sentence(("Rain", "."), label="weather")]
    >>> wrong = [sentence.annotate(label="sport") for sentence in gold]
    >>> SentenceClassification().score(gold, wrong)
    {'accuracy': 0.5, 'macro_f1': 0.3333333333333333}

    The methods fulfil the protocol ``alignscope.tasks.task.Task``.
    """

    name = "classification"
    needs: tuple[str, ...] = (LABEL,)
    metrics: tuple[str, ...] = ("accuracy", "macro_f1")

    def labels(self, train: Sequence[Sentence]) -> tuple[str, ...]:
        """Return the labels of the source, sorted.

        Raises:
            DataError: if ``train`` is empty, or a sentence has no label.
        """
        return tuple(sorted(self._counts(train)))

    def head(self, hidden: int, labels: Sequence[str]) -> MeanPoolingHead:
        """Return a new linear head over the mean of the word vectors."""
        return MeanPoolingHead(hidden, len(labels))

    def encode(self, sentence: Sentence, labels: Sequence[str]) -> dict[str, list[int]]:
        """Return the id of the label, ``IGNORED_LABEL`` for a label that the source lacks."""
        return {LABEL: to_label_ids((get_label(sentence, LABEL),), labels)}

    def loss(self, output: Tensor, gold: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        """Return the mean cross entropy over sentences; ``output`` is (batch, labels)."""
        # The single entry of a sentence is in the first column, where every sentence has a word.
        return cross_entropy(output.unsqueeze(1), gold[LABEL][:, :1], mask[:, :1])

    def decode(
        self, output: Tensor, lengths: Sequence[int], labels: Sequence[str]
    ) -> list[Annotations]:
        """Return the best label of every sentence; ``lengths`` is unused."""
        return [{LABEL: labels[label_id]} for label_id in output.argmax(dim=-1).tolist()]

    def score(self, gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> dict[str, float]:
        """Return the accuracy, and the mean F1 over all labels that occur in either.

        Raises:
            ValueError: if gold and predicted do not have the same words.
            DataError: if there are no sentences, or a sentence has no label.
        """
        pairs = [
            (get_label(sentence, LABEL), get_label(prediction, LABEL))
            for sentence, prediction in pair_sentences(gold, predicted)
        ]
        correct = sum(expected == predicted_label for expected, predicted_label in pairs)
        return {"accuracy": ratio(correct, len(pairs), "sentence"), "macro_f1": _macro_f1(pairs)}

    def sentence_counts(
        self, gold: Sequence[Sentence], predicted: Sequence[Sentence]
    ) -> list[tuple[int, int]]:
        """Return, for every sentence, 1 or 0 for a right or wrong label, and 1."""
        return [
            (int(get_label(sentence, LABEL) == get_label(prediction, LABEL)), 1)
            for sentence, prediction in pair_sentences(gold, predicted)
        ]

    def majority(self, train: Sequence[Sentence]) -> Callable[[Sentence], Sentence]:
        """Return the predictor that assigns the source's most frequent label to every sentence."""
        label = most_frequent(self._counts(train))
        return lambda sentence: sentence.annotate(label=label)

    def _counts(self, train: Sequence[Sentence]) -> Counter[str]:
        counts = Counter(get_label(sentence, LABEL) for sentence in train)
        if not counts:
            raise DataError(f"The task {self.name} needs labelled sentences, but there are none.")
        return counts


def _macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """Return the unweighted mean of the F1 of each label in (gold, predicted) pairs."""
    correct = Counter(gold for gold, predicted in pairs if gold == predicted)
    occurrences = Counter(label for pair in pairs for label in pair)
    return sum(2 * correct[label] / occurrences[label] for label in occurrences) / len(occurrences)
