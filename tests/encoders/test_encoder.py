"""A model and its tokenizer as one encoder: accepted and refused arguments."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AlbertConfig,
    AlbertModel,
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForTextEncoding,
    AutoTokenizer,
    PreTrainedTokenizer,
)

from alignscope.config.windows import Window
from alignscope.data.sentence import Sentence
from alignscope.encoders.blocks import blocks
from alignscope.encoders.encoder import Encoder, load_encoder
from alignscope.encoders.load import load_model, load_tokenizer
from alignscope.encoders.reinitialize import reinitialize, reinitialize_
from alignscope.errors import EncoderError
from tests.helpers import families

Folders = Callable[[str], Path]


@pytest.fixture
def encoder(encoder_folders: Folders) -> Encoder:
    return load_encoder(encoder_folders("bert"), device="cpu")


def weights(encoder: Encoder) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in encoder.model.state_dict().items()}


def changed(before: dict[str, torch.Tensor], encoder: Encoder) -> set[str]:
    after = encoder.model.state_dict()
    return {name for name in before if not torch.equal(before[name], after[name])}


def test_every_family_loads_as_an_encoder(encoder_folder: Path) -> None:
    encoder = load_encoder(encoder_folder)
    assert encoder.name == str(encoder_folder)
    assert len(encoder.blocks) == 4
    assert encoder.device == next(encoder.model.parameters()).device
    assert f"{type(encoder.model).__name__} with 4 blocks" in repr(encoder)


def test_models_that_transformers_loaded_are_accepted(encoder_folders: Folders) -> None:
    for family in ("bert", "mt5", "xlm-roberta"):
        folder = encoder_folders(family)
        auto = AutoModelForTextEncoding if family == "mt5" else AutoModel
        model = auto.from_pretrained(folder, dtype=torch.float32)
        encoder = Encoder(model, AutoTokenizer.from_pretrained(folder))
        assert encoder.model is model
        assert encoder.name == "custom"
        assert encoder.blocks is blocks(model)


def test_word_tokenizer_respects_the_model_and_the_given_limit(encoder: Encoder) -> None:
    assert encoder.word_tokenizer().room == 96 - 2
    assert encoder.word_tokenizer(40).room == 40 - 2


def test_model_with_a_task_head_is_refused(encoder_folders: Folders) -> None:
    folder = encoder_folders("bert")
    model = AutoModelForMaskedLM.from_pretrained(folder)
    tokenizer = load_tokenizer(str(folder))
    with pytest.raises(EncoderError, match=r"BertForMaskedLM has a task head.*model\.base_model"):
        Encoder(model, tokenizer)
    assert Encoder(model.base_model, tokenizer).blocks is blocks(model.base_model)


def test_model_with_a_decoder_is_refused(encoder_folders: Folders) -> None:
    folder = encoder_folders("mt5")
    model = AutoModel.from_pretrained(folder)
    with pytest.raises(EncoderError, match="MT5Model has a decoder"):
        Encoder(model, load_tokenizer(str(folder)))


def test_tokenizer_of_another_model_is_refused(encoder: Encoder) -> None:
    with pytest.raises(EncoderError, match=r"subword ids up to \d+, but the model embeds only \d+"):
        Encoder(encoder.model, load_tokenizer("embedded"))


def test_slow_tokenizer_is_refused(encoder: Encoder) -> None:
    class Slow(PreTrainedTokenizer):
        @property
        def vocab_size(self) -> int:
            return 1

        def get_vocab(self) -> dict[str, int]:
            return {"a": 0}

    with pytest.raises(EncoderError, match="custom has a slow tokenizer"):
        Encoder(encoder.model, Slow())


@pytest.mark.parametrize(
    ("model", "tokenizer", "message"),
    [
        ("embedded", None, r"embedded is a name, not a model. Use load_encoder\('embedded'\)"),
        (torch.nn.Linear(2, 2), None, "model is a Linear, not a model of transformers"),
        (None, "embedded", "tokenizer is a str, not a tokenizer of transformers"),
    ],
)
def test_arguments_of_the_wrong_type_are_refused(
    encoder: Encoder, model: Any, tokenizer: Any, message: str
) -> None:
    with pytest.raises(EncoderError, match=message):
        Encoder(model or encoder.model, tokenizer or encoder.tokenizer)


@pytest.mark.parametrize("window", ["1-2", Window(1, 2)])
def test_reinitialize_returns_a_copy_and_leaves_the_encoder_alone(
    encoder: Encoder, window: Window | str
) -> None:
    before = weights(encoder)
    ablated = reinitialize(encoder, window, seed=1)
    assert not changed(before, encoder)
    blocks_changed = {name.split(".")[2] for name in changed(before, ablated)}
    assert blocks_changed == {"1", "2"}
    assert ablated.tokenizer is encoder.tokenizer
    assert ablated.name == f"{encoder.name} (1-2 re-initialised)"


def test_reinitialize_in_place_draws_the_same_weights(encoder: Encoder) -> None:
    copy = reinitialize(encoder, "0-1", seed=3)
    model = deepcopy(encoder.model)
    reinitialize_(encoder, "0-1", seed=3)
    reinitialize_(model, Window(0, 1), seed=3)
    assert not changed(weights(encoder), copy)
    assert not changed(weights(encoder), Encoder(model, encoder.tokenizer))


@pytest.mark.parametrize("function", [reinitialize, reinitialize_])
@pytest.mark.parametrize("window", [(0, 1), 3, None])
def test_window_of_the_wrong_type_is_refused(
    encoder: Encoder, function: Callable[..., object], window: Any
) -> None:
    with pytest.raises(EncoderError, match=r"is not a window\. Write Window\(0, 1\) or '0-1'"):
        function(encoder, window, seed=1)


def test_encoder_of_the_wrong_type_is_refused(encoder: Encoder) -> None:
    with pytest.raises(EncoderError, match=r"takes an Encoder, got a BertModel. Wrap the model"):
        reinitialize(encoder.model, "0-1", seed=1)
    with pytest.raises(EncoderError, match="takes an Encoder or a model of transformers, got a st"):
        reinitialize_("embedded", "0-1", seed=1)


def test_padding_by_the_caller_does_not_reach_the_words(encoder: Encoder) -> None:
    """A call of the tokenizer with padding leaves padding on; words must not be padded by it."""
    tokenizer = encoder.word_tokenizer()
    encoder.tokenizer(["abc", "a"], padding="max_length", truncation=True, max_length=2)
    assert len(tokenizer.split([Sentence(("aaaaa",))])[0].chunks[0]) == 5 + 2


def test_unsupported_architecture_has_no_blocks() -> None:
    config = AlbertConfig(
        vocab_size=200,
        hidden_size=8,
        num_attention_heads=2,
        intermediate_size=8,
        embedding_size=8,
        num_hidden_layers=2,
    )
    encoder = Encoder(AlbertModel(config), families.tokenizer(), name="albert")
    with pytest.raises(EncoderError, match="AlbertModel shares one block across its layers"):
        _ = encoder.blocks
    with pytest.raises(EncoderError, match="AlbertModel shares one block across its layers"):
        reinitialize(encoder, "0", seed=1)


def test_load_encoder_equals_the_model_and_the_tokenizer_of_the_same_name() -> None:
    encoder, model = load_encoder("embedded", device="cpu"), load_model("embedded")
    assert not changed(weights(encoder), Encoder(model, load_tokenizer("embedded")))
    assert encoder.tokenizer.get_vocab() == load_tokenizer("embedded").get_vocab()
    assert not encoder.model.training
