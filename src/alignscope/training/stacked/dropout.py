"""Dropout with one mask for several models."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode


class SharedDropout(TorchFunctionMode):
    """Dropout with one mask for all models, drawn as for one model by itself.

    So what a run drops does not depend on its company, and runs of one seed drop the same. On a
    GPU masks are drawn in another way than by one model, and attention keeps its own kernels,
    which draw for each model: there runs drop as much as by themselves, not the same.
    """

    def __init__(self, models: int) -> None:
        super().__init__()
        self.models = models

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is functional.dropout:
            return self._dropout(*args, **kwargs)
        if func is functional.scaled_dot_product_attention and args[0].device.type == "cpu":
            return self._attention(*args, **kwargs)
        return func(*args, **kwargs)

    def _dropout(
        self, x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
    ) -> Tensor:
        if not training or not 0 < p < 1 or len(x) % self.models:
            return functional.dropout(x, p, training)  # of what is said once for all rows, too
        rows = x.reshape(self.models, -1, *x.shape[1:])
        mask = torch.empty_like(rows[0]).bernoulli_(1 - p)
        return (rows * mask * (1 / (1 - p))).view(x.shape)

    def _attention(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        **options: Any,
    ) -> Tensor:
        attend = functional.scaled_dot_product_attention
        if dropout_p == 0 or options.get("is_causal") or options.get("enable_gqa"):
            return attend(query, key, value, attn_mask, dropout_p, **options)
        scale = options.get("scale") or query.shape[-1] ** -0.5
        scores = (query * scale) @ key.transpose(-2, -1)
        if attn_mask is not None:
            hidden = attn_mask.dtype == torch.bool
            scores = scores.masked_fill(~attn_mask, -torch.inf) if hidden else scores + attn_mask
        return self._dropout(scores.softmax(dim=-1), dropout_p) @ value
