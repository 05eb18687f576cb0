"""The outcome of every sentence is its own score, and all outcomes add up to the score."""

from collections.abc import Sequence

import numpy as np
import pytest

from alignscope.data.sentence import Sentence
from alignscope.errors import TaskCheckError
from alignscope.tasks import TASKS, Task, TokenTagging
from alignscope.tasks.check_inputs import random_sentences
from alignscope.tasks.counts import sentence_counts
from alignscope.tasks.ner import NamedEntityRecognition
from alignscope.tasks.pos import PosTagging


def predictions(task: Task, gold: Sequence[Sentence], seed: int) -> list[Sentence]:
    """Return gold sentences in which some have the annotations of others, cut to their length."""
    draw = np.random.default_rng(seed)
    others = sorted(random_sentences(seed), key=len, reverse=True)
    predicted = []
    for sentence in gold:
        other = others[0] if draw.random() < 0.7 else sentence
        fields = {name: other.annotations[name] for name in task.needs}
        cut = {
            name: value if isinstance(value, str) else value[: len(sentence)]
            for name, value in fields.items()
        }
        predicted.append(sentence.annotate(**cut))
    return predicted


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())
def test_counts_are_the_scores_of_single_sentences(task: Task, seed: int) -> None:
    gold = random_sentences(seed)
    predicted = predictions(task, gold, seed)
    counts = sentence_counts(task, gold, predicted)
    assert counts is not None
    metric = task.metrics[0]
    for (numerator, denominator), one, other in zip(counts, gold, predicted, strict=True):
        score = task.score([one], [other])[metric]
        assert numerator == pytest.approx(score * denominator, abs=1e-12)
    numerator, denominator = counts.sum(axis=0)
    score = task.score(gold, predicted)[metric]
    assert numerator / denominator == pytest.approx(score, abs=1e-12)
    assert 0 < score < 1


def test_denominators_are_words_or_spans(gold: list[Sentence]) -> None:
    for name, size in (("pos", len), ("parsing", len), ("classification", lambda _: 1)):
        counts = sentence_counts(TASKS[name], gold, gold)
        assert counts is not None
        assert counts.tolist() == [[size(sentence)] * 2 for sentence in gold]
    tags = Sentence(("Ada", "met", "Bo"), entities=("B-PER", "O", "B-PER"))
    counts = sentence_counts(TASKS["ner"], [tags], [tags.annotate(entities=("B-PER", "O", "O"))])
    assert counts is not None
    assert counts.tolist() == [[2, 3]]


def test_without_spans_the_counts_are_zero_as_the_score_is() -> None:
    tags = Sentence(("Dogs", "bark"), entities=("O", "O"))
    counts = sentence_counts(TASKS["ner"], [tags], [tags])
    assert counts is not None
    assert counts.tolist() == [[0, 0]]


class HalfAccuracy(TokenTagging):
    name = annotation = "upos"
    metrics = ("half",)

    def score(self, gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> dict[str, float]:
        return {"half": super().score(gold, predicted)["accuracy"] / 2}


class OnlyStrict(NamedEntityRecognition):
    metrics = ("f1_strict", "f1")


class NamesOnly(PosTagging):
    annotation = "xpos"


class Negative(PosTagging):
    def sentence_counts(
        self, gold: Sequence[Sentence], predicted: Sequence[Sentence]
    ) -> list[tuple[int, int]]:
        return [(-1, 1) for _ in gold]


def test_a_task_with_another_score_does_not_inherit_counts(gold: list[Sentence]) -> None:
    assert sentence_counts(HalfAccuracy(), gold, gold) is None
    assert sentence_counts(NamesOnly(), gold, gold) is not None


def test_counts_of_another_metric_are_refused() -> None:
    gold = Sentence(("Ada", "met", "Bo"), entities=("B-PER", "O", "B-PER"))
    loose = gold.annotate(entities=("I-PER", "O", "B-PER"))
    with pytest.raises(TaskCheckError, match="adds up to 1, but the f1_strict is"):
        sentence_counts(OnlyStrict(), [gold], [loose])


def test_counts_below_zero_are_refused(gold: list[Sentence]) -> None:
    with pytest.raises(TaskCheckError, match="must return two integers per sentence"):
        sentence_counts(Negative(), gold, gold)
