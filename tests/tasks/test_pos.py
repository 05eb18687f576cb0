"""Part-of-speech tagging: accuracy, the majority baseline, and unknown labels."""

import random
from itertools import chain

import pytest
import torch

from alignscope.data.sentence import Sentence
from alignscope.errors import DataError
from alignscope.tasks import TASKS
from alignscope.tasks.label_ids import IGNORED_LABEL, cross_entropy, to_label_ids

POS = TASKS["pos"]


def sentences(tags: list[list[str]]) -> list[Sentence]:
    return [Sentence(words=("w",) * len(row), upos=tuple(row)) for row in tags]


@pytest.mark.parametrize("seed", range(5))
def test_accuracy_is_a_mean_over_words_not_sentences(seed: int) -> None:
    draw = random.Random(seed)
    lengths = [draw.randint(0, 9) for _ in range(20)]
    gold, predicted = ([draw.choices("ABC", k=n) for n in lengths] for _ in range(2))
    flat = list(zip(chain(*gold), chain(*predicted), strict=True))
    accuracy = sum(expected == actual for expected, actual in flat) / len(flat)
    assert POS.score(sentences(gold), sentences(predicted)) == {"accuracy": accuracy}


def test_the_majority_baseline_predicts_the_most_frequent_tag_or_the_first_of_a_tie() -> None:
    predictor = POS.majority(sentences([["NOUN", "VERB"], ["VERB", "NOUN", "VERB"]]))
    assert predictor(Sentence(words=("a", "b"))).upos == ("VERB", "VERB")
    tie = POS.majority(sentences([["VERB", "NOUN"]]))
    assert tie(Sentence(words=("a",))).upos == ("NOUN",)


def test_scoring_zero_words_is_refused() -> None:
    with pytest.raises(DataError, match="there are no words"):
        POS.score(sentences([[]]), sentences([[]]))


def test_a_label_that_the_source_lacks_has_no_loss() -> None:
    classes = torch.tensor([to_label_ids(("NOUN", "SYM"), ("NOUN", "VERB"))])
    assert classes.tolist() == [[0, IGNORED_LABEL]]
    scores = torch.tensor([[[1.0, 0.0], [9.0, 9.0]]])
    known = cross_entropy(scores[:, :1], classes[:, :1], torch.ones(1, 1).bool())
    assert cross_entropy(scores, classes, torch.ones(1, 2).bool()) == known


def test_the_loss_of_a_batch_without_known_labels_is_zero() -> None:
    classes, mask = torch.full((1, 2), IGNORED_LABEL), torch.ones(1, 2).bool()
    assert cross_entropy(torch.zeros(1, 2, 3), classes, mask) == 0
