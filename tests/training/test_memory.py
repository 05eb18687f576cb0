"""The memory estimate agrees with the memory that a training takes."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel

from alignscope.training.encoded_task import EncodedTask
from alignscope.training.finetune import TrainingData, fine_tune, largest_batch
from alignscope.training.memory import MemoryEstimate, PeakMemory, measure_memory, release_memory
from alignscope.training.model import TaskModel, build_model
from tests.helpers import ROOT, toys

Folders = Callable[[str], Path]
TRAIN, DEV = toys.sentences(160, seed=1), toys.sentences(8, seed=2)
DATA = TrainingData(TRAIN, DEV)


def make_model(encoded: EncodedTask) -> TaskModel:
    """Return a model of 24 million bytes, large beside the noise of a measurement."""
    config = BertConfig(
        vocab_size=4000, hidden_size=256, num_hidden_layers=6, num_attention_heads=4,
        intermediate_size=1024,
    )  # fmt: skip
    encoder = BertModel(config, add_pooling_layer=False)
    return build_model(encoder, encoded.task, encoded.labels, seed=1)


def estimate(encoded: EncodedTask) -> MemoryEstimate:
    batch, rows = largest_batch(encoded, DATA)
    return measure_memory(make_model(encoded), encoded, batch, rows)


def estimated_and_measured(folder: Path) -> tuple[int, int | None]:
    """Return the bytes of a training in a new process, where no freed memory is left over."""
    torch.set_num_threads(1)
    small = toys.encoded_task(folder, "pos", TRAIN)
    fine_tune(toys.model(folder, "pos", TRAIN), small, DATA, seed=1)  # libraries take their buffers
    encoded = toys.encoded_task(folder, "pos", TRAIN, epochs=2)
    expected = estimate(encoded).total
    release_memory()
    peak = PeakMemory(torch.device("cpu"))
    fine_tune(make_model(encoded), encoded, DATA, seed=1)
    return expected, peak.bytes()


@pytest.mark.skipif(torch.cuda.is_available(), reason="the model of this test is on the CPU")
def test_the_estimate_is_near_the_measured_peak(
    encoder_folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        future = pool.submit(estimated_and_measured, encoder_folders("bert"))
        expected, measured = future.result()
    if measured is None:
        pytest.skip("this system does not report the peak")
    assert expected / 1.6 < measured < 1.6 * expected


@pytest.mark.parametrize(("epochs", "copies"), [(1, 3), (2, 4)])
def test_gradients_moments_and_the_best_epoch_are_counted(
    encoder_folders: Folders, epochs: int, copies: int
) -> None:
    encoded = toys.encoded_task(encoder_folders("bert"), "pos", TRAIN, epochs=epochs)
    model = make_model(encoded)
    table = model.encoder.get_input_embeddings().weight
    _, rows = largest_batch(encoded, DATA)
    weights = sum(parameter.nbytes for parameter in model.parameters())
    trained = weights - table.nbytes + rows * table[0].nbytes
    assert rows < len(table)
    assert estimate(encoded).optimizer == copies * trained
    assert estimate(encoded).weights == weights + rows * table[0].nbytes
