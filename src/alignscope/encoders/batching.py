"""Examples, and batches of them padded to the longest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from alignscope.config.run import Pooling
from alignscope.encoders.tokenization import TokenizedSentence


@dataclass(frozen=True, slots=True)
class EncodedSentence:
    """A sentence ready for a model: its pieces, and its gold labels as numbers per word."""

    pieces: TokenizedSentence
    gold: Mapping[str, list[int]]

    @property
    def cost(self) -> int:
        """Pieces this example takes of a batch, if it is the longest in it."""
        return self.pieces.longest * len(self.pieces.chunks)


@dataclass(frozen=True, slots=True)
class Batch:
    """Several examples as tensors.

    ``ids`` and ``present`` (chunks, pieces); ``mask`` (sentences, words) is true where there is a
    word; ``gold`` holds (sentences, words) each. Pieces ``positions`` (of the flattened chunks)
    stand for words ``owners`` (of the flattened sentences × words), averaged.
    """

    ids: Tensor
    attention_mask: Tensor
    subword_index: Tensor
    word_index: Tensor
    mask: Tensor
    gold: Mapping[str, Tensor]

    def to(self, device: torch.device) -> "Batch":
        """Return the same batch on another device, which need not wait for it."""

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
        """Return the sentences several times over, one time after the other; gold only once."""
        if times == 1:
            return self
        first = torch.arange(times, device=self.ids.device).unsqueeze(1)
        return Batch(
            self.ids.repeat(times, 1),
            self.attention_mask.repeat(times, 1),
            (self.subword_index + first * self.ids.numel()).flatten(),
            (self.word_index + first * self.mask.numel()).flatten(),
            self.mask.repeat(times, 1),
            self.gold,
        )


def collate(
    examples: Sequence[EncodedSentence],
    pad: int,
    pooling: Pooling,
    *,
    length: int = 0,
    words: int = 0,
) -> Batch:
    """Pad examples to the longest, or to at least ``length`` pieces and ``words`` words."""
    chunks = [chunk for example in examples for chunk in example.pieces.chunks]
    length = max(length, *map(len, chunks))
    words = max(words, *(len(example.pieces.spans) for example in examples))
    ids = torch.tensor([[*chunk, *[pad] * (length - len(chunk))] for chunk in chunks])
    present = torch.tensor([[1] * len(chunk) + [0] * (length - len(chunk)) for chunk in chunks])
    positions, owners = _owners(examples, length, words, pooling)
    counts = torch.tensor([len(example.pieces.spans) for example in examples])
    mask = torch.arange(words) < counts[:, None]
    names = examples[0].gold.keys()
    gold = {name: _pad([example.gold[name] for example in examples], words) for name in names}
    return Batch(ids, present, positions, owners, mask, gold)


def _owners(
    examples: Sequence[EncodedSentence], length: int, words: int, pooling: Pooling
) -> tuple[Tensor, Tensor]:
    """Which pieces of the flattened batch make up which word of the flattened batch."""
    positions, owners, row = [], [], 0
    for number, example in enumerate(examples):
        for word, (chunk, first, last) in enumerate(example.pieces.spans):
            start = (row + chunk) * length
            used = range(first, last if pooling == "mean" else first + 1)
            positions += [start + piece for piece in used]
            owners += [number * words + word] * len(used)
        row += len(example.pieces.chunks)
    return torch.tensor(positions), torch.tensor(owners)


def _pad(rows: list[list[int]], width: int) -> Tensor:
    return torch.tensor([row + [0] * (width - len(row)) for row in rows])


def bucket_by_length(
    costs: Sequence[int], budget: int, generator: torch.Generator | None = None
) -> list[list[int]]:
    """Group examples of about equal cost so that each group, padded, stays within the budget.

    >>> bucket_by_length([5, 1, 5, 1], budget=10)
    [[1, 3], [0, 2]]

    ``costs`` counts the pieces each example takes of a batch in which it is the longest. With a
    generator, ties and the order of the groups are random. An example above the budget makes
    a group of its own.
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
    """Up to two pieces: enough to mix the groups from epoch to epoch, too little to pad much."""
    return 2 * torch.rand(count, generator=generator)
