"""The hyperparameters of a pretraining."""

from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationError, model_validator

from alignscope._util.validation import StrictModel, first_error
from alignscope.errors import EncoderError


class PretrainingConfig(StrictModel):
    """Hyperparameters of a pretraining; together with the text they determine the weights."""

    renamed_keys: ClassVar[dict[str, str]] = {
        "batch_pieces": "tokens_per_batch",
        "max_pieces": "max_length",
    }

    blocks: int = Field(6, ge=1, description="number of transformer blocks")
    hidden: int = Field(128, ge=8, description="size of a representation")
    attention_heads: int = Field(4, ge=1, description="number of attention heads")
    vocabulary: int = Field(16_000, ge=100, description="size of the WordPiece vocabulary")
    positions: Literal["absolute", "rotary"] = Field(
        "absolute",
        description="position encoding: a vector added to each position (absolute, as in BERT), or "
        "rotated queries and keys (rotary, as in RoFormer)",
    )
    steps: int = Field(8000, ge=1, description="number of optimisation steps")
    tokens_per_batch: int = Field(
        2048, ge=64, serialization_alias="batch_pieces", description="padded subwords per batch"
    )
    max_length: int = Field(
        128, ge=8, serialization_alias="max_pieces", description="subwords of the longest input"
    )
    learning_rate: float = Field(2e-3, gt=0, description="peak learning rate")
    warmup: float = Field(0.05, ge=0, le=1, description="warm-up as a fraction of the steps")
    masked: float = Field(
        0.15, gt=0, lt=1, description="fraction of subwords, or of words, to mask"
    )
    whole_words: bool = Field(False, description="mask all subwords of a word together")
    dropout: float = Field(0.0, ge=0, lt=1, description="dropout probability")
    seed: int = Field(1, description="seed of the weights, the order of the text and the masks")

    @model_validator(mode="after")
    def _heads_divide_hidden(self) -> "PretrainingConfig":
        if self.hidden % self.attention_heads:
            raise ValueError(
                f"hidden {self.hidden} is not a multiple of {self.attention_heads} attention heads."
            )
        if self.positions == "rotary" and self.hidden // self.attention_heads % 2:
            raise ValueError(
                "Rotary positions need an even hidden size per attention head, got "
                f"{self.hidden} / {self.attention_heads} = {self.hidden // self.attention_heads}."
            )
        return self


def parse_config(**options: Any) -> PretrainingConfig:
    """Return a configuration from options.

    Raises:
        EncoderError: if an option is not valid, or two do not fit together.
    """
    try:
        return PretrainingConfig(**options)
    except ValidationError as error:
        raise EncoderError(first_error(error, {None: PretrainingConfig}, "options")) from None
