"""A model: an encoder, one vector per word, and a task's head."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from alignscope._util.seeding import derive_seed
from alignscope.encoders.batching import Batch
from alignscope.tasks.task import Task


class TaskModel(nn.Module):
    """Encoder and head; between them the pieces of each word are averaged, once."""

    def __init__(self, encoder: PreTrainedModel, head: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, batch: Batch) -> Any:
        """Return the head's output for a batch."""
        return self.head(self.words(batch), batch.mask)

    def words(self, batch: Batch) -> Tensor:
        """Return the word vectors (sentences, words, hidden); zero where there is no word."""
        output = self.encoder(input_ids=batch.ids, attention_mask=batch.attention_mask)
        hidden: Tensor = output.last_hidden_state.flatten(0, 1)
        sentences, words = batch.mask.shape
        used = hidden[batch.subword_index]
        total = used.new_zeros(sentences * words, hidden.shape[-1])
        total = total.index_add(0, batch.word_index, used)
        count = used.new_zeros(sentences * words)
        count = count.index_add(0, batch.word_index, used.new_ones(len(batch.word_index)))
        return (total / count.clamp(min=1)[:, None]).view(sentences, words, -1)


def build_model(
    encoder: PreTrainedModel, task: Task, labels: Sequence[str], seed: int
) -> TaskModel:
    """Put a fresh head of ``task`` on an encoder; the head's weights depend on the seed alone."""
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(seed, "head"))
        return TaskModel(encoder, task.head(encoder.config.hidden_size, labels))
