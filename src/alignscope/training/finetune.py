"""Fine-tuning: the one loop for all tasks, for one model or for several in lockstep."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

from alignscope._util.seeding import derive_seed
from alignscope.config.run import TrainingConfig
from alignscope.data.sentence import Sentence
from alignscope.encoders.batching import Batch, EncodedSentence, bucket_by_length, collate
from alignscope.encoders.tokenization import TokenizedSentence, WordTokenizer
from alignscope.errors import DivergedError
from alignscope.tasks.task import Task
from alignscope.training.loop import EpochMetrics, TrainingHistory, TrainingLoop
from alignscope.training.model import TaskModel
from alignscope.training.predict import predict_stacked
from alignscope.training.stacked.stack import StackedModel
from alignscope.training.trimmed_embeddings import TrimmedEmbedding

Progress = Callable[[int, int], None]
"""Called as (step, steps)."""


@dataclass(frozen=True)
class TrainingData:
    """What fine-tuning may see: the source's train and dev splits, and the labels they teach.

    There is no place for a target here, so that no choice can depend on one.
    """

    train: Sequence[Sentence]
    dev: Sequence[Sentence]
    labels: Sequence[str]


def fine_tune(
    model: TaskModel,
    task: Task,
    source: TrainingData,
    subwords: WordTokenizer,
    training: TrainingConfig,
    *,
    seed: int,
    progress: Progress = lambda step, steps: None,
) -> list[EpochMetrics]:
    """Fine-tune everything and leave the model as after its best epoch on the source's dev split.

    >>> max(fine_tune(model, task, source, subwords, training, seed=1),
    ...     key=lambda epoch: epoch.dev_score)
    Epoch(epoch=3, steps=120, loss=0.11, dev_score=0.95)

    AdamW (Loshchilov & Hutter 2019) with linear warm-up and decay and gradient clipping. Data
    order and dropout draw from generators of their own, both functions of ``seed``, so
    that two models of the same shapes see the same batches and the same dropout masks.

    Raises:
        DivergedError: if the loss or the gradient is not finite; the message names the step.
    """
    (found,) = fine_tune_stacked(
        StackedModel([model]), task, source, subwords, training, seed=seed, progress=progress
    )
    if isinstance(found, DivergedError):
        raise found
    return found


def fine_tune_stacked(
    stack: StackedModel,
    task: Task,
    source: TrainingData,
    subwords: WordTokenizer,
    training: TrainingConfig,
    *,
    seed: int,
    progress: Progress = lambda step, steps: None,
) -> list[TrainingHistory]:
    """Fine-tune the models of a stack in lockstep, each as `fine_tune` does by itself.

    They share batches and nothing else: each has its own loss, gradient, clipping and best
    epoch. One that diverges is let go, and the others go on.
    """
    examples = _examples(task, source, subwords)
    plan = _plan(examples, training, seed)
    read = TrimmedEmbedding(stack, _ids(examples, subwords.split(source.dev), subwords.pad))
    loop = TrainingLoop(stack, task, training, sum(map(len, plan)))
    with torch.random.fork_rng():
        for number, epoch in enumerate(plan, start=1):
            # Seeded by epoch, so that what evaluation draws between epochs cannot matter.
            torch.manual_seed(derive_seed(seed, "dropout", number))
            stack.model.train()
            for group in epoch:
                loop.update(collate(group, subwords.pad, training.pooling))
                progress(loop.step, loop.steps)
            loop.check_divergence()
            if not loop.alive:
                break
            scores = _dev_scores(stack, loop.alive, task, source, subwords, training)
            loop.end_epoch(scores, last=number == len(plan))
    read.restore(loop.restore_best())
    return loop.courses


def largest_batch(
    task: Task, source: TrainingData, subwords: WordTokenizer, training: TrainingConfig
) -> tuple[Batch, int]:
    """The batch with the most sub-words, and how many rows of word embeddings are trained."""
    examples = _examples(task, source, subwords)
    costs = [example.cost for example in examples]
    groups = bucket_by_length(costs, training.tokens_per_batch)
    largest = max(groups, key=lambda group: len(group) * max(costs[i] for i in group))
    batch = collate([examples[i] for i in largest], subwords.pad, training.pooling)
    return batch, len(set(_ids(examples, subwords.split(source.dev), subwords.pad)))


def count_steps(source: TrainingData, subwords: WordTokenizer, training: TrainingConfig) -> int:
    """About how many optimisation steps a fine-tuning takes: epochs are mixed anew."""
    costs = [pieces.longest * len(pieces.chunks) for pieces in subwords.split(source.train)]
    return training.epochs * len(bucket_by_length(costs, training.tokens_per_batch))


def _examples(task: Task, source: TrainingData, subwords: WordTokenizer) -> list[EncodedSentence]:
    split = subwords.split(source.train)
    return [
        EncodedSentence(pieces, task.encode(sentence, source.labels))
        for sentence, pieces in zip(source.train, split, strict=True)
    ]


def _ids(
    examples: Sequence[EncodedSentence], dev: Sequence[TokenizedSentence], pad: int
) -> Iterator[int]:
    """Every sub-word that fine-tuning reads, and what fills batches up."""
    yield pad
    for pieces in (*(example.subwords for example in examples), *dev):
        for chunk in pieces.chunks:
            yield from chunk


def _plan(
    examples: list[EncodedSentence], training: TrainingConfig, seed: int
) -> list[list[list[EncodedSentence]]]:
    """The batches of every epoch, drawn before the first step."""
    generator = torch.Generator().manual_seed(derive_seed(seed, "order"))
    costs = [example.cost for example in examples]
    return [
        [[examples[i] for i in group] for group in groups]
        for groups in (
            bucket_by_length(costs, training.tokens_per_batch, generator)
            for _ in range(training.epochs)
        )
    ]


def _dev_scores(
    stack: StackedModel,
    alive: Sequence[int],
    task: Task,
    source: TrainingData,
    subwords: WordTokenizer,
    training: TrainingConfig,
) -> list[float]:
    corpora = {"dev": source.dev}
    found = predict_stacked(stack, alive, task, source.labels, corpora, subwords, training)
    return [task.score(source.dev, of["dev"].sentences)[task.metrics[0]] for of in found]
