"""Optimisation steps of a stack: losses, clipping, the best epoch, and what diverges."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from alignscope.config.run import TrainingConfig
from alignscope.encoders.batching import Batch
from alignscope.encoders.precision import autocast, to_float32
from alignscope.errors import DivergedError
from alignscope.tasks.task import Task
from alignscope.training.optimizer import clip_gradients, make_optimizer
from alignscope.training.schedule import linear_warmup_decay
from alignscope.training.stacked.stack import StackedModel

CHECK_EVERY = 100
"""Steps between two looks at the losses: each look waits for a GPU to be done."""


@dataclass(frozen=True)
class EpochMetrics:
    """One pass over the training sentences: counted from 1, mean loss, score on dev."""

    epoch: int
    steps: int
    loss: float
    dev_score: float


TrainingHistory = list[EpochMetrics] | DivergedError
"""The epochs of a fine-tuning, or how it went astray."""


class TrainingLoop:
    """Where a fine-tuning is: optimiser, losses not yet looked at, and what became of each model.

    ``alive`` are the models that have not diverged, by their numbers in the stack.
    """

    def __init__(
        self, stack: StackedModel, task: Task, training: TrainingConfig, steps: int
    ) -> None:
        self.stack, self.task, self.training, self.steps = stack, task, training, steps
        self.step = 0
        self.alive = list(range(len(stack)))
        self.courses: list[TrainingHistory] = [[] for _ in self.alive]
        self._optimizer = make_optimizer(stack, training)
        ramp = linear_warmup_decay(steps, training.warmup)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimizer, ramp)
        self._unseen: list[Tensor] = []
        self._losses: list[list[float]] = [[] for _ in self.alive]
        self._best = BestWeights(stack)
        self._decay = 1.0
        """What the decay of all steps so far leaves of a row that has no gradient."""

    def update(self, batch: Batch) -> None:
        """Take one optimisation step with every model."""
        batch = batch.to(self.stack.encoder.device)
        with autocast(self.stack.encoder, self.training.precision):
            outputs = self.stack(batch)
        losses = torch.stack(
            [self.task.loss(to_float32(output), batch.gold, batch.mask) for output in outputs]
        )
        self._optimizer.zero_grad(set_to_none=True)
        losses.sum().backward()  # type: ignore[no-untyped-call]
        norms = clip_gradients(self.stack, self.training.max_grad_norm)
        self._decay *= 1 - self._optimizer.param_groups[0]["lr"] * self.training.weight_decay
        self._optimizer.step()
        self._schedule.step()
        self.step += 1
        self._unseen.append(torch.stack([losses.detach(), norms]))
        if len(self._unseen) == CHECK_EVERY:
            self.check_divergence()

    def check_divergence(self) -> None:
        """Let go of the models whose loss or gradient was not finite in a step since the last."""
        if not self._unseen:
            return
        first = self.step - len(self._unseen) + 1
        for step, values in enumerate(torch.stack(self._unseen).tolist(), start=first):
            for number in tuple(self.alive):
                loss, norm = values[0][number], values[1][number]
                self._losses[number].append(loss)
                for name, value in (("loss", loss), ("gradient's norm", norm)):
                    if not math.isfinite(value) and number in self.alive:
                        where = f"step {step} of {self.steps}"
                        self.courses[number] = DivergedError(f"the {name} is {value} at {where}")
                        self.alive.remove(number)
        self._unseen.clear()

    def end_epoch(self, scores: Sequence[float], *, last: bool) -> None:
        """Note the score on dev of every model alive, and its weights if it never was better."""
        for number, score in zip(self.alive, scores, strict=True):
            losses, course = self._losses[number], self.courses[number]
            assert isinstance(course, list)
            mean = sum(losses) / len(losses)
            course.append(EpochMetrics(len(course) + 1, self.step, mean, score))
            losses.clear()
            self._best.update(number, score, self._decay, keep=not last)

    def restore_best(self) -> list[float]:
        """Give every model the weights of its best epoch; return its ``decay`` by then."""
        self._best.restore()
        return self._best.decays


class BestWeights:
    """The weights of every model's best epoch so far; the first of equals stays."""

    def __init__(self, stack: StackedModel) -> None:
        self.stack = stack
        self.scores = [-math.inf] * len(stack)
        self.decays = [1.0] * len(stack)
        self._kept: list[Tensor] = []
        self._older: set[int] = set()
        """Models that are now as after another epoch than their best."""

    def update(self, number: int, score: float, decay: float, *, keep: bool) -> None:
        """Take note of a score; copy the weights only if there is more training to come."""
        self._older.add(number)
        if score <= self.scores[number]:
            return
        self.scores[number], self.decays[number] = score, decay
        if not keep:
            self._older.remove(number)
            return
        now = [parameter.detach() for parameter in self.stack.model.parameters()]
        self._kept = self._kept or [torch.empty_like(value) for value in now]
        for kept, value in zip(self._kept, now, strict=True):
            self.stack.member_slice(kept, number).copy_(self.stack.member_slice(value, number))

    def restore(self) -> None:
        """Give every model its best weights back."""
        for number in self._older:
            for kept, parameter in zip(self._kept, self.stack.model.parameters(), strict=True):
                now = self.stack.member_slice(parameter.detach(), number)
                now.copy_(self.stack.member_slice(kept, number))
