"""Modules that hold the weights of several models, and give each row of a batch its own."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.models.roformer.modeling_roformer import RoFormerSinusoidalPositionalEmbedding

from alignscope.errors import StackingError
from alignscope.tasks.biaffine import RootEmbedding


@dataclass
class StackContext:
    """How many models lie side by side, and the rows of all of them in the batch at hand."""

    models: int
    rows: int = 0
    stacked: dict[int, nn.Parameter] = field(default_factory=dict)
    """By the first model's own parameter, which may belong to two modules."""


def stack_modules(modules: Sequence[nn.Module], side: StackContext) -> nn.Module:
    """One module for several of the same kind: its weights stacked, theirs views of it."""
    return _stack_children(modules, side, {})


def _stack_children(
    modules: Sequence[nn.Module], side: StackContext, done: dict[int, nn.Module]
) -> nn.Module:
    first = modules[0]
    if id(first) not in done:
        kind = _kind(first)
        done[id(first)] = kind(modules, side) if kind else _around(modules, side, done)
    return done[id(first)]


def _around(
    modules: Sequence[nn.Module], side: StackContext, done: dict[int, nn.Module]
) -> nn.Module:
    """A module without weights of its own, around parts that are folded."""
    first = modules[0]
    trained = any(parameter.requires_grad for parameter in first.parameters(recurse=False))
    if trained and not isinstance(first, _NEVER_TRAINED):
        raise StackingError(f"{type(first).__name__} has weights of its own kind")
    for own in zip(*map(_fixed, modules), strict=True):
        if not all(torch.equal(value, own[0]) for value in own):
            raise StackingError(f"{type(first).__name__} differs in what is no weight")
    shell = copy(first)
    shell._parameters = {}
    for name, parameter in first.named_parameters(recurse=False):
        setattr(shell, name, parameter.detach())
    shell._forward_pre_hooks = OrderedDict()
    shell._modules = {
        name: None
        if child is None
        else _stack_children([m.get_submodule(name) for m in modules], side, done)
        for name, child in first._modules.items()
    }
    return shell


_NEVER_TRAINED = (RoFormerSinusoidalPositionalEmbedding,)
"""Modules that compute without gradients, although their weights say that they have some."""


def _fixed(module: nn.Module) -> list[Tensor]:
    """What a module itself, not its parts, holds and training does not change."""
    return [*module.parameters(recurse=False), *module.buffers(recurse=False)]


Kind = Callable[[Sequence[nn.Module], StackContext], nn.Module]


def _kind(module: nn.Module) -> Kind | None:
    """What a module becomes in a stack; None if it stays as it is around its parts."""
    for kind, stacked in _STACKED.items():
        if type(module) is kind:
            return stacked
    shapes = {name: value.ndim for name, value in module.named_parameters()}
    norm = "Norm" in type(module).__name__ and "weight" in shapes
    return StackedNorm if norm and shapes.items() <= {"weight": 1, "bias": 1}.items() else None


def _stacked(modules: Sequence[nn.Module], name: str, side: StackContext) -> nn.Parameter:
    """The weights of all modules, (models, …); each module's becomes a view of them."""
    own = [cast(nn.Parameter, getattr(module, name)) for module in modules]
    if len({parameter.shape for parameter in own}) > 1:
        raise StackingError(f"{type(modules[0]).__name__} has other shapes in other models")
    if id(own[0]) not in side.stacked:
        stacked = nn.Parameter(torch.stack([p.detach() for p in own]), own[0].requires_grad)
        for parameter, part in zip(own, stacked.detach(), strict=True):
            parameter.data = part
        side.stacked[id(own[0])] = stacked
    return side.stacked[id(own[0])]


def _stacked_if_there(
    modules: Sequence[nn.Module], name: str, side: StackContext
) -> nn.Parameter | None:
    return None if getattr(modules[0], name, None) is None else _stacked(modules, name, side)


class StackedLinear(nn.Module):
    """(rows of all models, …, in) to (rows of all models, …, out), each with its own weights."""

    def __init__(self, modules: Sequence[nn.Module], side: StackContext) -> None:
        super().__init__()
        self.models = side.models
        self.weight = _stacked(modules, "weight", side)
        self.bias = _stacked_if_there(modules, "bias", side)

    def forward(self, x: Tensor) -> Tensor:
        """Multiply the rows of each model with its own matrix."""
        rows, weight = x.reshape(self.models, -1, x.shape[-1]), self.weight.transpose(1, 2)
        if self.bias is None:
            found = torch.bmm(rows, weight)
        else:
            found = torch.baddbmm(self.bias.unsqueeze(1), rows, weight)
        return found.view(*x.shape[:-1], found.shape[-1])


class StackedNorm(nn.Module):
    """Any norm along the last dimension: it normalises all, each model scales (and shifts) its own.

    What normalises is a copy of the first module with weights of one and biases of zero.
    """

    def __init__(self, modules: Sequence[nn.Module], side: StackContext) -> None:
        super().__init__()
        self.models = side.models
        self.weight = _stacked(modules, "weight", side)
        self.bias = (
            None if getattr(modules[0], "bias", None) is None else _stacked(modules, "bias", side)
        )
        self._plain = [_plain(modules[0])]  # in a list, since it is no part of the model

    def forward(self, x: Tensor) -> Tensor:
        """Normalise all, then scale the rows of each model with its own vector."""
        normal: Tensor = self._plain[0](x)
        found = normal.view(self.models, -1, x.shape[-1])
        if self.bias is None:
            return (found * self.weight.unsqueeze(1)).view(x.shape)
        return torch.addcmul(self.bias.unsqueeze(1), found, self.weight.unsqueeze(1)).view(x.shape)


def _plain(norm: nn.Module) -> nn.Module:
    """The norm without what it has learnt."""
    plain, own = copy(norm), norm._parameters
    native = isinstance(norm, nn.LayerNorm)  # which does without weights
    plain._parameters = dict.fromkeys(own) if native else {}
    if not native:
        for name, value in own.items():
            one = value is not None and name == "weight"
            constant = torch.ones_like if one else torch.zeros_like
            setattr(plain, name, None if value is None else constant(value.detach()))
    return plain


class StackedEmbedding(nn.Module):
    """(rows of all models, …) indices to vectors; indices said once for all rows are repeated."""

    def __init__(self, modules: Sequence[nn.Module], side: StackContext) -> None:
        super().__init__()
        first = cast(nn.Embedding, modules[0])
        if first.max_norm is not None or first.scale_grad_by_freq or first.sparse:
            raise StackingError("Embedding is of a kind (max_norm, sparse) that is not known")
        self.side = side
        self.weight = _stacked(modules, "weight", side)
        self.padding_idx, self.embedding_dim = first.padding_idx, first.embedding_dim
        self.num_embeddings = first.num_embeddings

    def forward(self, indices: Tensor) -> Tensor:
        """Look the rows of each model up in its own table."""
        if indices.ndim == 2 and len(indices) == 1:
            indices = indices.expand(self.side.rows, -1)
        if len(indices) != self.side.rows:
            raise StackingError("Embedding is asked for something else than sentences")
        models, count, _ = self.weight.shape
        first = torch.arange(0, models * count, count, device=indices.device)
        own = (indices.reshape(models, -1) + first.unsqueeze(1)).view(indices.shape)
        found = functional.embedding(own, self.weight.flatten(0, 1))
        if self.padding_idx is None or not torch.is_grad_enabled():
            return found
        padding = (indices == self.padding_idx).unsqueeze(-1)
        return torch.where(padding, found.detach(), found)


class StackedRoot(nn.Module):
    """The parser's root vectors."""

    def __init__(self, modules: Sequence[nn.Module], side: StackContext) -> None:
        super().__init__()
        self.vector = _stacked(modules, "vector", side)

    def forward(self, words: Tensor) -> Tensor:
        """Return (rows of all models, 1, hidden)."""
        each = len(words) // len(self.vector)
        return self.vector.to(words.dtype).repeat_interleave(each, dim=0).unsqueeze(1)


_STACKED: dict[type[nn.Module], Kind] = {
    nn.Linear: StackedLinear,
    nn.Embedding: StackedEmbedding,
    RootEmbedding: StackedRoot,
}
