"""Several models as one: what differs between them is stacked, what they do is done once."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from copy import copy
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from transformers import PreTrainedModel
from transformers.models.roformer.modeling_roformer import RoFormerSinusoidalPositionalEmbedding

from alignscope.batching import Batch
from alignscope.errors import StackError
from alignscope.model import Model
from alignscope.tasks.biaffine import Root

TOLERANCE = 1e-3
"""How far a stacked model may be from the model by itself, as a part of its largest number."""


class Stack:
    """Models of one shape that read the same batches, computed as one.

    >>> stack = Stack([build_model(encoder, task, labels, seed=1) for encoder in encoders])
    >>> len(stack(batch)) == len(stack) == len(encoders)
    True

    The models lie behind one another along the batch: sentences of the first, then of the second.
    What has no weights (attention, activations) computes them all without knowing; what has some
    is replaced by a module that holds the weights of all and gives each sentence its own. So an
    encoder runs through its own code and its fastest attention, in as many calls as one model
    takes. One dropout mask serves all models, as runs by themselves also see the same masks.

    ``members`` are the models themselves. Their weights are views of the stacked ones, so that at
    any time each of them is what the stack has made of it.

    Raises:
        StackError: if the models differ in shape, have weights that cannot be stacked, or do not
            give in the stack what they give by themselves (tried on made-up sentences).
    """

    def __init__(self, models: Sequence[Model]) -> None:
        self.members = list(models)
        self._side = _Side(len(models))
        self.model = models[0]
        if len(models) > 1:
            try:
                self.model = cast(Model, _fold(models, self._side))
                self._prove()
            except StackError as error:
                name = type(models[0].encoder).__name__
                raise StackError(f"{name} cannot be stacked: {error}") from error.__cause__

    def __len__(self) -> int:
        return len(self.members)

    def __call__(self, batch: Batch) -> list[Any]:
        """Return what the head of every model gives for a batch."""
        if len(self) == 1:
            return [self.model(batch)]
        self._side.rows = len(batch.ids) * len(self)
        masks = _OneMask(len(self)) if self.model.training else nullcontext()
        with masks:
            return _parts(self.model(batch.repeat(len(self))), len(self))

    @property
    def encoder(self) -> PreTrainedModel:
        """The encoders, as one."""
        return self.model.encoder

    @torch.no_grad()
    def _prove(self) -> None:
        """Make sure that every model gives in the stack what it gives by itself.

        Models that a window tells apart are alike elsewhere; so that no mistake hides there, every
        weight is moved a little for the time being.
        """
        stacked = list(self._side.stacked.values())
        kept = [parameter.clone() for parameter in stacked]
        generator = torch.Generator().manual_seed(len(kept))
        for parameter in stacked:
            noise = torch.randn(parameter.shape, generator=generator).to(parameter.device)
            parameter.addcmul_(parameter + 0.1, noise, value=0.1)
        try:
            alone = [_tried(member, 1, self._side) for member in self.members]
            together = _parts(_tried(self.model, len(self), self._side), len(self))
            for one, other in zip(alone, together, strict=True):
                _agree(one, other)
        finally:
            for parameter, value in zip(stacked, kept, strict=True):
                parameter.copy_(value)

    def dimensions(self, parameter: Tensor) -> int:
        """How many dimensions a parameter of ``model`` has in each of the members."""
        return parameter.ndim - (len(self) > 1)

    def of_member(self, value: Tensor, number: int) -> Tensor:
        """The part of a (stacked) parameter, or of its gradient, that belongs to one member."""
        return value[number] if len(self) > 1 else value


@dataclass
class _Side:
    """How many models lie side by side, and the rows of all of them in the batch at hand."""

    models: int
    rows: int = 0
    stacked: dict[int, nn.Parameter] = field(default_factory=dict)
    """By the first model's own parameter, which may belong to two modules."""


def _parts(output: Any, count: int) -> list[Any]:
    """Split what a head gave, one tensor or a named tuple of them, by model."""
    if isinstance(output, Tensor):
        return list(output.chunk(count))
    return [type(output)(*parts) for parts in zip(*(o.chunk(count) for o in output), strict=True)]


def _fold(modules: Sequence[nn.Module], side: _Side) -> nn.Module:
    """One module for several of the same kind: its weights stacked, theirs views of it."""
    done: dict[int, nn.Module] = {}

    def fold(modules: Sequence[nn.Module]) -> nn.Module:
        first = modules[0]
        if id(first) not in done:
            kind = _kind(first)
            done[id(first)] = kind(modules, side) if kind else around(modules)
        return done[id(first)]

    def around(modules: Sequence[nn.Module]) -> nn.Module:
        first = modules[0]
        trained = any(parameter.requires_grad for parameter in first.parameters(recurse=False))
        if trained and not isinstance(first, _NEVER_TRAINED):
            raise StackError(f"{type(first).__name__} has weights of its own kind")
        for own in zip(*map(_fixed, modules), strict=True):
            if not all(torch.equal(value, own[0]) for value in own):
                raise StackError(f"{type(first).__name__} differs in what is no weight")
        shell = copy(first)
        shell._parameters = {}
        for name, parameter in first.named_parameters(recurse=False):
            setattr(shell, name, parameter.detach())
        shell._forward_pre_hooks = OrderedDict()
        shell._modules = {
            name: None if child is None else fold([m.get_submodule(name) for m in modules])
            for name, child in first._modules.items()
        }
        return shell

    return fold(modules)


_NEVER_TRAINED = (RoFormerSinusoidalPositionalEmbedding,)
"""Modules that compute without gradients, although their weights say that they have some."""


def _fixed(module: nn.Module) -> list[Tensor]:
    """What a module itself, not its parts, holds and training does not change."""
    return [*module.parameters(recurse=False), *module.buffers(recurse=False)]


Kind = Callable[[Sequence[nn.Module], _Side], nn.Module]


def _kind(module: nn.Module) -> Kind | None:
    """What a module becomes in a stack; None if it stays as it is around its parts."""
    for kind, stacked in _KINDS.items():
        if type(module) is kind:
            return stacked
    shapes = {name: value.ndim for name, value in module.named_parameters()}
    norm = "Norm" in type(module).__name__ and "weight" in shapes
    return _Norms if norm and shapes.items() <= {"weight": 1, "bias": 1}.items() else None


def _stacked(modules: Sequence[nn.Module], name: str, side: _Side) -> nn.Parameter:
    """The weights of all modules, (models, …); each module's becomes a view of them."""
    own = [cast(nn.Parameter, getattr(module, name)) for module in modules]
    if len({parameter.shape for parameter in own}) > 1:
        raise StackError(f"{type(modules[0]).__name__} has other shapes in other models")
    if id(own[0]) not in side.stacked:
        stacked = nn.Parameter(torch.stack([p.detach() for p in own]), own[0].requires_grad)
        for parameter, part in zip(own, stacked.detach(), strict=True):
            parameter.data = part
        side.stacked[id(own[0])] = stacked
    return side.stacked[id(own[0])]


def _stacked_if_there(modules: Sequence[nn.Module], name: str, side: _Side) -> nn.Parameter | None:
    return None if getattr(modules[0], name, None) is None else _stacked(modules, name, side)


class _Linears(nn.Module):
    """(rows of all models, …, in) to (rows of all models, …, out), each with its own weights."""

    def __init__(self, modules: Sequence[nn.Module], side: _Side) -> None:
        super().__init__()
        self.models = side.models
        self.weight = _stacked(modules, "weight", side)
        self.bias = _stacked_if_there(modules, "bias", side)

    def forward(self, x: Tensor) -> Tensor:
        rows, weight = x.reshape(self.models, -1, x.shape[-1]), self.weight.transpose(1, 2)
        if self.bias is None:
            found = torch.bmm(rows, weight)
        else:
            found = torch.baddbmm(self.bias.unsqueeze(1), rows, weight)
        return found.view(*x.shape[:-1], found.shape[-1])


class _Norms(nn.Module):
    """Any norm along the last dimension: it normalises all, each model scales (and shifts) its own.

    What normalises is a copy of the first module with weights of one and biases of zero.
    """

    def __init__(self, modules: Sequence[nn.Module], side: _Side) -> None:
        super().__init__()
        self.models = side.models
        self.weight = _stacked(modules, "weight", side)
        self.bias = (
            None if getattr(modules[0], "bias", None) is None else _stacked(modules, "bias", side)
        )
        self._plain = [_plain(modules[0])]  # in a list, since it is no part of the model

    def forward(self, x: Tensor) -> Tensor:
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


class _Embeddings(nn.Module):
    """(rows of all models, …) indices to vectors; indices said once for all rows are repeated."""

    def __init__(self, modules: Sequence[nn.Module], side: _Side) -> None:
        super().__init__()
        first = cast(nn.Embedding, modules[0])
        if first.max_norm is not None or first.scale_grad_by_freq or first.sparse:
            raise StackError("Embedding is of a kind (max_norm, sparse) that is not known")
        self.side = side
        self.weight = _stacked(modules, "weight", side)
        self.padding_idx, self.embedding_dim = first.padding_idx, first.embedding_dim
        self.num_embeddings = first.num_embeddings

    def forward(self, indices: Tensor) -> Tensor:
        if indices.ndim == 2 and len(indices) == 1:
            indices = indices.expand(self.side.rows, -1)
        if len(indices) != self.side.rows:
            raise StackError("Embedding is asked for something else than sentences")
        models, count, _ = self.weight.shape
        first = torch.arange(0, models * count, count, device=indices.device)
        own = (indices.reshape(models, -1) + first.unsqueeze(1)).view(indices.shape)
        found = functional.embedding(own, self.weight.flatten(0, 1))
        if self.padding_idx is None or not torch.is_grad_enabled():
            return found
        padding = (indices == self.padding_idx).unsqueeze(-1)
        return torch.where(padding, found.detach(), found)


class _Roots(nn.Module):
    """The parser's root vectors."""

    def __init__(self, modules: Sequence[nn.Module], side: _Side) -> None:
        super().__init__()
        self.vector = _stacked(modules, "vector", side)

    def forward(self, words: Tensor) -> Tensor:
        each = len(words) // len(self.vector)
        return self.vector.to(words.dtype).repeat_interleave(each, dim=0).unsqueeze(1)


class _OneMask(TorchFunctionMode):
    """Dropout with one mask for all models, drawn as for one model by itself.

    So what a run drops does not depend on its company, and runs of one seed drop the same. On a
    GPU attention keeps its own kernels, which draw for each model.
    """

    def __init__(self, models: int) -> None:
        super().__init__()
        self.models = models

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is functional.dropout:
            return self._dropout(*args, **kwargs)
        if func is functional.scaled_dot_product_attention and args[0].device.type == "cpu":
            return self._attention(*args, **kwargs)
        return func(*args, **kwargs)

    def _dropout(
        self, x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
    ) -> Tensor:
        if not training or p == 0:
            return x
        rows = x.view(self.models, -1, *x.shape[1:])
        mask = torch.empty_like(rows[0]).bernoulli_(1 - p).div_(1 - p)
        return (rows * mask).view(x.shape)

    def _attention(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        **options: Any,
    ) -> Tensor:
        attend = functional.scaled_dot_product_attention
        if dropout_p == 0 or options.pop("is_causal", False) or options.pop("enable_gqa", False):
            return attend(query, key, value, attn_mask, dropout_p, **options)
        scale = options.pop("scale", None) or query.shape[-1] ** -0.5
        scores = (query * scale) @ key.transpose(-2, -1)
        if attn_mask is not None:
            hidden = attn_mask.dtype == torch.bool
            scores = scores.masked_fill(~attn_mask, -torch.inf) if hidden else scores + attn_mask
        return self._dropout(scores.softmax(dim=-1), dropout_p) @ value


_KINDS: dict[type[nn.Module], Kind] = {
    nn.Linear: _Linears,
    nn.Embedding: _Embeddings,
    Root: _Roots,
}


def _tried(model: Model, models: int, side: _Side) -> Any:
    """What a model, or several, gives for made-up sentences of sizes that are not alike."""
    known = model.encoder.get_input_embeddings().num_embeddings
    rows, pieces = 3, 3 * side.models + 4
    ids = torch.arange(rows * pieces).view(rows, pieces) * 7919 % known
    words = torch.arange(rows * pieces)
    batch = Batch(ids, torch.ones_like(ids), words, words, torch.ones_like(ids).bool(), {})
    side.rows = rows * models
    training = model.training
    try:
        return model.eval()(batch.repeat(models).to(model.encoder.device))
    except (AttributeError, RuntimeError, TypeError, ValueError) as error:
        raise StackError(f"its code does not run on stacked weights: {error}") from error
    finally:
        model.train(training)


def _agree(alone: Any, together: Any) -> None:
    """Compare what a head gave; masked scores, the lowest that there are, are left out."""
    pairs = [(alone, together)] if isinstance(alone, Tensor) else zip(alone, together, strict=True)
    for one, other in pairs:
        said = one.abs() < torch.finfo(one.dtype).max / 2
        most = one.abs().where(said, 0).max()
        off = (one - other).abs().where(said, 0).max() if one.shape == other.shape else torch.inf
        if not off <= TOLERANCE * most:
            raise StackError("a model gives something else in a stack than by itself")
