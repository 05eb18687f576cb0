"""Encoded sentences, and batches of them padded to the longest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from alignscope.config.run import Pooling
from alignscope.encoders.tokenization import TokenizedSentence


@dataclass(frozen=True, slots=True)
class EncodedSentence:
    """A sentence ready for a model: its subwords, and its gold labels as numbers per word."""

    subwords: TokenizedSentence
    gold: Mapping[str, list[int]]

    @property
    def cost(self) -> int:
        """Subwords that this sentence takes of a batch in which it is the longest."""
        return self.subwords.longest * len(self.subwords.chunks)


@dataclass(frozen=True, slots=True)
class Batch:
    """Several sentences as tensors.

    ``ids`` and ``attention_mask`` are (chunks, subwords). ``mask`` (sentences, words) is true where
    there is a word, and each tensor of ``gold`` is (sentences, words). The vector of word
    ``word_index[k]``, counted over the flattened (sentences, words), is the mean over all k of the
    vectors of subwords ``subword_index[k]``, counted over the flattened (chunks, subwords).
    """

    ids: Tensor
    attention_mask: Tensor
    subword_index: Tensor
    word_index: Tensor
    mask: Tensor
    gold: Mapping[str, Tensor]

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on another device; copies to a GPU are asynchronous."""

        def moved(values: Tensor) -> Tensor:
            if device.type != "cuda" or values.is_cuda:
                return values.to(device)
            return values.pin_memory().to(device, non_blocking=True)

        return Batch(
            moved(self.ids),
            moved(self.attention_mask),
            moved(self.subword_index),
            moved(self.word_index),
            moved(self.mask),
            {name: moved(values) for name, values in self.gold.items()},
        )

    def repeat(self, times: int) -> "Batch":
        """Return the sentences ``times`` times, one copy after the other; gold is not repeated."""
        if times == 1:
            return self
        copies = torch.arange(times, device=self.ids.device).unsqueeze(1)
        return Batch(
            self.ids.repeat(times, 1),
            self.attention_mask.repeat(times, 1),
            (self.subword_index + copies * self.ids.numel()).flatten(),
            (self.word_index + copies * self.mask.numel()).flatten(),
            self.mask.repeat(times, 1),
            self.gold,
        )


def collate(
    sentences: Sequence[EncodedSentence],
    pad: int,
    pooling: Pooling,
    *,
    length: int = 0,
    words: int = 0,
) -> Batch:
    """Pad sentences to the longest and return them as one batch.

    Args:
        sentences: at least one; all have the same kinds of gold labels.
        pad: the id that fills short inputs up.
        pooling: ``mean`` over the subwords of a word, or the ``first`` of them.
        length: pad inputs to at least this many subwords.
        words: pad sentences to at least this many words.

    Returns:
        The batch, on the CPU.
    """
    chunks = [chunk for sentence in sentences for chunk in sentence.subwords.chunks]
    length = max(length, *map(len, chunks))
    words = max(words, *(len(sentence.subwords.spans) for sentence in sentences))
    ids = torch.tensor([[*chunk, *[pad] * (length - len(chunk))] for chunk in chunks])
    attention = torch.tensor([[1] * len(chunk) + [0] * (length - len(chunk)) for chunk in chunks])
    subword_index, word_index = _word_subwords(sentences, length, words, pooling)
    counts = torch.tensor([len(sentence.subwords.spans) for sentence in sentences])
    mask = torch.arange(words) < counts[:, None]
    names = sentences[0].gold.keys()
    gold = {name: _pad([sentence.gold[name] for sentence in sentences], words) for name in names}
    return Batch(ids, attention, subword_index, word_index, mask, gold)


def _word_subwords(
    sentences: Sequence[EncodedSentence], length: int, words: int, pooling: Pooling
) -> tuple[Tensor, Tensor]:
    """Return which subword of the flattened batch belongs to which word of it, as two lists."""
    subword_index, word_index, row = [], [], 0
    for number, sentence in enumerate(sentences):
        for word, (chunk, first, last) in enumerate(sentence.subwords.spans):
            start = (row + chunk) * length
            used = range(first, last if pooling == "mean" else first + 1)
            subword_index += [start + subword for subword in used]
            word_index += [number * words + word] * len(used)
        row += len(sentence.subwords.chunks)
    return torch.tensor(subword_index), torch.tensor(word_index)


def _pad(rows: list[list[int]], width: int) -> Tensor:
    return torch.tensor([row + [0] * (width - len(row)) for row in rows])


def bucket_by_length(
    costs: Sequence[int], budget: int, generator: torch.Generator | None = None
) -> list[list[int]]:
    """Group sentences of about equal cost so that each group, padded, stays within the budget.

    >>> bucket_by_length([5, 1, 5, 1], budget=10)
    [[1, 3], [0, 2]]

    Args:
        costs: the subwords that each sentence takes of a batch in which it is the longest.
        budget: subwords per group, padding included. A sentence above it gets its own group.
        generator: if given, it breaks ties and shuffles the groups.

    Returns:
        The indices of the sentences of each group; every sentence is in exactly one.
    """
    noise = torch.zeros(len(costs)) if generator is None else _noise(len(costs), generator)
    order = torch.argsort(torch.tensor(costs) + noise, stable=True).tolist()
    groups: list[list[int]] = []
    widest = 0
    for index in order:
        widest = max(widest, costs[index])
        if not groups or widest * (len(groups[-1]) + 1) > budget:
            groups.append([])
            widest = costs[index]
        groups[-1].append(index)
    if generator is None:
        return groups
    return [groups[i] for i in torch.randperm(len(groups), generator=generator).tolist()]


def _noise(count: int, generator: torch.Generator) -> Tensor:
    """Return noise of up to two subwords: it mixes the groups of epochs, and pads little."""
    return 2 * torch.rand(count, generator=generator)
