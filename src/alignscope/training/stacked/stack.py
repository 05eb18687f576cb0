"""Several models as one: what differs between them is stacked, what they do is done once."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, cast

import torch
from torch import Tensor
from transformers import PreTrainedModel

from alignscope.encoders.batching import Batch
from alignscope.errors import StackingError
from alignscope.training.model import TaskModel
from alignscope.training.stacked.dropout import SharedDropout
from alignscope.training.stacked.modules import StackContext, stack_modules

TOLERANCE = 1e-3
"""How far a stacked model may be from the model by itself, as a part of its largest number."""


class StackedModel:
    """Models of one shape that read the same batches, computed as one.

    >>> stack = StackedModel([build_model(encoder, task, labels, seed=1) for encoder in encoders])
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

    def __init__(self, models: Sequence[TaskModel]) -> None:
        self.members = list(models)
        self._side = StackContext(len(models))
        self.model = models[0]
        if len(models) > 1:
            try:
                self.model = cast(TaskModel, stack_modules(models, self._side))
                self._prove()
            except StackingError as error:
                name = type(models[0].encoder).__name__
                raise StackingError(f"{name} cannot be stacked: {error}") from error.__cause__

    def __len__(self) -> int:
        return len(self.members)

    def __call__(self, batch: Batch) -> list[Any]:
        """Return what the head of every model gives for a batch."""
        if len(self) == 1:
            return [self.model(batch)]
        self._side.rows = len(batch.ids) * len(self)
        masks = SharedDropout(len(self)) if self.model.training else nullcontext()
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

    def member_ndim(self, parameter: Tensor) -> int:
        """How many dimensions a parameter of ``model`` has in each of the members."""
        return parameter.ndim - (len(self) > 1)

    def member_slice(self, value: Tensor, number: int) -> Tensor:
        """The part of a (stacked) parameter, or of its gradient, that belongs to one member."""
        return value[number] if len(self) > 1 else value


def _parts(output: Any, count: int) -> list[Any]:
    """Split what a head gave, one tensor or a named tuple of them, by model."""
    if isinstance(output, Tensor):
        return list(output.chunk(count))
    return [type(output)(*parts) for parts in zip(*(o.chunk(count) for o in output), strict=True)]


def _tried(model: TaskModel, models: int, side: StackContext) -> Any:
    """What a model, or several, gives for made-up sentences of sizes that are not alike."""
    known = model.encoder.get_input_embeddings().num_embeddings
    rows, pieces = 3, 5  # as many models as there are, 3 × models is not 5
    ids = torch.arange(rows * pieces).view(rows, pieces) * 7919 % known
    words = torch.arange(rows * pieces)
    batch = Batch(ids, torch.ones_like(ids), words, words, torch.ones_like(ids).bool(), {})
    side.rows = rows * models
    training = model.training
    try:
        return model.eval()(batch.repeat(models).to(model.encoder.device))
    except (AttributeError, IndexError, RuntimeError, TypeError, ValueError) as error:
        raise StackingError(f"its code does not run on stacked weights: {error}") from error
    finally:
        model.train(training)


def _agree(alone: Any, together: Any) -> None:
    """Compare what a head gave; masked scores, the lowest that there are, are left out."""
    pairs = [(alone, together)] if isinstance(alone, Tensor) else zip(alone, together, strict=True)
    for one, other in pairs:
        if one.isnan().any():
            raise StackingError("a model gives what is no number, so that nothing can be proved")
        said = one.abs() < torch.finfo(one.dtype).max / 2
        most = one.abs().where(said, 0).max()
        off = (one - other).abs().where(said, 0).max() if one.shape == other.shape else torch.inf
        if not off <= TOLERANCE * most:
            raise StackingError("a model gives something else in a stack than by itself")
