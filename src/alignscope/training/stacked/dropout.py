"""Dropout with one mask for all models of a stack."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode


class SharedDropout(TorchFunctionMode):
    """A context in which all models of a stack share one dropout mask, drawn as for a single model.

    So the masks of a run do not depend on the runs stacked with it, and runs of one seed share
    their masks. This holds on the CPU. On a GPU masks are drawn differently than by a single
    model, and the kernels of attention draw a mask for each model, so that a run drops as much as
    it does alone, but not the same values.
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
            return functional.dropout(x, p, training)  # also for tensors that all models share
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
            if attn_mask.dtype == torch.bool:
                scores = scores.masked_fill(~attn_mask, -torch.inf)
            else:
                scores = scores + attn_mask
        return self._dropout(scores.softmax(dim=-1), dropout_p) @ value
