"""Pairs of Gaussian matrices, (n, d), with a known relation."""

import torch
from torch import Tensor


def normal(n: int, d: int, seed: int = 1) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def mixed(n: int, d: int, seed: int = 1) -> tuple[Tensor, Tensor]:
    """Return two matrices with a common subspace whose columns do not correspond."""
    left = normal(n, d, seed)
    return left, left @ normal(d, d, seed + 1) + normal(n, d, seed + 2)


def related(n: int = 60, d: int = 7, seed: int = 1) -> tuple[Tensor, Tensor]:
    """Return two matrices whose columns mostly correspond."""
    left = normal(n, d, seed)
    right = left @ (torch.eye(d) + 0.3 * normal(d, d, 2)) + 0.7 * normal(n, d, seed + 2)
    return left + 3, right


def shuffles(n: int, count: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(5)
    return [torch.randperm(n, generator=generator) for _ in range(count)]
