"""Fine-tuning: one loop for all tasks, for one model or for several in lockstep."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import torch

from alignscope._util.seeding import derive_seed
from alignscope.data.sentence import Sentence
from alignscope.encoders.batching import Batch, EncodedSentence, bucket_by_length
from alignscope.training.encoded_task import EncodedTask
from alignscope.training.loop import EpochMetrics, TrainingHistory, TrainingLoop
from alignscope.training.model import TaskModel
from alignscope.training.predict import predict_stacked
from alignscope.training.stacked.stack import StackedModel
from alignscope.training.trimmed_embeddings import TrimmedEmbedding

Progress = Callable[[int, int], None]
"""Called after every step as (step, steps), with steps counted from 1."""
AfterEpoch = Callable[[Sequence[int]], None]
"""Called after every epoch with the positions in the stack of the models that have not diverged."""


@dataclass(frozen=True)
class Observer:
    """Callbacks of a fine-tuning. They return nothing, so that no choice can depend on them."""

    step: Progress = lambda step, steps: None
    epoch: AfterEpoch | None = None
    """It may predict any sentences with the models of the stack, and must not change them. The
    epoch has been recorded by then, and the choice of the best epoch rests on dev scores alone."""


SILENT = Observer()


@dataclass(frozen=True)
class TrainingData:
    """The sentences that fine-tuning may see: the train and dev splits of the source.

    There is no field for a target, so that no choice can depend on one.
    """

    train: Sequence[Sentence]
    dev: Sequence[Sentence]


def fine_tune(
    model: TaskModel,
    encoded: EncodedTask,
    data: TrainingData,
    *,
    seed: int,
    progress: Progress = lambda step, steps: None,
) -> list[EpochMetrics]:
    """Fine-tune all weights of a model, and restore its best epoch on the source's dev split.

    .. code-block:: python

        config = TrainingConfig(learning_rate=1e-4)
        encoded = EncodedTask(task, task.labels(train), tokenizer, config)
        epochs = fine_tune(model, encoded, TrainingData(train, dev), seed=1)
        best = max(epochs, key=lambda epoch: epoch.dev_score)

    The optimizer is AdamW (Loshchilov & Hutter 2019) with linear warm-up and decay and gradient
    clipping. Data order and dropout draw from generators of their own, which depend on ``seed``
    alone, so that two models of the same shapes see the same batches and the same dropout masks.

    Args:
        model: an encoder with a fresh head; it is changed in place.
        encoded: the task with labels, tokenizer and training configuration.
        data: the train and dev sentences of the source.
        seed: seeds the order of batches and the dropout masks.
        progress: called after every step.

    Returns:
        The metrics of every epoch.

    Raises:
        DivergedError: if the loss or the gradient is not finite; the message names the step.
    """
    stack = StackedModel([model])
    observer = Observer(step=progress)
    (history,) = fine_tune_stacked(stack, encoded, data, seed=seed, observer=observer)
    if history.error is not None:
        raise history.error
    return history.epochs


def fine_tune_stacked(
    stack: StackedModel,
    encoded: EncodedTask,
    data: TrainingData,
    *,
    seed: int,
    observer: Observer = SILENT,
) -> list[TrainingHistory]:
    """Fine-tune the models of a stack in lockstep, each as `fine_tune` does alone.

    The models share batches and nothing else: each has its own loss, gradient, clipping and best
    epoch. A model that diverges is dropped; the others continue.

    Args:
        stack: models with fresh heads; they are changed in place.
        encoded: the task with labels, tokenizer and training configuration.
        data: the train and dev sentences of the source.
        seed: seeds the order of batches and the dropout masks.
        observer: called after every step and after every epoch.

    Returns:
        The history of every model, with the error that ended it if it diverged.
    """
    examples = encoded.encode(data.train)
    epochs = _draw_batches(examples, encoded, seed)
    trimmed = TrimmedEmbedding(stack, _subword_ids(examples, encoded, data.dev))
    loop = TrainingLoop(stack, encoded, sum(map(len, epochs)))
    with torch.random.fork_rng():
        for number, epoch in enumerate(epochs, start=1):
            # Seeded by epoch, so that random draws of the evaluation in between cannot matter.
            torch.manual_seed(derive_seed(seed, "dropout", number))
            stack.model.train()
            for group in epoch:
                loop.update(encoded.collate(group))
                observer.step(loop.step, loop.steps)
            loop.check_divergence()
            if not loop.alive:
                break
            scores = _dev_scores(stack, loop.alive, encoded, data.dev)
            loop.end_epoch(scores, last=number == len(epochs))
            if observer.epoch is not None:
                with trimmed.reading_all(loop.decay):
                    observer.epoch(tuple(loop.alive))
    trimmed.restore(loop.restore_best())
    return loop.histories


def time_steps(
    stack: StackedModel, encoded: EncodedTask, data: TrainingData, *, seed: int, max_steps: int
) -> list[float]:
    """Take the first steps of `fine_tune_stacked`, and return when each of them ended.

    The models are changed, and must not be used afterwards.

    Args:
        stack: models with fresh heads.
        encoded: the task with labels, tokenizer and training configuration.
        data: the train and dev sentences of the source.
        seed: seeds the order of batches and the dropout masks.
        max_steps: the number of steps to take; fewer if fine-tuning has fewer.

    Returns:
        The end of each step in seconds of a monotonic clock.
    """
    examples = encoded.encode(data.train)
    epochs = _draw_batches(examples, encoded, seed)
    TrimmedEmbedding(stack, _subword_ids(examples, encoded, data.dev))
    loop = TrainingLoop(stack, encoded, sum(map(len, epochs)))
    ends = []
    with torch.random.fork_rng():
        stack.model.train()
        for group in islice(chain.from_iterable(epochs), max_steps):
            loop.update(encoded.collate(group))
            ends.append(synchronized_time())
    return ends


def synchronized_time() -> float:
    """Return a monotonic time in seconds, after a GPU has finished the work given to it."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.monotonic()


def largest_batch(encoded: EncodedTask, data: TrainingData) -> tuple[Batch, int]:
    """Return the batch with the most subwords, and how many rows of word embeddings are trained."""
    examples = encoded.encode(data.train)
    costs = [example.cost for example in examples]
    groups = bucket_by_length(costs, encoded.config.tokens_per_batch)
    largest = max(groups, key=lambda group: len(group) * max(costs[i] for i in group))
    batch = encoded.collate([examples[i] for i in largest])
    return batch, len(set(_subword_ids(examples, encoded, data.dev)))


def count_steps(encoded: EncodedTask, train: Sequence[Sentence]) -> int:
    """Return about how many steps a fine-tuning takes; each epoch mixes its batches anew."""
    costs = [example.cost for example in encoded.encode_unlabelled(train)]
    return encoded.config.epochs * len(bucket_by_length(costs, encoded.config.tokens_per_batch))


def _subword_ids(
    examples: Sequence[EncodedSentence], encoded: EncodedTask, dev: Sequence[Sentence]
) -> Iterator[int]:
    """Yield every subword that training and evaluation on dev read, and the padding."""
    yield encoded.tokenizer.pad
    for example in (*examples, *encoded.encode_unlabelled(dev)):
        for chunk in example.subwords.chunks:
            yield from chunk


def _draw_batches(
    examples: list[EncodedSentence], encoded: EncodedTask, seed: int
) -> list[list[list[EncodedSentence]]]:
    """Draw the batches of every epoch, before the first step."""
    generator = torch.Generator().manual_seed(derive_seed(seed, "order"))
    costs = [example.cost for example in examples]
    epochs = (
        bucket_by_length(costs, encoded.config.tokens_per_batch, generator)
        for _ in range(encoded.config.epochs)
    )
    return [[[examples[i] for i in group] for group in groups] for groups in epochs]


def _dev_scores(
    stack: StackedModel, alive: Sequence[int], encoded: EncodedTask, dev: Sequence[Sentence]
) -> list[float]:
    predictions = predict_stacked(stack, alive, encoded, {"dev": dev})
    return [encoded.primary_score(dev, of["dev"].sentences) for of in predictions]
