"""Every built-in task passes the conformance checks, and broken tasks fail them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from alignscope.data.sentence import Sentence
from alignscope.errors import DataError, TaskCheckError
from alignscope.tasks import TASKS, Annotations, Task, check_task, checks, get_annotation
from alignscope.tasks.check_inputs import CheckBatch, new_head, predict
from alignscope.tasks.checks import CHECKS, Check
from alignscope.tasks.pos import PosTagging
from alignscope.tasks.tagging import TaggingHead

every_task = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())


@every_task
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_built_in_tasks_pass_every_check(check: Check, task: Task, gold: list[Sentence]) -> None:
    check(task, gold)


@every_task
def test_the_name_of_a_task_is_its_key(task: Task) -> None:
    assert TASKS[task.name] is task


@every_task
def test_an_untrained_head_does_not_score_well(task: Task, gold: list[Sentence]) -> None:
    batch = CheckBatch.of(task, gold)
    predicted = predict(task, new_head(task, batch.labels), batch)
    assert task.score(gold, predicted)[task.metrics[0]] < 0.9


class UnsortedLabels(PosTagging):
    def labels(self, train: Sequence[Sentence]) -> tuple[str, ...]:
        return super().labels(train)[::-1]


class SilentOnMissing(PosTagging):
    def encode(self, sentence: Sentence, labels: Sequence[str]) -> dict[str, list[int]]:
        return super().encode(sentence, labels) if sentence.upos else {}


class OneIdTooMany(PosTagging):
    def encode(self, sentence: Sentence, labels: Sequence[str]) -> dict[str, list[int]]:
        return {name: [*ids, 0] for name, ids in super().encode(sentence, labels).items()}


class InfiniteScores(PosTagging):
    def head(self, hidden: int, labels: Sequence[str]) -> TaggingHead:
        head = super().head(hidden, labels)
        nn.init.constant_(head.linear.bias, torch.inf)
        return head


class DoesNotLearn(PosTagging):
    def loss(self, output: Tensor, gold: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        return super().loss(output, gold, mask) * 0 + output.sum() * 0 + 1


class UnusedParameter(PosTagging):
    def head(self, hidden: int, labels: Sequence[str]) -> TaggingHead:
        head = super().head(hidden, labels)
        head.more = nn.Linear(2, 2)
        return head


class GoldIsNotPerfect(PosTagging):
    def score(self, gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> dict[str, float]:
        return {"accuracy": 0.5 * super().score(gold, predicted)["accuracy"] + 0.495}


class CountsPadding(PosTagging):
    def loss(self, output: Tensor, gold: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        return super().loss(output, gold, torch.ones_like(mask))


class DependsOnBatch(PosTagging):
    def decode(
        self, output: Tensor, lengths: Sequence[int], labels: Sequence[str]
    ) -> list[Annotations]:
        return super().decode(output * (1 if len(lengths) > 1 else -1), lengths, labels)


class SummedLoss(PosTagging):
    def loss(self, output: Tensor, gold: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        return super().loss(output, gold, mask) * mask.sum()


class FixedHead(PosTagging):
    def head(self, hidden: int, labels: Sequence[str]) -> TaggingHead:
        head = super().head(hidden, labels)
        nn.init.ones_(head.linear.weight)
        return head


class NoFractions(PosTagging):
    def score(self, gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> dict[str, float]:
        score = super().score(gold, predicted)["accuracy"]
        return {"accuracy": 100 * score if 0 < score < 1 else score}


class ScoresAnything(PosTagging):
    def score(self, gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> dict[str, float]:
        for sentence in predicted:
            get_annotation(sentence, self.annotation)
        return {"accuracy": 1.0}


class CountsEveryWord(PosTagging):
    def sentence_counts(
        self, gold: Sequence[Sentence], predicted: Sequence[Sentence]
    ) -> list[tuple[int, int]]:
        return [(len(sentence), len(sentence)) for sentence in gold]


class MixesModels(PosTagging):
    """Doubles every second loss, as a task with state between calls might."""

    calls = 0

    def loss(self, output: Tensor, gold: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        MixesModels.calls += 1
        return super().loss(output, gold, mask) * (1 + MixesModels.calls % 2)


BROKEN: list[tuple[type[PosTagging], Check, str]] = [
    (UnsortedLabels, checks.check_labels, "is unsorted"),
    (
        SilentOnMissing,
        checks.check_missing_annotations,
        "encode of a sentence without annotations raised no DataError",
    ),
    (
        ScoresAnything,
        checks.check_mismatched_sentences,
        "score of more gold sentences than predictions raised no ValueError",
    ),
    (OneIdTooMany, checks.check_encode, "encode returned 6 entries of upos for 5 words"),
    (InfiniteScores, checks.check_output, "the head returned a number that is not finite"),
    (DoesNotLearn, checks.check_over_fitting, "in 60 steps the loss only went from 1 to 1"),
    (UnusedParameter, checks.check_gradients, "the loss has no gradient for more.weight"),
    (GoldIsNotPerfect, checks.check_scores, "gold sentences scored"),
    (CountsPadding, checks.check_padding, "columns of padding change the loss by"),
    (DependsOnBatch, checks.check_batching, "a prediction depends on the rest of the batch"),
    (SummedLoss, checks.check_mean_loss, "but the mean over its parts is"),
    (MixesModels, checks.check_stacking, "the gradient of linear.weight changes when"),
    (FixedHead, checks.check_seeds, "linear.weight is the same for other seeds"),
    (NoFractions, checks.check_majority, "but scores are fractions"),
    (CountsEveryWord, checks.check_counts, "sentence_counts adds up to 1, but the accuracy is"),
]


@pytest.mark.parametrize(
    ("task", "check", "problem"), BROKEN, ids=[task.__name__ for task, _, _ in BROKEN]
)
def test_a_broken_task_fails_its_check(
    task: type[PosTagging], check: Check, problem: str, gold: list[Sentence]
) -> None:
    with pytest.raises(TaskCheckError) as caught:
        check(task(), gold)
    assert problem in str(caught.value)
    assert str(caught.value).startswith("The task does not fulfil its contract: ")
    with pytest.raises(TaskCheckError):
        check_task(task())


def test_every_check_has_a_task_that_fails_it() -> None:
    assert [check for _, check, _ in BROKEN] == list(CHECKS)


def test_sentences_without_the_annotation_are_refused(gold: list[Sentence]) -> None:
    with pytest.raises(DataError, match=r"^The sentences lack stress, which the task stress needs"):
        check_task(_stress_task())
    stressed = [sentence.annotate(stress=sentence.upos) for sentence in gold]
    check_task(_stress_task(), stressed)


def _stress_task() -> Any:
    task = PosTagging()
    task.name, task.annotation = "stress", "stress"
    return task
