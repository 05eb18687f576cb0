"""What a small encoder is made by."""

from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationError, model_validator

from alignscope._util.validation import StrictModel
from alignscope.errors import EncoderError


class PretrainingConfig(StrictModel):
    """What a small encoder is made by; together with the text it determines the weights."""

    renamed_keys: ClassVar[dict[str, str]] = {
        "batch_pieces": "tokens_per_batch",
        "max_pieces": "max_length",
    }

    blocks: int = Field(6, ge=1)
    hidden: int = Field(128, ge=8)
    attention_heads: int = Field(4, ge=1)
    vocabulary: int = Field(16_000, ge=100)
    positions: Literal["absolute", "rotary"] = Field(
        "absolute",
        description="a vector added to each place (BERT), or queries and keys turned (RoFormer)",
    )
    steps: int = Field(8000, ge=1)
    tokens_per_batch: int = Field(
        2048, ge=64, serialization_alias="batch_pieces", description="padded subwords per batch"
    )
    max_length: int = Field(
        128, ge=8, serialization_alias="max_pieces", description="subwords of the longest input"
    )
    learning_rate: float = Field(2e-3, gt=0)
    warmup: float = Field(0.05, ge=0, le=1, description="fraction of the steps")
    masked: float = Field(0.15, gt=0, lt=1, description="fraction of the sub-words, or words")
    whole_words: bool = Field(False, description="hide all sub-words of a word together")
    dropout: float = Field(0.0, ge=0, lt=1)
    seed: int = 1

    @model_validator(mode="after")
    def _heads_divide_hidden(self) -> "PretrainingConfig":
        if self.hidden % self.attention_heads:
            raise ValueError(
                f"hidden {self.hidden} is not a multiple of {self.attention_heads} attention heads"
            )
        if self.positions == "rotary" and self.hidden // self.attention_heads % 2:
            raise ValueError(
                f"rotary positions turn pairs of numbers, and {self.hidden} in "
                f"{self.attention_heads} attention heads is {self.hidden // self.attention_heads} "
                "each, which is odd"
            )
        return self


def parse_config(**options: Any) -> PretrainingConfig:
    """Make a recipe from options; EncoderError, one sentence, if they do not fit together."""
    try:
        return PretrainingConfig(**options)
    except ValidationError as error:
        reason = error.errors()[0]
        place = ".".join(map(str, reason["loc"]))
        message = reason["msg"].removeprefix("Value error, ")
        raise EncoderError(f"{place} {message}".strip()) from None
