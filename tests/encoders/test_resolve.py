"""``embedded`` is the encoder inside the package, in every working directory."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from alignscope.config.run import EncoderSpec
from alignscope.encoders import resolve as names
from alignscope.encoders.identity import encoder_identity
from alignscope.encoders.load import block_count, load_model, load_tokenizer
from alignscope.encoders.resolve import embedded_folder, resolve_encoder
from alignscope.errors import EncoderError
from tests.helpers.tiny import call


@pytest.fixture
def packaged(
    encoder_folders: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Put an encoder into the package, and another into a local folder of the same name."""
    monkeypatch.setattr(names, "embedded_folder", lambda: encoder_folders("bert"))
    shutil.copytree(encoder_folders("xlm-roberta"), tmp_path / "embedded")
    monkeypatch.chdir(tmp_path)
    return encoder_folders("bert")


def test_embedded_folder_is_inside_the_package() -> None:
    assert embedded_folder() == Path(names.__file__).parent / "embedded"


def test_embedded_is_the_packaged_encoder_in_every_directory(packaged: Path) -> None:
    folder = str(packaged)
    assert encoder_identity("embedded") == encoder_identity(folder)
    assert block_count("embedded") == block_count(folder)
    assert load_tokenizer("embedded").get_vocab() == load_tokenizer(folder).get_vocab()
    loaded, expected = load_model("embedded"), load_model(folder)
    assert type(loaded) is type(expected)
    for name, value in expected.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


@pytest.mark.usefixtures("packaged")
def test_a_local_folder_named_embedded_is_another_encoder() -> None:
    assert load_model("embedded").config.model_type == "bert"
    assert load_model("./embedded").config.model_type == "xlm-roberta"
    assert encoder_identity("embedded") != encoder_identity("./embedded")


def test_other_names_are_unchanged() -> None:
    assert resolve_encoder("xlm-roberta-base") == "xlm-roberta-base"
    assert resolve_encoder("some/embedded") == "some/embedded"


def test_tables_name_the_encoder_embedded() -> None:
    assert EncoderSpec(name="embedded").label == "embedded"


@pytest.mark.usefixtures("packaged")
def test_blocks_of_the_embedded_encoder_are_shown() -> None:
    answer = call("blocks", "embedded")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("embedded\n")


@pytest.mark.usefixtures("packaged")
@pytest.mark.parametrize("ask", [encoder_identity, block_count, load_model, load_tokenizer])
def test_installation_without_embedded_encoder_is_an_error(
    ask: Callable[[str], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A local folder of that name is not used instead."""
    monkeypatch.setattr(names, "embedded_folder", lambda: tmp_path / "nothing")
    with pytest.raises(EncoderError, match=r"^This installation of AlignScope has no embedded en"):
        ask("embedded")
