"""The encoder that comes with AlignScope matches its recipe and can be trained again."""

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from alignscope.data.corpora import load_raw_texts
from alignscope.data.paths import DataPaths
from alignscope.encoders.load import block_count, load_model, load_tokenizer
from alignscope.encoders.resolve import embedded_folder
from alignscope.training.pretraining.config import PretrainingConfig
from alignscope.training.pretraining.pretrain import pretrain

FOLDER = embedded_folder()
NOWHERE = DataPaths((), Path(), download=False)


@pytest.fixture(scope="module")
def described() -> dict[str, object]:
    recipe: dict[str, object] = json.loads((FOLDER / "recipe.json").read_text())
    return recipe


def test_embedded_encoder_matches_its_recipe(described: dict[str, object]) -> None:
    recipe = PretrainingConfig.model_validate(described["recipe"])
    config = load_model("embedded").config
    assert block_count("embedded") == recipe.blocks == config.num_hidden_layers
    assert config.hidden_size == recipe.hidden
    assert len(load_tokenizer("embedded")) == described["vocabulary"] == config.vocab_size
    weights = load_file(FOLDER / "model.safetensors")
    assert all(weight.isfinite().all() for weight in weights.values())
    assert (FOLDER / "model.safetensors").stat().st_size < 8e6
    assert isinstance(described["source"], dict)
    assert list(described["source"]) == ["synthetic:*"]


def test_model_card_has_the_measured_loss(described: dict[str, object]) -> None:
    card = (FOLDER / "README.md").read_text()
    assert isinstance(described["loss"], float)
    assert f"{described['loss']:.2f}" in card


@pytest.mark.slow
def test_embedded_encoder_was_pretrained_on_the_current_languages(
    described: dict[str, object],
) -> None:
    _, source = load_raw_texts(["synthetic:*"], NOWHERE)
    assert source == described["source"]


@pytest.mark.slow
def test_a_shorter_pretraining_learns(tmp_path: Path, described: dict[str, object]) -> None:
    """With three languages and a fiftieth of the steps, the loss falls below the unigram loss."""
    recipe = PretrainingConfig.model_validate(described["recipe"])
    short = recipe.model_copy(update={"steps": 500, "vocabulary": 3000})
    names = ["synthetic:vesti", "synthetic:qadir", "synthetic:lianu"]
    lines, source = load_raw_texts(names, NOWHERE)
    losses: list[float] = []
    pretrain(
        lines, tmp_path / "short", short, source=source,
        progress=lambda step, steps, loss: losses.append(loss),
    )  # fmt: skip
    first, last = sum(losses[:5]) / 5, sum(losses[-25:]) / 25
    assert first > 7.5
    assert last < 5.5
