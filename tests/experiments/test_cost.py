"""Estimates of time and work agree with what a run does."""

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel

from alignscope.data.paths import DataPaths
from alignscope.experiments.cost import FORWARD_SHARE, StepTimer, Workload, count_work
from alignscope.experiments.setup import RunInputs
from alignscope.training.encoded_task import EncodedTask
from alignscope.training.finetune import Observer, TrainingData, fine_tune_stacked
from alignscope.training.loop import TrainingLoop
from alignscope.training.model import build_model
from alignscope.training.predict import predict_stacked
from alignscope.training.stacked.stack import StackedModel
from tests.helpers import toys

Folders = Callable[[str], Path]
TRAIN, DEV, TEST = (toys.sentences(count, seed=count) for count in (60, 20, 30))
NOWHERE = DataPaths((), Path(), download=False)


def make_inputs(folder: Path, **options: object) -> RunInputs:
    encoded = toys.encoded_task(folder, "pos", TRAIN, **options)  # type: ignore[arg-type]
    return RunInputs(encoded, TrainingData(TRAIN, DEV), {"test": TEST}, "train", 1, NOWHERE)


def test_the_counted_work_is_the_work_of_a_run(
    encoder_folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = make_inputs(encoder_folders("bert"), epochs=3, tokens_per_batch=64)
    predicted_subwords: list[int] = []
    collate = EncodedTask.collate

    def counted(encoded: EncodedTask, sentences: list[object]) -> object:
        batch = collate(encoded, sentences)  # type: ignore[arg-type]
        if not batch.gold:
            predicted_subwords.append(int(batch.attention_mask.sum()))
        return batch

    monkeypatch.setattr(EncodedTask, "collate", counted)
    stack = StackedModel([toys.model(encoder_folders("bert"), "pos", TRAIN)])

    def evaluate(alive: Sequence[int]) -> None:
        predict_stacked(stack, alive, inputs.encoded, inputs.tests)

    observer = Observer(epoch=evaluate)
    (history,) = fine_tune_stacked(stack, inputs.encoded, inputs.data, seed=1, observer=observer)
    workload = count_work(inputs)
    assert workload.steps == pytest.approx(history.epochs[-1].steps, rel=0.2)
    assert 64 * workload.predicted_batches == pytest.approx(sum(predicted_subwords))


def test_predicting_a_batch_costs_the_assumed_share_of_a_training_step(
    encoder_folders: Folders,
) -> None:
    """The share holds within a factor of 2.5 of processor time, which excludes other processes."""
    config = BertConfig(
        vocab_size=200, hidden_size=128, num_hidden_layers=3, num_attention_heads=4,
        intermediate_size=512,
    )  # fmt: skip
    encoder = BertModel(config, add_pooling_layer=False)
    encoded = toys.encoded_task(encoder_folders("bert"), "pos", TRAIN, tokens_per_batch=2048)
    stack = StackedModel([build_model(encoder, encoded.task, encoded.labels, seed=1)])
    loop, batch = TrainingLoop(stack, encoded, steps=100), encoded.collate(encoded.encode(TRAIN))

    def seconds(work: Callable[[], object]) -> float:
        start = time.process_time()
        work()
        return time.process_time() - start

    @torch.inference_mode()
    def forward() -> None:
        stack.model.eval()
        stack(batch)
        stack.model.train()

    forward()
    loop.update(batch)
    ratios = [seconds(forward) / seconds(lambda: loop.update(batch)) for _ in range(7)]
    assert FORWARD_SHARE / 2.5 < statistics.median(ratios) < FORWARD_SHARE * 2.5


def test_the_time_of_all_work_follows_from_the_first_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first step, which sets things up, is left out."""
    ends = iter([100.0, 110.0])  # of step 1, which took long, and of step 6: 2 s per step
    monkeypatch.setattr("alignscope.experiments.cost.synchronized_time", lambda: next(ends))
    timer = StepTimer(Workload(steps=50, predicted_batches=0.0), lambda step, steps: None)
    for step in range(1, 51):
        timer(step, 50)
    assert timer.seconds == 100.0


def test_an_evaluation_between_two_steps_is_no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Step 1 ends at 100, an evaluation takes 70 s, and step 6 ends at 180: 2 s per step."""
    ends = iter([100.0, 104.0, 174.0, 180.0])
    monkeypatch.setattr("alignscope.experiments.cost.synchronized_time", lambda: next(ends))
    timer = StepTimer(Workload(steps=50, predicted_batches=0.0), lambda step, steps: None)
    for step in range(1, 51):
        timer(step, 50)
        if step == 3:
            with timer.paused():
                pass
    assert timer.seconds == 100.0


def test_a_single_step_is_too_few_for_an_estimate() -> None:
    timer = StepTimer(Workload(steps=1, predicted_batches=2.0), lambda step, steps: None)
    timer(1, 1)
    assert timer.seconds is None
