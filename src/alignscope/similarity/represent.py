"""Representations: what every layer of an encoder makes of a sentence."""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel

from alignscope.batching import Batch, Example, collate
from alignscope.buckets import plan_batches
from alignscope.data.sentence import Sentence
from alignscope.errors import DataError
from alignscope.precision import single
from alignscope.subwords import Subwords


@torch.inference_mode()
def represent(
    encoder: PreTrainedModel,
    subwords: Subwords,
    sentences: Sequence[Sentence],
    *,
    batch_pieces: int = 4096,
) -> Tensor:
    """Return one vector per layer and sentence, (layers, sentences, hidden), float32 on the CPU.

    >>> represent(encoder, subwords, sentences)[0]  # the embeddings; layer i + 1 is after block i

    The vector is the mean over all sub-words of the sentence's words: special tokens and padding
    are left out, of sentences longer than the encoder's input every chunk counts. Words are split
    as for fine-tuning. Every sentence is read once, whatever the batches.

    Raises:
        DataError: if there is no sentence, or one without words.
    """
    if not sentences or not all(len(sentence) for sentence in sentences):
        raise DataError("there is nothing to represent: no sentence, or one without words")
    training, device = encoder.training, next(encoder.parameters()).device
    encoder.eval()
    examples = [Example(pieces, {}) for pieces in subwords.split(sentences)]
    means: list[Tensor | None] = [None] * len(sentences)
    for group in plan_batches([example.cost for example in examples], batch_pieces):
        batch = collate([examples[i] for i in group], subwords.pad, "mean").to(device)
        for i, mean in zip(group, _means(encoder, batch).cpu().unbind(1), strict=True):
            means[i] = mean
    encoder.train(training)
    return torch.stack([mean for mean in means if mean is not None], dim=1)


def _means(encoder: PreTrainedModel, batch: Batch) -> Tensor:
    """Average over the pieces of each sentence of a batch: (layers, sentences, hidden)."""
    output = encoder(input_ids=batch.ids, attention_mask=batch.present, output_hidden_states=True)
    layers: Tensor = single(torch.stack(output.hidden_states)).flatten(1, 2)
    sentences, words = batch.mask.shape
    used = layers[:, batch.positions]  # (layers, pieces, hidden)
    total = used.new_zeros(len(layers), sentences, layers.shape[-1])
    total = total.index_add(1, batch.owners // words, used)
    return total / torch.bincount(batch.owners // words, minlength=sentences)[:, None]
