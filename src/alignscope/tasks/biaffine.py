"""The deep biaffine attention of Dozat & Manning 2017 (arXiv 1611.01734) over word vectors."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn


class BiaffineOutput(NamedTuple):
    """Scores of all arcs, and the vectors from which the relations of chosen arcs are scored.

    The scores of all relations of all pairs, (batch, words, words + 1, relations), are not
    computed, because each word has one head and that tensor grows with the square of the longest
    sentence. At 400 words it takes about 24 MB per sentence and run, without gradients.
    """

    arcs: Tensor
    """(batch, words, words + 1): ``[b, d, h]`` is the score of head h (0 is the root, i the i-th
    word) for word d, counted from 0. Padding and the word itself have the lowest number of the
    dtype."""
    dependents: Tensor
    """(batch, words, relations, size): each word as a dependent, times the weights of relations."""
    heads: Tensor
    """(batch, words + 1, size): the root and each word as a head."""


class StackedRoot(nn.Module):
    """The root vectors of several models that are trained as one."""

    def __init__(self, vector: nn.Parameter) -> None:
        super().__init__()
        self.vector = vector

    def forward(self, words: Tensor) -> Tensor:
        """Return (rows of all models, 1, hidden) for ``words`` (rows of all models, …)."""
        rows = len(words) // len(self.vector)
        return self.vector.to(words.dtype).repeat_interleave(rows, dim=0).unsqueeze(1)


class RootEmbedding(nn.Module):
    """A learned vector that stands for the root of every sentence.

    >>> RootEmbedding(hidden=8)(torch.zeros(2, 5, 8)).shape
    torch.Size([2, 1, 8])
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.vector = nn.Parameter(torch.randn(hidden) * 0.02)

    @staticmethod
    def stacked_module(stacked_parameter: Callable[[str], nn.Parameter]) -> nn.Module:
        """Return the module that takes the place of several of these in a stack.

        Args:
            stacked_parameter: Returns the parameters of one name, (models, …).
        """
        return StackedRoot(stacked_parameter("vector"))

    def forward(self, words: Tensor) -> Tensor:
        """Return (batch, 1, hidden) for ``words`` (batch, words, hidden)."""
        return self.vector.to(words.dtype).expand(len(words), 1, -1)


class BiaffineHead(nn.Module):
    """Biaffine scores of arcs and relations, from word vectors and a learned root vector.

    >>> output = BiaffineHead(hidden=8, relations=3)(torch.zeros(2, 5, 8), torch.ones(2, 5).bool())
    >>> output.arcs.shape
    torch.Size([2, 5, 6])
    >>> relation_scores(output, torch.zeros(2, 5, dtype=torch.long)).shape
    torch.Size([2, 5, 3])

    The encoder takes the place of the paper's LSTM. ``ARC`` and ``RELATION`` are smaller than
    the paper's 500 and 100, since a fine-tuned encoder does most of the work.
    """

    ARC = 256
    RELATION = 64
    DROPOUT = 0.33

    def __init__(self, hidden: int, relations: int) -> None:
        super().__init__()
        self.root = RootEmbedding(hidden)
        self.arc_dependent = self._mlp(hidden, self.ARC)
        self.arc_head = self._mlp(hidden, self.ARC)
        self.relation_dependent = self._mlp(hidden, self.RELATION)
        self.relation_head = self._mlp(hidden, self.RELATION)
        # Not zero as in some parsers: with zeros no gradient reaches the MLPs in the first step.
        arcs = torch.randn(self.ARC + 1, self.ARC) / self.ARC
        self.arc = _linear(arcs.T)
        size = self.RELATION + 1
        weights = torch.randn(relations, size, size) / size
        self.relation = _linear(weights.transpose(1, 2).flatten(0, 1))

    def forward(self, words: Tensor, mask: Tensor) -> BiaffineOutput:
        """Score arcs and prepare relations.

        Args:
            words: Word vectors, (batch, words, hidden).
            mask: True where there is a word, (batch, words).
        """
        candidates = torch.cat((self.root(words), words), dim=1)
        arcs = self._arcs(words, candidates)
        dependents = self.relation(_append_one(self.relation_dependent(words)))
        return BiaffineOutput(
            arcs=arcs.masked_fill(~_possible_heads(mask), torch.finfo(arcs.dtype).min),
            dependents=dependents.unflatten(-1, (-1, self.RELATION + 1)),
            heads=_append_one(self.relation_head(candidates)),
        )

    def _arcs(self, words: Tensor, candidates: Tensor) -> Tensor:
        """Score arcs (eq. 4-6); the 1 appended to the dependents adds the head's prior, H u."""
        dependents = self.arc(_append_one(self.arc_dependent(words)))
        arcs: Tensor = dependents @ self.arc_head(candidates).transpose(1, 2)
        return arcs

    def _mlp(self, hidden: int, size: int) -> nn.Sequential:
        return nn.Sequential(nn.Linear(hidden, size), nn.LeakyReLU(0.1), nn.Dropout(self.DROPOUT))


def _linear(weight: Tensor) -> nn.Linear:
    """Return a linear layer without bias whose initial weight is ``weight``, (out, in)."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False, device="meta")
    layer.weight = nn.Parameter(weight.contiguous())
    return layer


def relation_scores(output: BiaffineOutput, heads: Tensor) -> Tensor:
    """Score every relation between each word and one head (eq. 3, over MLPs as in eq. 6).

    A 1 is appended to both vectors, so that the bilinear form includes the linear terms and the
    bias of the paper.

    Args:
        output: The output of a ``BiaffineHead`` for (batch, words).
        heads: (batch, words), 0 for the root, i for the i-th word.

    Returns:
        (batch, words, relations)
    """
    index = heads.unsqueeze(-1).expand(-1, -1, output.heads.shape[-1])
    chosen = output.heads.gather(dim=1, index=index)
    return torch.einsum("bwrj,bwj->bwr", output.dependents, chosen)


def _append_one(vectors: Tensor) -> Tensor:
    return torch.cat((vectors, torch.ones_like(vectors[..., :1])), dim=-1)


def _possible_heads(mask: Tensor) -> Tensor:
    """Return (batch, words, words + 1), true where the head exists and is not the word itself."""
    words = mask.shape[1]
    exists = torch.cat((torch.ones_like(mask[:, :1]), mask), dim=1)
    is_self = torch.ones(words, words + 1, dtype=torch.bool, device=mask.device).triu(1).tril(1)
    return exists.unsqueeze(1) & ~is_self
