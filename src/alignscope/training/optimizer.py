"""The optimizer, its parameter groups, and gradient clipping."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from alignscope.config.run import TrainingConfig
from alignscope.training.stacked.stack import StackedModel


def make_optimizer(stack: StackedModel, config: TrainingConfig) -> torch.optim.Optimizer:
    """Return AdamW with one learning rate for the encoder and one for the head.

    Frozen weights are in no group, so that they have no state and no weight decay.
    """
    parts = (
        (stack.model.encoder, config.learning_rate),
        (stack.model.head, config.head_learning_rate),
    )
    groups = [
        {**group, "lr": rate}
        for part, rate in parts
        for group in decay_groups(_trained(part), config.weight_decay, stack.member_ndim)
    ]
    return torch.optim.AdamW(groups, fused=True)


def _trained(module: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in module.parameters() if parameter.requires_grad]


def decay_groups(
    parameters: Iterable[nn.Parameter],
    weight_decay: float,
    ndim: Callable[[Tensor], int] = Tensor.dim,
) -> list[dict[str, Any]]:
    """Split parameters into matrices, which are decayed, and vectors, which are not.

    Args:
        parameters: the parameters of a model, or of a part of one.
        weight_decay: the weight decay of matrices.
        ndim: the number of dimensions of a parameter within one model.

    Returns:
        Two parameter groups for a torch optimizer: matrices, then vectors.
    """
    matrices, vectors = list[nn.Parameter](), list[nn.Parameter]()
    for parameter in parameters:
        (matrices if ndim(parameter) > 1 else vectors).append(parameter)
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]


class DecoupledDecay:
    """The factor that AdamW's weight decay leaves of a value whose gradient is always zero.

    AdamW decays weights by a step of its own (Loshchilov & Hutter 2019), so a value without a
    gradient only shrinks, whatever the moments are. Rows of the word embeddings that are cut out
    of the optimizer are shrunk by this factor when they are put back (`TrimmedEmbedding`).
    """

    def __init__(self, optimizer: torch.optim.Optimizer, parameter: nn.Parameter) -> None:
        """Follow the parameter group that holds ``parameter``, whatever its schedule is.

        A frozen parameter is in no group, and keeps its values.
        """
        self.total = 1.0
        self._groups = [
            group
            for group in optimizer.param_groups
            if any(member is parameter for member in group["params"])
        ]
        optimizer.register_step_pre_hook(self._before_step)

    def _before_step(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        for group in self._groups:
            self.total *= 1 - group["lr"] * group["weight_decay"]


def clip_gradients(stack: StackedModel, max_norm: float) -> Tensor:
    """Scale the gradient of every model down to a norm of at most ``max_norm``.

    Returns:
        The norms before clipping, (models,).
    """
    gradients = [p.grad for p in stack.model.parameters() if p.grad is not None]
    if len(stack) == 1:
        norm = nn.utils.get_total_norm(gradients)
        torch._foreach_mul_(gradients, (max_norm / (norm + 1e-6)).clamp(max=1.0))
        return norm.unsqueeze(0)
    rows = [gradient.view(len(stack), -1) for gradient in gradients]
    norms = torch.stack([torch.linalg.vector_norm(row, dim=1) for row in rows])
    total: Tensor = torch.linalg.vector_norm(norms, dim=0)
    scale = (max_norm / (total + 1e-6)).clamp(max=1.0).unsqueeze(1)
    for row in rows:
        row.mul_(scale)
    return total
