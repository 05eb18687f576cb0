"""The model of a task: an encoder, one vector per word, and a head."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from alignscope._util.seeding import derive_seed
from alignscope.encoders.batching import Batch
from alignscope.tasks.task import Task


class TaskModel(nn.Module):
    """An encoder and a head. Between them the subwords of each word are averaged."""

    def __init__(self, encoder: PreTrainedModel, head: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, batch: Batch) -> Any:
        """Return the head's output for a batch."""
        return self.head(self.words(batch), batch.mask)

    def words(self, batch: Batch) -> Tensor:
        """Return word vectors (sentences, words, hidden), which are zero where there is no word."""
        output = self.encoder(input_ids=batch.ids, attention_mask=batch.attention_mask)
        hidden: Tensor = output.last_hidden_state.flatten(0, 1)
        sentences, words = batch.mask.shape
        subwords = hidden[batch.subword_index]
        total = subwords.new_zeros(sentences * words, hidden.shape[-1])
        total = total.index_add(0, batch.word_index, subwords)
        count = subwords.new_zeros(sentences * words)
        count = count.index_add(0, batch.word_index, subwords.new_ones(len(subwords)))
        return (total / count.clamp(min=1)[:, None]).view(sentences, words, -1)


def build_model(
    encoder: PreTrainedModel, task: Task, labels: Sequence[str], seed: int
) -> TaskModel:
    """Put a fresh head on an encoder.

    Args:
        encoder: the encoder, which is not copied.
        task: the task of the head.
        labels: the label inventory of the source.
        seed: the only thing on which the head's random weights depend.
    """
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(seed, "head"))
        return TaskModel(encoder, task.head(encoder.config.hidden_size, labels))
