"""Several models as one: their weights are stacked, and every operation runs once."""

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
"""The largest allowed difference between a stacked and a separate model, relative to the largest
output."""


class StackedModel:
    """Models of one shape that read the same batches, computed as one.

    .. code-block:: python

        stack = StackedModel([build_model(encoder, task, labels, seed=1) for encoder in encoders])
        outputs = stack(batch)  # one per model

    The models lie one after another along the batch dimension: first the sentences of the first
    model, then those of the second. Operations without parameters, such as attention, run
    unchanged on the concatenated batch. Modules with parameters are replaced by stacked versions,
    which apply each model's weights to its own rows. An encoder so runs through its own code and
    its fastest attention, in as many calls as one model takes. All models share one dropout mask,
    because runs that are trained alone also see the same masks.

    ``members`` are the models themselves. Their weights are views of the stacked weights, so that
    each of them is up to date at any time.

    Args:
        models: models of one shape; their modules share the stacked weights from then on.

    Raises:
        StackingError: if the models differ in shape, have weights that cannot be stacked, or
            compute something else in the stack than separately, on invented sentences.
    """

    def __init__(self, models: Sequence[TaskModel]) -> None:
        self.members = list(models)
        self._context = StackContext(len(models))
        self.model = models[0]
        if len(models) > 1:
            try:
                self.model = cast(TaskModel, stack_modules(models, self._context))
                self._verify()
            except StackingError as error:
                name = type(models[0].encoder).__name__
                raise StackingError(f"{name} cannot be stacked: {error}") from error.__cause__

    def __len__(self) -> int:
        return len(self.members)

    def __call__(self, batch: Batch) -> list[Any]:
        """Return the output of every model's head for a batch."""
        if len(self) == 1:
            return [self.model(batch)]
        self._context.rows = len(batch.ids) * len(self)
        masks = SharedDropout(len(self)) if self.model.training else nullcontext()
        with masks:
            return _split(self.model(batch.repeat(len(self))), len(self))

    @property
    def encoder(self) -> PreTrainedModel:
        """The stacked encoder."""
        return self.model.encoder

    @torch.no_grad()
    def _verify(self) -> None:
        """Check that every model computes the same in the stack as separately.

        Models whose windows differ are equal elsewhere. So that no mistake hides there, every
        weight is changed a little during the check.
        """
        stacked = list(self._context.stacked.values())
        kept = [parameter.clone() for parameter in stacked]
        generator = torch.Generator().manual_seed(len(kept))
        for parameter in stacked:
            noise = torch.randn(parameter.shape, generator=generator).to(parameter.device)
            parameter.addcmul_(parameter + 0.1, noise, value=0.1)
        try:
            separate = [_trial_output(member, 1, self._context) for member in self.members]
            stacked_output = _trial_output(self.model, len(self), self._context)
            for expected, output in zip(separate, _split(stacked_output, len(self)), strict=True):
                _check_agreement(expected, output)
        finally:
            for parameter, value in zip(stacked, kept, strict=True):
                parameter.copy_(value)

    def member_ndim(self, parameter: Tensor) -> int:
        """Return the number of dimensions that a parameter of ``model`` has in each member."""
        return parameter.ndim - (len(self) > 1)

    def member_slice(self, value: Tensor, member: int) -> Tensor:
        """Return one member's part of a stacked parameter or of its gradient."""
        return value[member] if len(self) > 1 else value


def _split(output: Any, count: int) -> list[Any]:
    """Split the output of a head, a tensor or a named tuple of tensors, by model."""
    if isinstance(output, Tensor):
        return list(output.chunk(count))
    return [type(output)(*parts) for parts in zip(*(o.chunk(count) for o in output), strict=True)]


def _trial_output(model: TaskModel, models: int, context: StackContext) -> Any:
    """Return the output for invented sentences.

    The numbers of sentences, of subwords and of models differ, so that mixed-up dimensions show.
    """
    vocabulary = model.encoder.get_input_embeddings().num_embeddings
    rows, length = 3, 5  # 3 × models is never 5
    ids = torch.arange(rows * length).view(rows, length) * 7919 % vocabulary
    words = torch.arange(rows * length)
    batch = Batch(ids, torch.ones_like(ids), words, words, torch.ones_like(ids).bool(), {})
    context.rows = rows * models
    training = model.training
    try:
        return model.eval()(batch.repeat(models).to(model.encoder.device))
    except (AttributeError, IndexError, RuntimeError, TypeError, ValueError) as error:
        raise StackingError(f"its code does not run on stacked weights ({error}).") from error
    finally:
        model.train(training)


def _check_agreement(separate: Any, stacked: Any) -> None:
    """Compare two outputs of a head, except for masked scores, which are the lowest possible."""
    is_tensor = isinstance(separate, Tensor)
    pairs = [(separate, stacked)] if is_tensor else zip(separate, stacked, strict=True)
    for expected, output in pairs:
        if expected.isnan().any():
            raise StackingError("an output contains NaN, so that stacking cannot be verified.")
        scored = expected.abs() < torch.finfo(expected.dtype).max / 2
        largest = expected.abs().where(scored, 0).max()
        difference: Tensor | float = torch.inf
        if expected.shape == output.shape:
            difference = (expected - output).abs().where(scored, 0).max()
        if not difference <= TOLERANCE * largest:
            raise StackingError("an output changes when the model is stacked.")
