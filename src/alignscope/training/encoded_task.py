"""A task together with everything that turns its sentences into batches and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from alignscope.config.run import TrainingConfig
from alignscope.data.sentence import Sentence
from alignscope.encoders.batching import Batch, EncodedSentence, collate
from alignscope.encoders.precision import to_float32
from alignscope.encoders.tokenization import WordTokenizer
from alignscope.tasks.task import Annotations, Task


@dataclass(frozen=True)
class EncodedTask:
    """A task, its label inventory, a tokenizer and a training configuration.

    Fine-tuning and prediction share one, so that both use the same labels and the same subwords.
    """

    task: Task
    labels: Sequence[str]
    """The label inventory of the source's training sentences, as `Task.labels` returns it."""
    tokenizer: WordTokenizer
    config: TrainingConfig

    def encode(self, sentences: Sequence[Sentence]) -> list[EncodedSentence]:
        """Return the subwords and the gold labels of each sentence."""
        return [
            EncodedSentence(subwords, self.task.encode(sentence, self.labels))
            for sentence, subwords in zip(sentences, self.tokenizer.split(sentences), strict=True)
        ]

    def encode_unlabelled(self, sentences: Sequence[Sentence]) -> list[EncodedSentence]:
        """Return the subwords of each sentence, which needs no annotation."""
        return [EncodedSentence(subwords, {}) for subwords in self.tokenizer.split(sentences)]

    def collate(self, encoded: Sequence[EncodedSentence]) -> Batch:
        """Pad encoded sentences to one batch."""
        return collate(encoded, self.tokenizer.pad, self.config.pooling)

    def loss(self, output: Any, batch: Batch) -> Tensor:
        """Return the mean loss of one model's output over the words of a batch, in float32."""
        return self.task.loss(to_float32(output), batch.gold, batch.mask)

    def decode(self, output: Any, batch: Batch) -> list[Annotations]:
        """Return the annotations that one model's output predicts, by sentence of the batch."""
        lengths = batch.mask.sum(dim=1).tolist()
        return self.task.decode(to_float32(output), lengths, self.labels)

    def primary_score(self, gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> float:
        """Return the task's first metric, a fraction."""
        return self.task.score(gold, predicted)[self.task.metrics[0]]
