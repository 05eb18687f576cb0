"""Mixed precision where the hardware and the encoder support it."""

from contextlib import AbstractContextManager
from typing import Any, Literal

import torch
from torch import Tensor
from transformers import PreTrainedModel

from alignscope.config.run import Precision


def resolve_precision(encoder: PreTrainedModel, precision: Precision) -> Literal["fp32", "bf16"]:
    """Resolve ``auto`` to bf16 on a GPU that supports it, and to fp32 elsewhere.

    DeBERTa always gets fp32, because its attention overflows in half precision. A CPU gains nothing
    from bf16 with small encoders.
    """
    if precision != "auto":
        return precision
    on_gpu = encoder.device.type == "cuda" and torch.cuda.is_bf16_supported()
    return "bf16" if on_gpu and "deberta" not in encoder.config.model_type else "fp32"


def autocast(encoder: PreTrainedModel, precision: Precision) -> AbstractContextManager[None]:
    """Return the context of a forward pass; compute losses and scores outside of it."""
    enabled = resolve_precision(encoder, precision) == "bf16"
    return torch.autocast(encoder.device.type, torch.bfloat16, enabled=enabled)


def to_float32(output: Any) -> Any:
    """Return the output of a head, a tensor or a named tuple of tensors, in single precision.

    Half precision has too few digits for a loss, and different scores would tie.
    """
    if isinstance(output, Tensor):
        return output.float()
    return type(output)(*(part.float() for part in output))
