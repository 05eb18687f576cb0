"""Folders with tiny pretrained encoders, one per supported family."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForMaskedLM,
    DebertaV2Config,
    DebertaV2Model,
    DistilBertConfig,
    DistilBertForMaskedLM,
    ElectraConfig,
    ElectraModel,
    EuroBertConfig,
    EuroBertModel,
    ModernBertConfig,
    ModernBertForMaskedLM,
    MT5Config,
    MT5ForConditionalGeneration,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    RemBertConfig,
    RemBertModel,
    RoFormerConfig,
    RoFormerModel,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
    XmodConfig,
    XmodModel,
)

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = list(
    "abcdefghijklmnopqrstuvwxyzäöüßéабвгдежзийклмнопрстуфхцчшщыьэюя0123456789.,;:!?'\"()-"
)
VOCABULARY = [*SPECIAL, *LETTERS, *(f"##{letter}" for letter in LETTERS)]

SPECIAL_IDS = {
    "pad_token_id": 0,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "cls_token_id": 2,
    "sep_token_id": 3,
    "mask_token_id": 4,
}
SIZE: dict[str, Any] = {
    "vocab_size": len(VOCABULARY),
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 96,
    "pad_token_id": 0,
    "bos_token_id": 2,
    "eos_token_id": 3,
}


def tokenizer() -> PreTrainedTokenizerFast:
    """Return a WordPiece tokenizer that splits every word into its letters."""
    subwords = {subword: index for index, subword in enumerate(VOCABULARY)}
    backend = Tokenizer(models.WordPiece(subwords, unk_token="[UNK]"))
    backend.normalizer = normalizers.Lowercase()
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = dict(zip(["pad", "unk", "cls", "sep", "mask"], SPECIAL, strict=True))
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        model_max_length=64,
        **{f"{name}_token": token for name, token in names.items()},
    )


def _deberta() -> PreTrainedModel:
    """Build DeBERTa as in mDeBERTa-v3, and with the convolution of DeBERTa-v2."""
    config = DebertaV2Config(
        **SIZE,
        relative_attention=True,
        share_att_key=True,
        pos_att_type=["p2c", "c2p"],
        norm_rel_ebd="layer_norm",
        position_buckets=8,
        position_biased_input=False,
        type_vocab_size=0,
        conv_kernel_size=3,
        conv_act="gelu",
    )
    return DebertaV2Model(config)


def _modernbert() -> PreTrainedModel:
    config = ModernBertConfig(**{**SIZE, **SPECIAL_IDS}, global_attn_every_n_layers=2)
    return ModernBertForMaskedLM(config)


def _eurobert() -> PreTrainedModel:
    config = EuroBertConfig(**SIZE, mask_token_id=4, num_key_value_heads=1)
    return EuroBertModel(config)


def _distilbert() -> PreTrainedModel:
    config = DistilBertConfig(
        vocab_size=len(VOCABULARY),
        dim=32,
        n_layers=4,
        n_heads=2,
        hidden_dim=48,
        max_position_embeddings=96,
    )
    return DistilBertForMaskedLM(config)


def _mt5() -> PreTrainedModel:
    config = MT5Config(
        vocab_size=len(VOCABULARY), d_model=32, d_kv=16, d_ff=48, num_layers=4, num_heads=2
    )
    return MT5ForConditionalGeneration(config)


def _xmod() -> PreTrainedModel:
    return XmodModel(XmodConfig(**SIZE, languages=["en_XX", "de_DE", "zh_CN", "zh_TW"]))


FAMILIES: dict[str, Callable[[], PreTrainedModel]] = {
    "bert": lambda: BertForMaskedLM(BertConfig(**SIZE)),
    "distilbert": _distilbert,
    "xlm-roberta": lambda: XLMRobertaForMaskedLM(XLMRobertaConfig(**SIZE)),
    "deberta-v2": _deberta,
    "rembert": lambda: RemBertModel(RemBertConfig(**SIZE, input_embedding_size=16)),
    "roformer": lambda: RoFormerModel(RoFormerConfig(**SIZE, embedding_size=32)),
    "modernbert": _modernbert,
    "eurobert": _eurobert,
    "xmod": _xmod,
    "electra": lambda: ElectraModel(ElectraConfig(**SIZE, embedding_size=16)),
    "mt5": _mt5,
}
"""Builders by ``config.model_type``; some models have a head, as checkpoints on the hub do."""


def save(family: str, folder: Path) -> Path:
    """Save a 'pretrained' encoder of this family, with its tokenizer, to ``folder``.

    All weights, including norms and biases, differ from the initial values of the class, so that
    tests can distinguish loaded weights from newly initialised ones.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(20210116)
        model = FAMILIES[family]()
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.05)
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder
