"""Groups of about equally long examples within a budget, so that little of a batch is padding."""

from collections.abc import Sequence

import torch
from torch import Tensor


def plan_batches(
    costs: Sequence[int], budget: int, generator: torch.Generator | None = None
) -> list[list[int]]:
    """Group examples of about equal cost so that each group, padded, stays within the budget.

    >>> plan_batches([5, 1, 5, 1], budget=10)
    [[1, 3], [0, 2]]

    ``costs`` counts the pieces each example takes of a batch in which it is the longest. With a
    generator, ties and the order of the groups are random. An example above the budget makes
    a group of its own.
    """
    noise = torch.zeros(len(costs)) if generator is None else _noise(len(costs), generator)
    order = torch.argsort(torch.tensor(costs) + noise, stable=True).tolist()
    groups: list[list[int]] = []
    widest = 0
    for index in order:
        widest = max(widest, costs[index])
        if not groups or widest * (len(groups[-1]) + 1) > budget:
            groups.append([])
            widest = costs[index]
        groups[-1].append(index)
    if generator is None:
        return groups
    return [groups[i] for i in torch.randperm(len(groups), generator=generator).tolist()]


def _noise(count: int, generator: torch.Generator) -> Tensor:
    """Up to two pieces: enough to mix the groups from epoch to epoch, too little to pad much."""
    return 2 * torch.rand(count, generator=generator)
