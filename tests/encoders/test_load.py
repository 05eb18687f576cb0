"""Every weight comes from the checkpoint, and every broken folder gives an error of one line."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import huggingface_hub
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModel,
    BertConfig,
    BertModel,
    CanineTokenizer,
    PreTrainedModel,
)
from transformers.utils import logging

from alignscope.encoders.identity import encoder_identity, weight_files
from alignscope.encoders.load import (
    block_count,
    load_model,
    load_tokenizer,
    resolved_revision,
    set_language,
)
from alignscope.errors import EncoderError

Edit = Callable[[Path], None]


@pytest.fixture
def bert(encoder_folders: Callable[[str], Path], tmp_path: Path) -> Path:
    """Return a copy of an encoder folder that the test may break."""
    return shutil.copytree(encoder_folders("bert"), tmp_path / "bert")


def configure(folder: Path, **changes: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


def drop_weight(folder: Path, name: str) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights[name]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def shard(folder: Path) -> None:
    AutoModel.from_pretrained(folder).save_pretrained(folder, max_shard_size="20KB")
    (folder / "model.safetensors").unlink(missing_ok=True)


def test_weights_of_every_family_equal_the_checkpoint(encoder_folder: Path) -> None:
    encoder = load_model(str(encoder_folder))
    stored = load_file(encoder_folder / "model.safetensors")
    for name, parameter in encoder.named_parameters():
        candidates = [k for k in stored if k == name or k.endswith(f".{name}")]
        candidates = [k for k in candidates if "decoder." not in k]
        assert any(torch.equal(stored[k], parameter) for k in candidates), name
    assert not encoder.training
    assert {parameter.dtype for parameter in encoder.parameters()} == {torch.float32}


def test_no_weight_of_any_family_is_random(encoder_folder: Path) -> None:
    encoders = [load_model(str(encoder_folder)) for _ in range(2)]
    first, second = [encoder.state_dict() for encoder in encoders]
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not any("pooler" in name for name in first)


def test_every_family_encodes_a_sentence(encoder_folder: Path) -> None:
    encoder, tokenizer = load_model(str(encoder_folder)), load_tokenizer(str(encoder_folder))
    set_language(encoder, "de")
    batch = tokenizer(["zwei Wörter"], return_tensors="pt")
    assert batch.word_ids(0) == [None, *[0] * 4, *[1] * 6, None]
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
    assert encoder(**inputs).last_hidden_state.shape == (1, 12, encoder.config.hidden_size)


def test_blocks_of_every_family_are_counted(encoder_folder: Path) -> None:
    assert block_count(str(encoder_folder)) == 4


def test_half_precision_checkpoints_are_loaded_as_float32(bert: Path) -> None:
    BertModel.from_pretrained(bert).half().save_pretrained(bert)
    encoder = load_model(str(bert))
    assert {parameter.dtype for parameter in encoder.parameters()} == {torch.float32}


def test_loading_leaves_the_random_state_alone(bert: Path) -> None:
    before = torch.get_rng_state()
    load_model(str(bert))
    assert torch.equal(before, torch.get_rng_state())


def test_loading_prints_nothing(
    bert: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    settings = logging.get_verbosity(), logging.is_progress_bar_enabled()
    load_model(str(bert))
    load_tokenizer(str(bert))
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == settings


def test_sharded_weights_are_loaded(bert: Path) -> None:
    whole = load_model(str(bert)).state_dict()
    shard(bert)
    assert len(weight_files(bert)) > 1
    loaded = load_model(str(bert)).state_dict()
    assert all(torch.equal(whole[name], loaded[name]) for name in whole)


LAYER = "bert.encoder.layer.2.attention.self.query.weight"
GALLERY: dict[str, tuple[Edit, str]] = {
    "no config": (
        lambda folder: (folder / "config.json").unlink(),
        "bert contains no encoder: it has no config.json",
    ),
    "broken config": (
        lambda folder: (folder / "config.json").write_text("{"),
        r"config\.json is not valid JSON",
    ),
    "list for a config": (
        lambda folder: (folder / "config.json").write_text("[]"),
        r"config\.json names no model_type",
    ),
    "no model type": (
        lambda folder: (folder / "config.json").write_text("{}"),
        r"config\.json names no model_type",
    ),
    "unknown model type": (
        lambda folder: configure(folder, model_type="nonesuch"),
        "cannot be loaded: .* model type `nonesuch`",
    ),
    "remote code": (
        lambda folder: configure(
            folder, model_type="nonesuch", auto_map={"AutoConfig": "x.C", "AutoModel": "x.M"}
        ),
        "needs code from the hub",
    ),
    "no weights": (
        lambda folder: (folder / "model.safetensors").unlink(),
        r"bert has no safetensors weights \(model\.safetensors\)\. Save",
    ),
    "pickled weights": (
        lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"),
        "no safetensors weights .* only pickled ones",
    ),
    "truncated weights": (
        lambda folder: (folder / "model.safetensors").write_bytes(
            (folder / "model.safetensors").read_bytes()[:-1000]
        ),
        "cannot be loaded: .*incomplete metadata",
    ),
    "a missing weight": (
        lambda folder: drop_weight(folder, LAYER),
        "lacks 1 weights of its encoder, such as encoder.layer.2.attention.self.query.weight",
    ),
    "a config that asks for more blocks": (
        lambda folder: configure(folder, num_hidden_layers=5),
        r"lacks 16 weights of its encoder, such as encoder\.layer\.4",
    ),
    "a config that asks for other shapes": (
        lambda folder: configure(folder, intermediate_size=40),
        r"has 12 weights that its config\.json contradicts, .*: \(48,\) in the file, \(40,\)",
    ),
    "a config that is nonsense": (
        lambda folder: configure(folder, num_attention_heads=5),
        "cannot be loaded: .*not a multiple",
    ),
}


@pytest.mark.parametrize("broken", GALLERY)
def test_invalid_folders_are_refused_with_the_reason(bert: Path, broken: str) -> None:
    edit, reason = GALLERY[broken]
    edit(bert)
    with pytest.raises(EncoderError, match=reason) as caught:
        load_model(str(bert))
    assert "\n" not in str(caught.value)
    assert str(bert) in str(caught.value)


def test_missing_shard_is_named(bert: Path) -> None:
    shard(bert)
    lost = weight_files(bert)[0]
    lost.unlink()
    with pytest.raises(EncoderError, match=f"lacks {lost.name}, which model"):
        load_model(str(bert))


def test_broken_index_is_named(bert: Path) -> None:
    shard(bert)
    (bert / "model.safetensors.index.json").write_text('{"weight_map": []}')
    with pytest.raises(EncoderError, match="is not an index of weights"):
        load_model(str(bert))


TOKENIZERS: dict[str, tuple[Edit, str]] = {
    "none": (
        lambda folder: [file.unlink() for file in folder.glob("token*")] and None,
        "has no tokenizer, such as a tokenizer.json",
    ),
    "broken": (
        lambda folder: (folder / "tokenizer.json").write_text("{") and None,
        "cannot be loaded",
    ),
    "empty": (
        lambda folder: (folder / "tokenizer.json").write_text("{}") and None,
        "cannot be loaded",
    ),
    "slow": (
        lambda folder: CanineTokenizer().save_pretrained(folder) and None,
        r"has a slow tokenizer \(CanineTokenizer\)",
    ),
}


@pytest.mark.parametrize("broken", TOKENIZERS)
def test_invalid_tokenizers_are_refused_with_the_reason(bert: Path, broken: str) -> None:
    edit, reason = TOKENIZERS[broken]
    if broken == "slow":
        (bert / "tokenizer.json").unlink()
    edit(bert)
    with pytest.raises(EncoderError, match=reason) as caught:
        load_tokenizer(str(bert))
    assert "\n" not in str(caught.value)


def test_folder_with_only_a_tokenizer_is_refused(bert: Path) -> None:
    (bert / "config.json").unlink()
    (bert / "model.safetensors").unlink()
    for load in (load_model, load_tokenizer, block_count, encoder_identity):
        with pytest.raises(EncoderError, match=r"bert contains no encoder: it has no config\.json"):
            load(str(bert))


@pytest.mark.parametrize("name", ["nobody/nothing", "no/such/folder", "./nothing", "a b"])
def test_name_that_is_neither_a_folder_nor_on_the_hub_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(EncoderError, match=r"not a folder|neither a folder") as caught:
        load_model(name)
    assert name in str(caught.value)


def test_encoder_decoder_whose_encoder_cannot_be_loaded_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bart"}))
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(EncoderError, match=r"an encoder-decoder \(bart\) whose encoder"):
        load_model(str(tmp_path))


@pytest.mark.parametrize("model_type", ["albert", "xlm", "flaubert", "canine"])
def test_unsupported_model_type_is_refused_before_loading(tmp_path: Path, model_type: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": model_type}))
    with pytest.raises(EncoderError, match=r"one block|parallel lists|down-sampled"):
        block_count(str(tmp_path))


def test_identity_depends_on_content_only(bert: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(bert, tmp_path / "elsewhere")
    (copy / "README.md").write_text("a note")
    assert encoder_identity(str(bert)) == encoder_identity(str(copy))
    assert encoder_identity(str(bert)).startswith("sha256:")
    assert encoder_identity("xlm-roberta-base") == "xlm-roberta-base@main"
    assert encoder_identity("xlm-roberta-base", "v1") == "xlm-roberta-base@v1"


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "tokenizer.json"])
def test_identity_changes_with_content(bert: Path, file: str) -> None:
    before = encoder_identity(str(bert))
    with (bert / file).open("ab") as stream:
        stream.write(b" ")
    assert encoder_identity(str(bert)) != before


def test_identity_follows_the_index(bert: Path) -> None:
    shard(bert)
    before = encoder_identity(str(bert))
    with weight_files(bert)[-1].open("ab") as stream:
        stream.write(b" ")
    assert encoder_identity(str(bert)) != before


def test_a_folder_has_no_revision(bert: Path) -> None:
    assert resolved_revision(load_model(str(bert))) is None


@pytest.fixture
def xmod(encoder_folders: Callable[[str], Path]) -> PreTrainedModel:
    return load_model(str(encoder_folders("xmod")))


@pytest.mark.parametrize(
    ("language", "chosen"),
    [("en", "en_XX"), ("de", "de_DE"), ("zh_TW", "zh_TW"), ("en_XX", "en_XX")],
)
def test_set_language_selects_adapters(xmod: PreTrainedModel, language: str, chosen: str) -> None:
    set_language(xmod, language)
    assert xmod.config.default_language == chosen


@pytest.mark.parametrize(("language", "count"), [("fr", 0), ("zh", 2), ("e", 0)])
def test_unknown_or_ambiguous_language_is_refused(
    xmod: PreTrainedModel, language: str, count: int
) -> None:
    with pytest.raises(
        EncoderError, match=rf"{language} names {count} .* en_XX, de_DE, zh_CN, zh_TW"
    ):
        set_language(xmod, language)


def test_encoders_without_adapters_accept_any_language() -> None:
    set_language(BertModel(BertConfig(vocab_size=9, hidden_size=12, num_hidden_layers=1)), "fr")
