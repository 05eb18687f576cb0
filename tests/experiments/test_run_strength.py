"""Every ablated run keeps how hard its window was hit."""

from collections.abc import Callable
from pathlib import Path

import pytest

from alignscope.data.paths import DataPaths
from alignscope.encoders.load import set_language
from alignscope.encoders.strength import block_strengths
from alignscope.experiments import run as perform
from alignscope.experiments.inputs import load_split
from alignscope.experiments.setup import load_ablated_encoder, load_pretrained, load_word_tokenizer
from alignscope.results.store import RunResult
from tests.experiments.test_controls import make_run

Folders = Callable[[str], Path]


@pytest.fixture
def places(tiny_corpora: Path, tmp_path: Path) -> DataPaths:
    return DataPaths((tiny_corpora,), tmp_path / "cache", download=False)


@pytest.mark.parametrize("family", ["bert", "xmod", "mt5"])
def test_strengths_are_those_of_the_pretrained_and_of_the_ablated_blocks(
    encoder_folders: Folders, places: DataPaths, family: str
) -> None:
    run = make_run(encoder_folders(family), "torch-default")
    dev = load_split(run, run.source, "dev", places)
    measured = []
    for encoder in (load_pretrained(run), load_ablated_encoder(run)):
        set_language(encoder, "en")
        measured.append(block_strengths(encoder, load_word_tokenizer(run, encoder), dev))
    strength = perform.execute_run(run, places).provenance["strength"]
    before, after = (found.blocks for found in measured)
    assert [row["block"] for row in strength["blocks"]] == [1, 2]
    for row in strength["blocks"]:
        assert row["before"] == pytest.approx(before[row["block"]], abs=1e-6)
        assert row["after"] == pytest.approx(after[row["block"]], abs=1e-6)
    assert before[1] != pytest.approx(after[1], rel=0.05)
    assert (strength["sentences"], strength["tokens"]) == (4, measured[0].tokens)


def test_stacked_runs_have_the_strengths_of_separate_runs(
    encoder_folders: Folders, places: DataPaths
) -> None:
    group = [make_run(encoder_folders("bert"), init) for init in (None, "config", "permuted")]
    found = []
    for run, outcome in zip(group, perform.execute_runs(group, places), strict=True):
        assert isinstance(outcome, RunResult)
        alone = perform.execute_run(run, places).provenance.get("strength")
        assert outcome.provenance.get("strength") == alone
        found.append(alone)
    assert found[0] is None
    assert found[1] != found[2]
    assert all(row["after"] > 0 for strength in found[1:] for row in strength["blocks"])


def test_skipped_blocks_have_no_strength(encoder_folders: Folders, places: DataPaths) -> None:
    outcome = perform.execute_run(make_run(encoder_folders("bert"), "skip"), places)
    for row in outcome.provenance["strength"]["blocks"]:
        assert row["after"] == 0 < row["before"]


def test_measuring_does_not_change_the_training(
    encoder_folders: Folders, places: DataPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(encoder_folders("bert"))
    measured = perform.execute_run(run, places)
    monkeypatch.setattr(perform, "measure_strengths", lambda group, stack, inputs: [None])
    assert perform.execute_run(run, places).epochs == measured.epochs
