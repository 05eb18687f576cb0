"""Modules that hold the weights of several models and apply each to its own rows of a batch."""

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


@dataclass
class StackContext:
    """The number of stacked models, and the rows of all of them in the current batch."""

    models: int
    rows: int = 0
    stacked: dict[int, nn.Parameter] = field(default_factory=dict)
    """Stacked parameters by the id of the first model's parameter, which two modules may share."""


def stack_modules(modules: Sequence[nn.Module], context: StackContext) -> nn.Module:
    """Return one module for several of the same class.

    Its weights are stacked, and those of the given modules become views of them.

    Raises:
        StackingError: if a module has weights of an unknown kind, or the modules differ in
            anything but their weights.
    """
    return _stack_children(modules, context, {})


def _stack_children(
    modules: Sequence[nn.Module], context: StackContext, done: dict[int, nn.Module]
) -> nn.Module:
    first = modules[0]
    if id(first) not in done:
        kind = _stacked_class(first)
        done[id(first)] = kind(modules, context) if kind else _copy_around(modules, context, done)
    return done[id(first)]


def _copy_around(
    modules: Sequence[nn.Module], context: StackContext, done: dict[int, nn.Module]
) -> nn.Module:
    """Return a copy of a module without weights of its own, with stacked children."""
    first = modules[0]
    trained = any(parameter.requires_grad for parameter in first.parameters(recurse=False))
    if trained and not isinstance(first, _NEVER_TRAINED):
        raise StackingError(f"{type(first).__name__} has weights of an unknown kind.")
    for values in zip(*map(_constants, modules), strict=True):
        if not all(torch.equal(value, values[0]) for value in values):
            raise StackingError(f"{type(first).__name__} has different constants in each model.")
    shell = copy(first)
    shell._parameters = {}
    for name, parameter in first.named_parameters(recurse=False):
        setattr(shell, name, parameter.detach())
    shell._forward_pre_hooks = OrderedDict()
    shell._modules = {
        name: None
        if child is None
        else _stack_children([m.get_submodule(name) for m in modules], context, done)
        for name, child in first._modules.items()
    }
    return shell


_NEVER_TRAINED = (RoFormerSinusoidalPositionalEmbedding,)
"""Modules that compute without gradients although their weights require them."""


def _constants(module: nn.Module) -> list[Tensor]:
    """Return the tensors of a module itself, without its children, that stay constant."""
    return [*module.parameters(recurse=False), *module.buffers(recurse=False)]


StackedClass = Callable[[Sequence[nn.Module], StackContext], nn.Module]


def _stacked_class(module: nn.Module) -> StackedClass | None:
    """Return what replaces a module in a stack, or None if only its children are replaced."""
    for kind, stacked in _STACKED.items():
        if type(module) is kind:
            return stacked
    if hasattr(module, "stacked_module"):
        return _stack_by_its_own_method
    shapes = {name: value.ndim for name, value in module.named_parameters()}
    norm = "Norm" in type(module).__name__ and "weight" in shapes
    return StackedNorm if norm and shapes.items() <= {"weight": 1, "bias": 1}.items() else None


def _stack_by_its_own_method(modules: Sequence[nn.Module], context: StackContext) -> nn.Module:
    """Stack modules of a task's head that name their own stacked module, as the parser's root."""
    make = cast(Callable[..., nn.Module], modules[0].stacked_module)
    return make(lambda name: _stack_parameter(modules, name, context))


def _stack_parameter(
    modules: Sequence[nn.Module], name: str, context: StackContext
) -> nn.Parameter:
    """Return the stacked weights (models, …); each module's weight becomes a view of them."""
    parameters = [cast(nn.Parameter, getattr(module, name)) for module in modules]
    if len({parameter.shape for parameter in parameters}) > 1:
        raise StackingError(f"{type(modules[0]).__name__} has different shapes in each model.")
    if len({parameter.requires_grad for parameter in parameters}) > 1:
        raise StackingError(f"{type(modules[0]).__name__} is frozen in some of the models only.")
    if id(parameters[0]) not in context.stacked:
        stacked = nn.Parameter(
            torch.stack([p.detach() for p in parameters]), parameters[0].requires_grad
        )
        for parameter, part in zip(parameters, stacked.detach(), strict=True):
            parameter.data = part
        context.stacked[id(parameters[0])] = stacked
    return context.stacked[id(parameters[0])]


def _stack_optional(
    modules: Sequence[nn.Module], name: str, context: StackContext
) -> nn.Parameter | None:
    return (
        None
        if getattr(modules[0], name, None) is None
        else _stack_parameter(modules, name, context)
    )


class StackedLinear(nn.Module):
    """Linear layers: (rows of all models, …, in) to (rows of all models, …, out)."""

    def __init__(self, modules: Sequence[nn.Module], context: StackContext) -> None:
        super().__init__()
        self.models = context.models
        self.weight = _stack_parameter(modules, "weight", context)
        self.bias = _stack_optional(modules, "bias", context)

    def forward(self, x: Tensor) -> Tensor:
        """Apply each model's weights to its own rows."""
        rows, weight = x.reshape(self.models, -1, x.shape[-1]), self.weight.transpose(1, 2)
        if self.bias is None:
            output = torch.bmm(rows, weight)
        else:
            output = torch.baddbmm(self.bias.unsqueeze(1), rows, weight)
        return output.view(*x.shape[:-1], output.shape[-1])


class StackedNorm(nn.Module):
    """Norms along the last dimension, which then scale and shift the rows of each model.

    A copy of the first module, with weights of one and biases of zero, normalises all rows.
    """

    def __init__(self, modules: Sequence[nn.Module], context: StackContext) -> None:
        super().__init__()
        self.models = context.models
        self.weight = _stack_parameter(modules, "weight", context)
        self.bias = (
            None
            if getattr(modules[0], "bias", None) is None
            else _stack_parameter(modules, "bias", context)
        )
        self._plain = [_without_weights(modules[0])]  # in a list, so that it is not registered

    def forward(self, x: Tensor) -> Tensor:
        """Normalise all rows, then apply each model's weights to its own rows."""
        normal: Tensor = self._plain[0](x)
        rows = normal.view(self.models, -1, x.shape[-1])
        if self.bias is None:
            return (rows * self.weight.unsqueeze(1)).view(x.shape)
        return torch.addcmul(self.bias.unsqueeze(1), rows, self.weight.unsqueeze(1)).view(x.shape)


def _without_weights(norm: nn.Module) -> nn.Module:
    """Return a copy of a norm with weights of one and biases of zero."""
    plain, parameters = copy(norm), norm._parameters
    native = isinstance(norm, nn.LayerNorm)  # which runs faster without weights
    plain._parameters = dict.fromkeys(parameters) if native else {}
    if not native:
        for name, value in parameters.items():
            constant = torch.ones_like if name == "weight" else torch.zeros_like
            setattr(plain, name, None if value is None else constant(value.detach()))
    return plain


class StackedEmbedding(nn.Module):
    """Embeddings: (rows of all models, …) indices to vectors.

    Indices of a single row, such as positions, apply to all rows.
    """

    def __init__(self, modules: Sequence[nn.Module], context: StackContext) -> None:
        super().__init__()
        first = cast(nn.Embedding, modules[0])
        if first.max_norm is not None or first.scale_grad_by_freq or first.sparse:
            raise StackingError("Embedding uses max_norm, scale_grad_by_freq or sparse.")
        self.context = context
        self.weight = _stack_parameter(modules, "weight", context)
        self.padding_idx, self.embedding_dim = first.padding_idx, first.embedding_dim
        self.num_embeddings = first.num_embeddings

    def forward(self, indices: Tensor) -> Tensor:
        """Look up the rows of each model in its own table."""
        if indices.ndim == 2 and len(indices) == 1:
            indices = indices.expand(self.context.rows, -1)
        if len(indices) != self.context.rows:
            raise StackingError("Embedding is applied to something else than sentences.")
        models, count, _ = self.weight.shape
        first = torch.arange(0, models * count, count, device=indices.device)
        shifted = (indices.reshape(models, -1) + first.unsqueeze(1)).view(indices.shape)
        vectors = functional.embedding(shifted, self.weight.flatten(0, 1))
        if self.padding_idx is None or not torch.is_grad_enabled():
            return vectors
        padding = (indices == self.padding_idx).unsqueeze(-1)
        return torch.where(padding, vectors.detach(), vectors)


_STACKED: dict[type[nn.Module], StackedClass] = {
    nn.Linear: StackedLinear,
    nn.Embedding: StackedEmbedding,
}
