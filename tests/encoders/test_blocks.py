"""One rule finds the blocks of every family, or an error gives the reason."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import (
    AlbertConfig,
    AlbertModel,
    BertConfig,
    BertModel,
    CanineConfig,
    CanineModel,
    FlaubertConfig,
    FlaubertModel,
    MT5Config,
    MT5EncoderModel,
    PreTrainedModel,
    RobertaPreLayerNormConfig,
    RobertaPreLayerNormModel,
    XLMConfig,
    XLMModel,
    XLMRobertaXLConfig,
    XLMRobertaXLModel,
)

from alignscope.encoders import blocks as module
from alignscope.encoders.blocks import block_path, block_table, blocks, caveats, final_norm
from alignscope.encoders.load import load_model
from alignscope.errors import EncoderError

PATHS = {
    "distilbert": "transformer.layer",
    "modernbert": "layers",
    "eurobert": "layers",
    "mt5": "encoder.block",
}
NORMS = {"modernbert": "final_norm", "eurobert": "norm", "mt5": "encoder.final_layer_norm"}
SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 20,
}
PARALLEL = {"vocab_size": 9, "emb_dim": 16, "n_layers": 2, "n_heads": 2}


@pytest.fixture
def encoder(encoder_folder: Path) -> PreTrainedModel:
    return load_model(str(encoder_folder))


def tiny_bert(blocks: int = 2) -> BertModel:
    return BertModel(BertConfig(**{**SMALL, "num_hidden_layers": blocks}, vocab_size=9))


def test_blocks_of_every_family_are_found(encoder: PreTrainedModel, family: str) -> None:
    assert block_path(encoder) == PATHS.get(family, "encoder.layer")
    assert len(blocks(encoder)) == 4


def test_every_block_runs_once_in_order(encoder: PreTrainedModel) -> None:
    ran: list[int] = []
    for index, block in enumerate(blocks(encoder)):
        block.register_forward_hook(lambda *_, index=index: ran.append(index))
    module.encode_trial_tokens(encoder)
    assert ran == [0, 1, 2, 3]


def test_final_norm_of_every_family(encoder: PreTrainedModel, family: str) -> None:
    encoder.train()
    state = torch.get_rng_state()
    assert final_norm(encoder) == NORMS.get(family)
    assert encoder.training
    assert torch.equal(state, torch.get_rng_state())
    assert not any(part._forward_hooks for part in encoder.modules() if part is not encoder)


def test_last_hidden_state_comes_after_the_final_norm(
    encoder: PreTrainedModel, family: str
) -> None:
    """Compare the last hidden state with the output of the last block."""
    out: list[torch.Tensor] = []
    blocks(encoder)[-1].register_forward_hook(lambda *arguments: out.append(arguments[-1]))
    tokens = torch.tensor([[2, 7, 8, 3]])
    extra = {"lang_ids": torch.tensor([0])} if family == "xmod" else {}
    with torch.no_grad():
        last = encoder(input_ids=tokens, **extra).last_hidden_state
    put_out = out[0][0] if isinstance(out[0], tuple) else out[0]
    assert torch.equal(last, put_out) is (final_norm(encoder) is None)


def test_block_table_counts_every_parameter_of_the_blocks(encoder: PreTrainedModel) -> None:
    rows = block_table(encoder)
    assert [row.block for row in rows] == [0, 1, 2, 3]
    for row in rows:
        part = encoder.get_submodule(row.path)
        assert part is blocks(encoder)[row.block]
        assert row.parameters == sum(p.numel() for p in part.parameters())
        assert row.matrices == len([p for p in part.parameters() if p.ndim > 1]) >= 4


def test_caveats_of_every_family(encoder: PreTrainedModel, family: str) -> None:
    notes = " | ".join(caveats(encoder))
    expected = {
        "deberta-v2": "encoder.rel_embeddings, encoder.LayerNorm, encoder.conv",
        "rembert": "no window changes it: encoder.embedding_hidden_mapping_in",
        "xmod": "4 language adapters",
        "mt5": "encoder.block.0 holds the relative position bias of all blocks",
        "modernbert": "The last hidden state comes after final_norm",
        "eurobert": "The last hidden state comes after norm",
    }
    assert expected[family] in notes if family in expected else notes == ""


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (
            lambda: AlbertModel(AlbertConfig(**SMALL, vocab_size=9, embedding_size=8)),
            "AlbertModel shares one block across its layers, so a window cannot be re-initialised",
        ),
        (lambda: XLMModel(XLMConfig(**PARALLEL)), "XLMModel keeps attention"),
        (lambda: FlaubertModel(FlaubertConfig(**PARALLEL)), "FlaubertModel keeps attention"),
        (lambda: CanineModel(CanineConfig(**SMALL)), "CanineModel runs its blocks on down-sampled"),
    ],
)
def test_families_without_usable_blocks_are_refused(
    build: Callable[[], PreTrainedModel], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = build()
    with pytest.raises(EncoderError, match=reason):
        blocks(encoder)
    monkeypatch.setattr(module, "REFUSED", {})
    if encoder.config.model_type != "canine":  # its list looks like any other's
        with pytest.raises(EncoderError, match=r"has (no list of 2 blocks|several lists)"):
            blocks(encoder)


def test_encoder_without_a_list_of_blocks_is_refused() -> None:
    encoder = tiny_bert()
    encoder.config.num_hidden_layers = 3
    with pytest.raises(EncoderError, match="BertModel has no list of 3 blocks"):
        blocks(encoder)


def test_encoder_with_several_lists_is_refused() -> None:
    encoder = tiny_bert()
    encoder.second = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
    with pytest.raises(EncoderError, match=r"several lists .*\(encoder.layer, second\)"):
        blocks(encoder)


def test_blocks_that_share_parameters_are_refused() -> None:
    encoder = tiny_bert(blocks=3)
    layer = encoder.encoder.layer
    layer[2].output.dense.weight = layer[1].output.dense.weight
    with pytest.raises(EncoderError, match="shares parameters between blocks 1 and 2"):
        blocks(encoder)


def test_encoder_of_one_block() -> None:
    assert len(blocks(tiny_bert(blocks=1))) == 1


def test_lists_inside_blocks_are_ignored() -> None:
    """Each block of mT5 is a list of two; with two blocks, only the outermost list is right."""
    sizes = {"vocab_size": 9, "d_model": 8, "d_kv": 4, "d_ff": 8, "num_heads": 2}
    encoder = MT5EncoderModel(MT5Config(**sizes, num_layers=2))
    assert block_path(encoder) == "encoder.block"


@pytest.mark.parametrize(
    ("build", "norm"),
    [
        (lambda: XLMRobertaXLModel(XLMRobertaXLConfig(**SMALL, vocab_size=9)), "encoder.LayerNorm"),
        (
            lambda: RobertaPreLayerNormModel(RobertaPreLayerNormConfig(**SMALL, vocab_size=9)),
            "LayerNorm",
        ),
    ],
)
def test_final_norms_of_other_architectures(
    build: Callable[[], PreTrainedModel], norm: str
) -> None:
    encoder = build()
    assert final_norm(encoder) == norm
    assert caveats(encoder) == [
        f"The last hidden state comes after {norm}, which no window changes."
    ]
