"""Conformance checks for tasks: the properties that training, prediction and scoring rely on."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, grad, stack_module_state, vmap

from alignscope.data.sentence import Sentence
from alignscope.errors import DataError, TaskCheckError
from alignscope.tasks.check_inputs import CheckBatch, new_head, predict, random_sentences
from alignscope.tasks.counts import sentence_counts
from alignscope.tasks.task import Task

Check = Callable[[Task, Sequence[Sentence]], None]


def check_task(task: Task, sentences: Sequence[Sentence] | None = None) -> None:
    """Check that a task fulfils the contract of `Task`, in the manner of ``check_estimator``.

    >>> from alignscope.tasks import TASKS
    >>> check_task(TASKS["pos"])

    Args:
        task: The task.
        sentences: At least two gold sentences that differ in their annotations and in length.
            Default: random sentences with the annotations ``upos``, ``xpos``, ``feats``,
            ``heads``, ``relations``, ``entities`` and ``label``.

    Raises:
        TaskCheckError: for the first check that fails; the message describes the failure.
        DataError: if the sentences lack an annotation that the task needs.
    """
    gold = random_sentences() if sentences is None else sentences
    for name in task.needs:
        if any(name not in sentence.annotations for sentence in gold):
            raise DataError(
                f"The sentences lack {name}, which the task {task.name} needs. "
                "Pass sentences that have it to check_task."
            )
    for check in CHECKS:
        check(task, gold)


def check_labels(task: Task, gold: Sequence[Sentence]) -> None:
    """Check that labels are sorted, and independent of the order of sentences."""
    labels = task.labels(gold)
    _require(labels == tuple(sorted(set(labels))), f"labels returned {labels}, which is unsorted")
    _require(labels == task.labels(gold[::-1]), "labels depends on the order of sentences")
    _require(len(labels) > 1, "labels returned a single label, but the checks need at least two")


def check_missing_annotations(task: Task, gold: Sequence[Sentence]) -> None:
    """Check that missing sentences or annotations raise a DataError."""
    bare = gold[0].annotate(**dict.fromkeys(task.needs))
    labels = task.labels(gold)
    with _expect(DataError, "labels of no sentences"):
        task.labels([])
    with _expect(DataError, "encode of a sentence without annotations"):
        task.encode(bare, labels)
    with _expect(DataError, "majority of no sentences"):
        task.majority([])
    with _expect(DataError, "score of predictions without annotations"):
        task.score([gold[0]], [bare])


def check_mismatched_sentences(task: Task, gold: Sequence[Sentence]) -> None:
    """Check that predictions for other sentences are not scored."""
    with _expect(ValueError, "score of more gold sentences than predictions"):
        task.score(gold, gold[1:])
    with _expect(ValueError, "score of predictions with other words"):
        task.score(gold, [gold[1], *gold[1:]])


def check_encode(task: Task, gold: Sequence[Sentence]) -> None:
    """Check that encode returns one id per word, or one per sentence."""
    labels = task.labels(gold)
    for sentence in gold:
        for name, ids in task.encode(sentence, labels).items():
            _require(
                len(ids) in (len(sentence), 1),
                f"encode returned {len(ids)} entries of {name} for {len(sentence)} words",
            )
            _require(min(ids) >= 0, f"encode ignores a label of {name} that the source has")


def check_output(task: Task, gold: Sequence[Sentence]) -> None:
    """Check that the head returns finite numbers, one row per sentence."""
    batch = CheckBatch.of(task, gold)
    for tensor in _tensors(new_head(task, batch.labels)(batch.vectors, batch.mask)):
        _require(
            tensor.shape[0] == len(gold), f"the head returned {tensor.shape} for {len(gold)} rows"
        )
        _require(bool(tensor.isfinite().all()), "the head returned a number that is not finite")


def check_over_fitting(task: Task, gold: Sequence[Sentence]) -> None:
    """Check that a head can overfit a few sentences."""
    batch = CheckBatch.of(task, gold)
    head = new_head(task, batch.labels)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.02)
    losses = []
    for _ in range(60):
        loss = batch.loss(task, head)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    _require(
        losses[-1] < 0.1 * losses[0] < float("inf"),
        f"in 60 steps the loss only went from {losses[0]:g} to {losses[-1]:g}",
    )
    score = task.score(gold, predict(task, head, batch))[task.metrics[0]]
    _require(score > 0.99, f"after 60 steps {task.metrics[0]} on the same sentences is {score:g}")


def check_gradients(task: Task, gold: Sequence[Sentence]) -> None:
    """Check that the loss trains every parameter of the head."""
    batch = CheckBatch.of(task, gold)
    head = new_head(task, batch.labels).train()
    batch.loss(task, head).backward()  # type: ignore[no-untyped-call]
    for name, parameter in head.named_parameters():
        trained = parameter.grad is not None and bool(parameter.grad.abs().sum() > 0)
        _require(trained, f"the loss has no gradient for {name}")


def check_scores(task: Task, gold: Sequence[Sentence]) -> None:
    """Check that gold sentences score 1 in every metric, and predictions are valid as gold."""
    scores = task.score(gold, gold)
    _require(
        scores == dict.fromkeys(task.metrics, 1.0), f"gold sentences scored {scores}, not 1 each"
    )
    batch = CheckBatch.of(task, gold)
    predicted = predict(task, new_head(task, batch.labels), batch)
    _check_encodable(task, predicted, batch.labels)
    score = task.score(predicted, predicted)[task.metrics[0]]
    # 0 for a task such as NER, in which a prediction may find nothing at all.
    _require(score in (0.0, 1.0), f"predictions scored {score:g} against themselves")


def check_padding(task: Task, gold: Sequence[Sentence]) -> None:
    """Check that padding changes neither the loss nor a prediction."""
    batch = CheckBatch.of(task, gold)
    head = new_head(task, batch.labels)
    loss, expected = batch.loss(task, head).item(), predict(task, head, batch)
    for padding in (1, 30):
        padded = CheckBatch.of(task, gold, padding)
        difference = abs(padded.loss(task, head).item() - loss)
        _require(
            difference < 1e-5, f"{padding} columns of padding change the loss by {difference:g}"
        )
        _require(
            predict(task, head, padded) == expected,
            f"{padding} columns of padding change a prediction",
        )


def check_batching(task: Task, gold: Sequence[Sentence]) -> None:
    """Check that a prediction is independent of the other sentences of the batch."""
    batch = CheckBatch.of(task, gold)
    head = new_head(task, batch.labels)
    separate = [predict(task, head, batch.only(row))[0] for row in range(len(gold))]
    _require(
        separate == predict(task, head, batch), "a prediction depends on the rest of the batch"
    )


def check_mean_loss(task: Task, gold: Sequence[Sentence]) -> None:
    """Check that the loss is a mean over words, or over sentences if those have the labels."""
    batch = CheckBatch.of(task, gold)
    head = new_head(task, batch.labels)
    output = head(batch.vectors, batch.mask)
    per_sentence = any(isinstance(gold[0].annotations[name], str) for name in task.needs)
    weights = [1 if per_sentence else len(sentence) for sentence in gold]
    total = 0.0
    for row, weight in enumerate(weights):
        mask = torch.zeros_like(batch.mask)
        mask[row] = batch.mask[row]
        total += task.loss(output, batch.gold, mask).item() * weight
    mean, expected = task.loss(output, batch.gold, batch.mask).item(), total / sum(weights)
    _require(
        abs(mean - expected) <= 1e-5 * abs(expected),
        f"the loss is {mean:g}, but the mean over its parts is {expected:g}",
    )


def check_stacking(task: Task, gold: Sequence[Sentence]) -> None:
    """Check that the gradients of stacked heads are those of each head."""
    batch = CheckBatch.of(task, gold)
    heads = [new_head(task, batch.labels, seed) for seed in (1, 2)]

    def loss(parameters: dict[str, Tensor], vectors: Tensor) -> Tensor:
        output = functional_call(heads[0], parameters, (vectors, batch.mask))
        return task.loss(output, batch.gold, batch.mask)

    stacked, _ = stack_module_state(heads)
    vectors = torch.stack((batch.vectors, batch.vectors.flip(-1)))
    stacked_gradients = vmap(grad(loss))(stacked, vectors)
    for number, head in enumerate(heads):
        separate = grad(loss)(dict(head.named_parameters()), vectors[number])
        for name, gradient in separate.items():
            equal = torch.allclose(stacked_gradients[name][number], gradient, rtol=1e-4, atol=1e-5)
            _require(equal, f"the gradient of {name} changes when heads are stacked")


def check_seeds(task: Task, gold: Sequence[Sentence]) -> None:
    """Check that the weights of a head depend on the seed alone."""
    labels = task.labels(gold)
    first, same_seed, other_seed = (new_head(task, labels, seed).state_dict() for seed in (3, 3, 4))
    for name, value in first.items():
        _require(torch.equal(value, same_seed[name]), f"{name} differs between heads of one seed")
        _require(not torch.equal(value, other_seed[name]), f"{name} is the same for other seeds")


def check_majority(task: Task, gold: Sequence[Sentence]) -> None:
    """Check that the majority baseline predicts from words alone, and can be scored."""
    baseline = task.majority(gold)
    predicted = [baseline(Sentence(words=sentence.words)) for sentence in gold]
    _check_encodable(task, predicted, task.labels(gold))
    scores = task.score(gold, predicted)
    _require(tuple(scores) == task.metrics, f"score returned {tuple(scores)}, not the metrics")
    _require(
        all(0 <= score <= 1 for score in scores.values()),
        f"the majority baseline scored {scores}, but scores are fractions",
    )


def check_counts(task: Task, gold: Sequence[Sentence]) -> None:
    """Check that the counts of sentences, if the task has any, add up to the score."""
    batch = CheckBatch.of(task, gold)
    baseline = task.majority(gold)
    for predicted in (
        gold,
        predict(task, new_head(task, batch.labels), batch),
        [baseline(Sentence(words=sentence.words)) for sentence in gold],
    ):
        sentence_counts(task, gold, predicted)


CHECKS: tuple[Check, ...] = (
    check_labels,
    check_missing_annotations,
    check_mismatched_sentences,
    check_encode,
    check_output,
    check_over_fitting,
    check_gradients,
    check_scores,
    check_padding,
    check_batching,
    check_mean_loss,
    check_stacking,
    check_seeds,
    check_majority,
    check_counts,
)
"""Every check, in the order in which `check_task` runs them."""


def _tensors(output: Any) -> tuple[Tensor, ...]:
    return (output,) if isinstance(output, Tensor) else tuple(output)


def _check_encodable(task: Task, predicted: Sequence[Sentence], labels: Sequence[str]) -> None:
    for sentence in predicted:
        encoded = task.encode(sentence, labels)
        known = all(label_id >= 0 for ids in encoded.values() for label_id in ids)
        _require(known, "a prediction has a label that the source lacks")


def _require(condition: bool, problem: str) -> None:
    if not condition:
        raise TaskCheckError(f"The task does not fulfil its contract: {problem}.")


@contextmanager
def _expect(error: type[Exception], call: str) -> Iterator[None]:
    """Require that a block raises ``error``; ``call`` describes the block in the message."""
    try:
        yield
    except error:
        return
    except Exception as unexpected:
        raise TaskCheckError(
            f"The task does not fulfil its contract: {call} raised {type(unexpected).__name__} "
            f"instead of {error.__name__}."
        ) from unexpected
    raise TaskCheckError(
        f"The task does not fulfil its contract: {call} raised no {error.__name__}."
    )
