"""Mixed precision where the hardware has it and the encoder bears it."""

from contextlib import AbstractContextManager
from typing import Any, Literal

import torch
from torch import Tensor
from transformers import PreTrainedModel

from alignscope.config.run import Precision


def resolve_precision(encoder: PreTrainedModel, precision: Precision) -> Literal["fp32", "bf16"]:
    """Say what ``auto`` means here: bf16 on a GPU that has it, else fp32; never bf16 for DeBERTa.

    DeBERTa's attention overflows in half precision; the CPU gains nothing on small encoders.
    """
    if precision != "auto":
        return precision
    on_gpu = encoder.device.type == "cuda" and torch.cuda.is_bf16_supported()
    return "bf16" if on_gpu and "deberta" not in encoder.config.model_type else "fp32"


def autocast(encoder: PreTrainedModel, precision: Precision) -> AbstractContextManager[None]:
    """Return the context in which a model computes; losses and scores stay outside of it."""
    enabled = resolve_precision(encoder, precision) == "bf16"
    return torch.autocast(encoder.device.type, torch.bfloat16, enabled=enabled)


def to_float32(output: Any) -> Any:
    """Return a head's output, one tensor or a named tuple of them, in single precision.

    Half precision has too few digits for a loss, and ties where scores differ.
    """
    if isinstance(output, Tensor):
        return output.float()
    return type(output)(*(part.float() for part in output))
