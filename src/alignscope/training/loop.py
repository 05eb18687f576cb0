"""Optimisation steps of a stack: losses, clipping, divergence, and the best epoch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from alignscope.config.schedule import SCHEDULES
from alignscope.encoders.batching import Batch
from alignscope.encoders.precision import autocast
from alignscope.errors import DivergedError
from alignscope.training.encoded_task import EncodedTask
from alignscope.training.optimizer import DecoupledDecay, clip_gradients, make_optimizer
from alignscope.training.stacked.stack import StackedModel

CHECK_EVERY = 100
"""Steps between two checks for divergence. Each check waits for the GPU to finish its work."""


@dataclass(frozen=True)
class EpochMetrics:
    """Metrics of one pass over the training sentences."""

    epoch: int
    """Counted from 1."""
    steps: int
    """Optimisation steps from the first epoch to the end of this one."""
    loss: float
    """Mean over the steps of this epoch."""
    dev_score: float
    """The task's first metric on the dev split, a fraction."""


@dataclass
class TrainingHistory:
    """The epochs of a fine-tuning and, if it diverged, the error that ended it."""

    epochs: list[EpochMetrics] = field(default_factory=list)
    error: DivergedError | None = None

    @property
    def best(self) -> int:
        """The epoch whose weights the model has, counted from 1: the first of the best on dev."""
        return max(self.epochs, key=lambda epoch: epoch.dev_score).epoch


class TrainingLoop:
    """The state of a fine-tuning: optimizer, losses that are not yet checked, histories.

    ``alive`` holds the positions in the stack of the models that have not diverged.
    """

    def __init__(self, stack: StackedModel, encoded: EncodedTask, steps: int) -> None:
        self.stack, self.encoded, self.steps = stack, encoded, steps
        self.step = 0
        self.alive = list(range(len(stack)))
        self.histories = [TrainingHistory() for _ in self.alive]
        self._optimizer = make_optimizer(stack, encoded.config)
        schedule = SCHEDULES[encoded.config.schedule]
        factor = schedule.factor(steps, encoded.config.warmup)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimizer, factor)
        word_embeddings = stack.encoder.get_input_embeddings().weight
        self._decay = DecoupledDecay(self._optimizer, word_embeddings)
        self._unchecked: list[Tensor] = []
        self._losses: list[list[float]] = [[] for _ in self.alive]
        self._best = BestWeights(stack)

    def update(self, batch: Batch) -> None:
        """Take one optimisation step with every model."""
        batch = batch.to(self.stack.encoder.device)
        with autocast(self.stack.encoder, self.encoded.config.precision):
            outputs = self.stack(batch)
        losses = torch.stack([self.encoded.loss(output, batch) for output in outputs])
        self._optimizer.zero_grad(set_to_none=True)
        losses.sum().backward()  # type: ignore[no-untyped-call]
        norms = clip_gradients(self.stack, self.encoded.config.max_grad_norm)
        self._optimizer.step()
        self._schedule.step()
        self.step += 1
        self._unchecked.append(torch.stack([losses.detach(), norms]))
        if len(self._unchecked) == CHECK_EVERY:
            self.check_divergence()

    def check_divergence(self) -> None:
        """Drop the models whose loss or gradient was not finite in a step since the last check."""
        if not self._unchecked:
            return
        first = self.step - len(self._unchecked) + 1
        for step, (losses, norms) in enumerate(torch.stack(self._unchecked).tolist(), start=first):
            for member in tuple(self.alive):
                self._losses[member].append(losses[member])
                if not math.isfinite(losses[member]):
                    self._drop(member, f"the loss is {losses[member]}", step)
                elif not math.isfinite(norms[member]):
                    self._drop(member, f"the gradient's norm is {norms[member]}", step)
        self._unchecked.clear()

    def _drop(self, member: int, reason: str, step: int) -> None:
        error = DivergedError(f"{reason} at step {step} of {self.steps}")
        self.histories[member].error = error
        self.alive.remove(member)

    def end_epoch(self, scores: Sequence[float], *, last: bool) -> None:
        """Record the dev score of every model alive, and keep its weights if it is the best yet."""
        for member, score in zip(self.alive, scores, strict=True):
            losses, epochs = self._losses[member], self.histories[member].epochs
            mean = sum(losses) / len(losses)
            epochs.append(EpochMetrics(len(epochs) + 1, self.step, mean, score))
            losses.clear()
            self._best.update(member, score, self._decay.total, keep=not last)

    @property
    def decay(self) -> float:
        """The factor of `DecoupledDecay` so far, which all models share."""
        return self._decay.total

    def restore_best(self) -> list[float]:
        """Restore every model's best epoch; return the factor of `DecoupledDecay` by then."""
        self._best.restore()
        return self._best.decays


class BestWeights:
    """The weights of every model's best epoch so far; among equal epochs the first one."""

    def __init__(self, stack: StackedModel) -> None:
        self.stack = stack
        self.scores = [-math.inf] * len(stack)
        self.decays = [1.0] * len(stack)
        self._kept: list[Tensor] = []
        self._outdated: set[int] = set()
        """Models whose current weights are not those of their best epoch."""

    def update(self, member: int, score: float, decay: float, *, keep: bool) -> None:
        """Record the score of an epoch, and copy the weights if training continues.

        Args:
            member: the position of the model in the stack.
            score: the dev score of the epoch.
            decay: the factor of `DecoupledDecay` after the epoch.
            keep: whether there are epochs to come, which change the weights.
        """
        self._outdated.add(member)
        if score <= self.scores[member]:
            return
        self.scores[member], self.decays[member] = score, decay
        if not keep:
            self._outdated.remove(member)
            return
        current = [parameter.detach() for parameter in self._trained()]
        self._kept = self._kept or [torch.empty_like(value) for value in current]
        for kept, value in zip(self._kept, current, strict=True):
            self.stack.member_slice(kept, member).copy_(self.stack.member_slice(value, member))

    def restore(self) -> None:
        """Give every model the weights of its best epoch back."""
        for member in self._outdated:
            for kept, parameter in zip(self._kept, self._trained(), strict=True):
                current = self.stack.member_slice(parameter.detach(), member)
                current.copy_(self.stack.member_slice(kept, member))

    def _trained(self) -> list[nn.Parameter]:
        """Return the weights that training changes; a frozen window needs no copy."""
        return [parameter for parameter in self.stack.model.parameters() if parameter.requires_grad]
