"""Fine-tuning: the one loop for all tasks."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from alignscope.batching import Batch, Example, collate
from alignscope.buckets import plan_batches
from alignscope.data.sentence import Sentence
from alignscope.errors import DivergedError
from alignscope.evaluation import predict
from alignscope.model import Model
from alignscope.precision import autocast, single
from alignscope.seeds import derive
from alignscope.study import Training
from alignscope.subwords import Subwords
from alignscope.tasks.task import Task

Progress = Callable[[int, int], None]
"""Called as (step, steps)."""


@dataclass(frozen=True)
class Source:
    """What fine-tuning may see: the source's train and dev splits, and the labels they teach.

    There is no place for a target here, so that no choice can depend on one.
    """

    train: Sequence[Sentence]
    dev: Sequence[Sentence]
    labels: Sequence[str]


@dataclass(frozen=True)
class Epoch:
    """One pass over the training sentences: counted from 1, mean loss, score on dev."""

    epoch: int
    steps: int
    loss: float
    dev_score: float


def fine_tune(
    model: Model,
    task: Task,
    source: Source,
    subwords: Subwords,
    training: Training,
    *,
    seed: int,
    device: torch.device,
    progress: Progress = lambda step, steps: None,
) -> list[Epoch]:
    """Fine-tune everything and leave the model as after its best epoch on the source's dev split.

    >>> max(fine_tune(model, task, source, subwords, training, seed=1, device=cpu),
    ...     key=lambda epoch: epoch.dev_score)
    Epoch(epoch=3, steps=120, loss=0.11, dev_score=0.95)

    AdamW (Loshchilov & Hutter 2019) with linear warm-up and decay and gradient clipping. Data
    order and dropout draw from generators of their own, both functions of ``seed``, so
    that two models of the same shapes see the same batches and the same dropout masks.

    Raises:
        DivergedError: if the loss or the gradient is not finite; the message names the step.
    """
    plan = _plan(_examples(task, source, subwords), training, seed)
    steps = sum(map(len, plan))
    optimizer = _optimizer(model, training)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _ramp(steps, training.warmup))
    best, history, step = _Best(), [], 0
    with torch.random.fork_rng():
        for number, epoch in enumerate(plan, start=1):
            # Seeded by epoch, so that what evaluation draws between epochs cannot matter.
            torch.manual_seed(derive(seed, "dropout", number))
            losses = []
            model.train()
            for examples in epoch:
                batch = collate(examples, subwords.pad, training.pooling).to(device)
                step += 1
                where = f"step {step} of {steps}"
                losses.append(_update(model, task, batch, optimizer, training, where))
                schedule.step()
                progress(step, steps)
            score = _dev_score(model, task, source, subwords, training, device)
            history.append(Epoch(number, step, sum(losses) / len(losses), score))
            best.offer(model, score)
    best.restore(model)
    return history


def _examples(task: Task, source: Source, subwords: Subwords) -> list[Example]:
    split = subwords.split(source.train)
    return [
        Example(pieces, task.encode(sentence, source.labels))
        for sentence, pieces in zip(source.train, split, strict=True)
    ]


def _plan(examples: list[Example], training: Training, seed: int) -> list[list[list[Example]]]:
    """The batches of every epoch, drawn before the first step."""
    generator = torch.Generator().manual_seed(derive(seed, "order"))
    costs = [example.cost for example in examples]
    return [
        [[examples[i] for i in group] for group in groups]
        for groups in (
            plan_batches(costs, training.batch_pieces, generator) for _ in range(training.epochs)
        )
    ]


def _optimizer(model: Model, training: Training) -> torch.optim.Optimizer:
    """AdamW with one rate for the encoder and one for the head; vectors are not decayed."""
    groups: list[dict[str, Any]] = []
    for part, rate in (
        (model.encoder, training.learning_rate),
        (model.head, training.head_learning_rate),
    ):
        for decay, chosen in (
            (training.weight_decay, [p for p in part.parameters() if p.ndim > 1]),
            (0.0, [p for p in part.parameters() if p.ndim < 2]),
        ):
            groups.append({"params": chosen, "lr": rate, "weight_decay": decay})
    return torch.optim.AdamW(groups, fused=True)


def _ramp(steps: int, warmup: float) -> Callable[[int], float]:
    """Linear warm-up over a fraction of the steps, then linear decay to zero."""
    warm = math.ceil(warmup * steps)

    def factor(step: int) -> float:
        if step < warm:
            return (step + 1) / warm
        return max(0.0, (steps - step) / max(1, steps - warm))

    return factor


def _update(
    model: Model,
    task: Task,
    batch: Batch,
    optimizer: torch.optim.Optimizer,
    training: Training,
    where: str,
) -> float:
    """Take one optimisation step and return the loss of the batch."""
    with autocast(model.encoder, training.precision):
        output = model(batch)
    loss = task.loss(single(output), batch.gold, batch.mask)
    value = _finite("loss", loss, where)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    norm = nn.utils.clip_grad_norm_(model.parameters(), training.clip)
    # A step along it would make every weight NaN, and only the next loss would show it.
    _finite("gradient's norm", norm, where)
    optimizer.step()
    return value


def _finite(name: str, value: Tensor, where: str) -> float:
    number = value.item()
    if not math.isfinite(number):
        raise DivergedError(f"the {name} is {number} at {where}")
    return number


def _dev_score(
    model: Model,
    task: Task,
    source: Source,
    subwords: Subwords,
    training: Training,
    device: torch.device,
) -> float:
    found = predict(model, task, source.labels, source.dev, subwords, training, device)
    return task.score(source.dev, found.sentences)[task.metrics[0]]


class _Best:
    """The weights of the best epoch so far; the first of equals stays."""

    def __init__(self) -> None:
        self.score = -math.inf
        self.weights: dict[str, Tensor] = {}

    def offer(self, model: Model, score: float) -> None:
        if score > self.score:
            self.score = score
            self.weights = {name: value.clone() for name, value in model.state_dict().items()}

    def restore(self, model: Model) -> None:
        model.load_state_dict(self.weights)
