"""The optimizer and gradient clipping."""

from typing import Any

import torch
from torch import Tensor, nn

from alignscope.config.run import TrainingConfig
from alignscope.training.stacked.stack import StackedModel


def make_optimizer(stack: StackedModel, training: TrainingConfig) -> torch.optim.Optimizer:
    """AdamW with one rate for the encoder and one for the head; vectors are not decayed."""
    groups: list[dict[str, Any]] = []
    for part, rate in (
        (stack.model.encoder, training.learning_rate),
        (stack.model.head, training.head_learning_rate),
    ):
        matrices = [p for p in part.parameters() if stack.member_ndim(p) > 1]
        vectors = [p for p in part.parameters() if stack.member_ndim(p) < 2]
        groups.append({"params": matrices, "lr": rate, "weight_decay": training.weight_decay})
        groups.append({"params": vectors, "lr": rate, "weight_decay": 0.0})
    return torch.optim.AdamW(groups, fused=True)


def clip_gradients(stack: StackedModel, most: float) -> Tensor:
    """Scale the gradient of every model down to a norm of ``most``; return the norms before."""
    gradients = [p.grad for p in stack.model.parameters() if p.grad is not None]
    if len(stack) == 1:
        norm = nn.utils.get_total_norm(gradients)
        torch._foreach_mul_(gradients, (most / (norm + 1e-6)).clamp(max=1.0))
        return norm.unsqueeze(0)
    rows = [gradient.view(len(stack), -1) for gradient in gradients]
    norms = torch.stack([torch.linalg.vector_norm(row, dim=1) for row in rows])
    total: Tensor = torch.linalg.vector_norm(norms, dim=0)
    scale = (most / (total + 1e-6)).clamp(max=1.0).unsqueeze(1)
    for row in rows:
        row.mul_(scale)
    return total
