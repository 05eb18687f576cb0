"""Predictions do not depend on how sentences are batched, and nothing is lost."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from alignscope.data.sentence import Sentence
from alignscope.tasks import TASKS
from alignscope.training.model import TaskModel
from alignscope.training.predict import MAX_EXAMPLE_WORDS, Predictions, example_prediction, predict
from tests.helpers import toys

Folders = Callable[[str], Path]
GOLD = toys.sentences(32, most=12)


def bare(sentence: Sentence) -> Sentence:
    return replace(sentence, upos=None, heads=None, relations=None, entities=None)


def run(
    model: TaskModel,
    folder: Path,
    task: str,
    sentences: list[Sentence],
    max_length: int = 64,
    **options: object,
) -> Predictions:
    return predict(model, toys.encoded_task(folder, task, GOLD, max_length, **options), sentences)


@pytest.mark.parametrize("task", TASKS)
def test_batching_does_not_change_predictions(encoder_folder: Path, task: str) -> None:
    model = toys.model(encoder_folder, task, GOLD)
    one_by_one = run(model, encoder_folder, task, GOLD, tokens_per_batch=1)
    at_once = run(model, encoder_folder, task, GOLD, tokens_per_batch=10_000)
    assert one_by_one == at_once
    if task != "classification":  # whose untrained head may predict one label only
        assert len({getattr(s, TASKS[task].needs[0]) for s in at_once.sentences}) > 10


@pytest.mark.parametrize("task", TASKS)
def test_predictions_keep_the_order_of_the_sentences(encoder_folders: Folders, task: str) -> None:
    folder = encoder_folders("bert")
    model = toys.model(folder, task, GOLD)
    shuffled = random.Random(1).sample(GOLD, len(GOLD))
    by_id = {s.id: s for s in run(model, folder, task, GOLD).sentences}
    again = run(model, folder, task, shuffled).sentences
    assert [s.id for s in again] == [s.id for s in shuffled]
    assert [by_id[s.id] for s in shuffled] == again


@pytest.mark.parametrize("task", TASKS)
def test_predictions_do_not_depend_on_gold_and_change_only_the_annotations_of_the_task(
    encoder_folders: Folders, task: str
) -> None:
    folder = encoder_folders("bert")
    model = toys.model(folder, task, GOLD)
    without_gold = [replace(bare(sentence), comments=("text = x",)) for sentence in GOLD]
    predicted_without = run(model, folder, task, without_gold).sentences
    predicted_with = run(model, folder, task, GOLD).sentences
    for gold, prediction, prediction_with_gold in zip(
        GOLD, predicted_without, predicted_with, strict=True
    ):
        assert (prediction.words, prediction.id, prediction.comments) == (
            gold.words,
            gold.id,
            ("text = x",),
        )
        assert [getattr(prediction, name) for name in TASKS[task].needs] == [
            getattr(prediction_with_gold, name) for name in TASKS[task].needs
        ]
        unused = {"upos", "heads", "relations", "entities"} - set(TASKS[task].needs)
        assert all(getattr(prediction, name) is None for name in unused)


def test_prediction_turns_dropout_off(encoder_folders: Folders) -> None:
    folder = encoder_folders("bert")
    model = toys.model(folder, "pos", GOLD).train()
    before = torch.get_rng_state()
    assert run(model, folder, "pos", GOLD) == run(model.train(), folder, "pos", GOLD)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("task", TASKS)
def test_split_truncated_and_unknown_words_are_counted_and_predicted(
    encoder_folders: Folders, task: str
) -> None:
    folder = encoder_folders("bert")
    model = toys.model(folder, task, GOLD)
    # A soft hyphen would be unknown to this tokenizer; a blank has no piece at all.
    sentences = [Sentence(("ada", "b" * 30, "c")), Sentence(("a",) * 20), Sentence((" ", "a", " "))]
    predictions = run(model, folder, task, sentences, max_length=12)
    assert (
        predictions.split_sentences,
        predictions.truncated_words,
        predictions.unknown_words,
    ) == (2, 1, 2)
    for sentence, prediction in zip(sentences, predictions.sentences, strict=True):
        assert prediction.words == sentence.words
        assert all(getattr(prediction, name) is not None for name in TASKS[task].needs)
    assert (
        TASKS[task].score(predictions.sentences, predictions.sentences)[TASKS[task].metrics[0]] >= 0
    )


@pytest.mark.parametrize("task", TASKS)
def test_an_example_shows_gold_and_predicted_labels(encoder_folders: Folders, task: str) -> None:
    folder = encoder_folders("bert")
    predicted = run(toys.model(folder, task, GOLD), folder, task, GOLD).sentences
    long = Sentence(words=("w",) * (MAX_EXAMPLE_WORDS + 1), id="long")
    shown = example_prediction(TASKS[task], [long, *GOLD], [long, *predicted])
    assert shown is not None
    assert example_prediction(TASKS[task], [long], [long]) is None
    assert shown["sentence"] == GOLD[0].id
    if task == "classification":  # which labels the sentence as one unit
        assert shown["words"] == [" ".join(GOLD[0].words)]
        assert (shown["gold"], shown["predicted"]) == ([GOLD[0].label], [predicted[0].label])
        return
    assert tuple(shown["words"]) == GOLD[0].words
    for labels, sentence in ((shown["gold"], GOLD[0]), (shown["predicted"], predicted[0])):
        fields = [getattr(sentence, name) for name in TASKS[task].needs]
        assert [label.split(" ") for label in labels] == [
            [str(field[i]) for field in fields] for i in range(len(sentence))
        ]
