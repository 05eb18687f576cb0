"""An encoder as the public API sees it: a model and its tokenizer, which belong together."""

from dataclasses import asdict
from pathlib import Path

import polars as pl
import torch
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from alignscope.encoders.blocks import block_table, blocks, caveats
from alignscope.encoders.device import device as default_device
from alignscope.encoders.load import check_tokenizer, load_model, load_tokenizer
from alignscope.encoders.tokenization import WordTokenizer, max_input_length
from alignscope.errors import EncoderError

MAX_INPUT_LENGTH = 512
"""Subwords that an encoder reads at once where its positions set no lower limit."""


class Encoder:
    """A pretrained model and its tokenizer, which belong together.

    >>> encoder = load_encoder("embedded")
    >>> encoder
    Encoder('embedded', RoFormerModel with 8 blocks on cpu)

    `load_encoder` loads one. A model that is in memory already needs no name and no folder::

        model, tokenizer = AutoModel.from_pretrained(name), AutoTokenizer.from_pretrained(name)
        encoder = Encoder(model, tokenizer)

    The model is used as it is, and not copied.

    Args:
        model: the encoder without a task head, such as a ``BertModel``; float32 weights are
            recommended, because some encoders (mDeBERTa) overflow in half precision.
        tokenizer: the fast tokenizer that the model was trained with.
        name: how tables and figures call the encoder.

    Raises:
        EncoderError: if the model has a head or a decoder, if the tokenizer is slow or has
            subwords that the model does not embed, or if an argument has the wrong type.
    """

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, name: str = "custom"
    ) -> None:
        _check_model(model)
        if not isinstance(tokenizer, PreTrainedTokenizerBase):
            raise EncoderError(
                f"The tokenizer is a {type(tokenizer).__name__}, not a tokenizer of transformers. "
                "Pass one that AutoTokenizer.from_pretrained returned."
            )
        check_tokenizer(tokenizer, name)
        _check_vocabulary(model, tokenizer)
        self.model, self.tokenizer, self.name = model, tokenizer, name

    @property
    def blocks(self) -> nn.ModuleList:
        """The transformer blocks, block 0 first.

        Raises:
            EncoderError: if the architecture has no blocks that a window could name (ALBERT).
        """
        return blocks(self.model)

    @property
    def device(self) -> torch.device:
        """The device that holds the weights."""
        device: torch.device = self.model.device
        return device

    def block_table(self) -> pl.DataFrame:
        """Return the blocks that a window can name, with their path and their number of weights.

        >>> load_encoder("embedded", device="cpu").block_table().columns
        ['block', 'path', 'parameters', 'matrices']

        Raises:
            EncoderError: as `blocks` does.
        """
        return pl.DataFrame([asdict(row) for row in block_table(self.model)])

    def caveats(self) -> list[str]:
        """Return what a window does not touch, or touches beyond its blocks; a sentence each.

        Raises:
            EncoderError: as `blocks` does.
        """
        return caveats(self.model)

    def word_tokenizer(
        self, max_length: int = MAX_INPUT_LENGTH, *, surface: bool = False
    ) -> WordTokenizer:
        """Return a tokenizer of words whose inputs have up to ``max_length`` subwords.

        A model that reads fewer subwords at once lowers the limit. ``surface`` is that of
        `WordTokenizer`.
        """
        limit = max_input_length(self.model) or max_length
        return WordTokenizer(self.tokenizer, min(limit, max_length), surface=surface)

    def __repr__(self) -> str:
        count = self.model.config.num_hidden_layers
        kind = type(self.model).__name__
        return f"Encoder({self.name!r}, {kind} with {count} blocks on {self.device})"


def load_encoder(
    name: str | Path,
    *,
    revision: str = "main",
    trust_remote_code: bool = False,
    device: str | torch.device | None = None,
) -> Encoder:
    """Load a pretrained encoder and its tokenizer, from a folder or from the Hugging Face hub.

    >>> load_encoder("embedded", device="cpu").model.config.hidden_size
    64

    Args:
        name: a folder, a name on the hub such as ``bert-base-multilingual-cased``, or
            ``embedded`` for the small encoder that comes with AlignScope.
        revision: the branch, tag or commit on the hub.
        trust_remote_code: whether code from the hub may run.
        device: where the weights go; by default a GPU if there is one.

    Returns:
        The encoder in float32 and in eval mode. Every weight comes from the checkpoint.

    Raises:
        EncoderError: if nothing of that name exists, if its files are broken or incomplete, or
            if it has no fast tokenizer.
    """
    model = load_model(str(name), revision, remote_code=trust_remote_code)
    tokenizer = load_tokenizer(str(name), revision, remote_code=trust_remote_code)
    label = str(name) if revision == "main" else f"{name}@{revision}"
    return Encoder(model.to(device or default_device()), tokenizer, name=label)


def _check_model(model: PreTrainedModel) -> None:
    kind = type(model).__name__
    if isinstance(model, (str, Path)):
        raise EncoderError(f"{model} is a name, not a model. Use load_encoder({str(model)!r}).")
    if not isinstance(model, PreTrainedModel):
        raise EncoderError(
            f"The model is a {kind}, not a model of transformers. Pass one that "
            "AutoModel.from_pretrained returned."
        )
    if model.base_model is not model:
        raise EncoderError(f"{kind} has a task head. Pass its encoder alone: model.base_model.")
    if getattr(model, "decoder", None) is not None:
        raise EncoderError(
            f"{kind} has a decoder. Load its encoder alone: AutoModelForTextEncoding."
        )


def _check_vocabulary(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    embedded: int = model.get_input_embeddings().num_embeddings
    largest = max(tokenizer.get_vocab().values())
    if largest >= embedded:
        raise EncoderError(
            f"The tokenizer has subword ids up to {largest}, but the model embeds only "
            f"{embedded} subwords, so they do not belong together. Load both from the same name."
        )
