"""The lengths of the rows of both sides: what they predict, and which rows are equally long.

Translations have similar lengths, and the vector of a sentence depends on its length. Two sides
can therefore be similar without a common meaning. This module offers two controls: pairings of
rows that are nearly equally long on both sides, and a basis of functions of the lengths that can be
regressed out.
"""

import math
from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

CALIPER = 1.25
"""The largest ratio of two lengths that count as nearly equal."""
BLOCK = 12
"""The largest number of rows that are paired among each other."""
PAIRINGS = 200
"""Random pairings of rows of nearly equal length."""
LEVERAGE = 0.4
"""Leverage of a row from which its equation is solved apart: the fast form has a pole at 0.5."""


class Lengths:
    """The lengths of rows on both sides.

    >>> lengths = Lengths([5] * 10 + [9] * 10, [4] * 10 + [8] * 10)
    >>> lengths.broken, lengths.basis.shape
    (1.0, torch.Size([20, 2]))

    Args:
        source: the length of every row of the source, such as its number of subwords.
        target: the length of every row of the target.
    """

    def __init__(self, source: Sequence[int], target: Sequence[int]) -> None:
        self.sides = torch.tensor([list(source), list(target)], dtype=torch.float64).T

    def __len__(self) -> int:
        return len(self.sides)

    @cached_property
    def basis(self) -> Tensor:
        """Orthonormal columns that span 1, L, L² and log L for the lengths L of both sides, (n, k).

        Columns that the others determine are left out, so that k is 7 at most.
        """
        logs = self.sides.log()
        columns = torch.cat([self.sides, self.sides.square(), logs], dim=1)
        centred = columns - columns.mean(0)
        scale = centred.norm(dim=0)
        centred = centred[:, scale > 1e-9 * columns.norm(dim=0)]
        centred = centred / centred.norm(dim=0)
        constant = torch.full((len(self), 1), len(self) ** -0.5, dtype=torch.float64)
        if not centred.shape[1]:
            return constant
        left, values, _ = torch.linalg.svd(centred, full_matrices=False)
        return torch.cat([constant, left[:, values > 1e-6 * values[0]]], dim=1)

    def solve(self, values: Tensor) -> Tensor:
        """Return d with (M∘M) d = values, where M projects off the basis and ∘ is elementwise.

        Args:
            values: the diagonal of M K M for some K, (n,).
        """
        equations = self._equations
        high = equations.high
        of_high = values[high] - equations.between.T @ equations.solve_low(values[~high])
        solved_high = equations.schur @ of_high
        result = torch.empty_like(values)
        result[high] = solved_high
        result[~high] = equations.solve_low(values[~high] - equations.between @ solved_high)
        return result

    @cached_property
    def _equations(self) -> "_Equations":
        return _Equations(self.basis)

    @cached_property
    def blocks(self) -> Tensor:
        """The block of every row, (n,): rows of a block are nearly equally long on both sides.

        All rows are halved again and again at the median of the side on which they differ most,
        until a block has at most `BLOCK` rows, whose lengths differ by a factor of at most
        `CALIPER` on either side. Rows that differ more from all others are blocks of their own.
        """
        generator = torch.Generator().manual_seed(1)
        # In random order, so that equally long rows of one document do not end in one block.
        waiting = [torch.randperm(len(self), generator=generator)]
        blocks, logs, count = torch.empty(len(self), dtype=torch.long), self.sides.log(), 0
        while waiting:
            rows = waiting.pop()
            spread = logs[rows].amax(0) - logs[rows].amin(0)
            if len(rows) <= BLOCK and float(spread.max()) <= math.log(CALIPER) + 1e-9:
                blocks[rows], count = count, count + 1
                continue
            order = rows[torch.argsort(logs[rows, int(spread.argmax())], stable=True)]
            waiting += [order[: len(order) // 2], order[len(order) // 2 :]]
        return blocks

    @cached_property
    def block_sizes(self) -> Tensor:
        """The number of rows in the block of every row, (n,)."""
        return torch.bincount(self.blocks)[self.blocks].double()

    @property
    def broken(self) -> float:
        """The share of rows that are paired with another one: all but blocks of a single row."""
        return float((self.block_sizes > 1).double().mean())

    @cached_property
    def position(self) -> Tensor:
        """The place of every row in its block, counted from 0, (n,)."""
        order = torch.argsort(self.blocks, stable=True)
        sizes = torch.bincount(self.blocks)
        starts = (sizes.cumsum(0) - sizes).repeat_interleave(sizes)
        return torch.empty_like(order).scatter_(0, order, torch.arange(len(self)) - starts)

    @cached_property
    def members(self) -> Tensor:
        """The rows of the block of every row, by `position`, (n, largest block).

        Smaller blocks are filled up with their first row.
        """
        table = torch.full((int(self.blocks.max()) + 1, int(self.position.max()) + 1), -1)
        table[self.blocks, self.position] = torch.arange(len(self))
        members: Tensor = torch.where(table < 0, table[:, :1], table)[self.blocks]
        return members

    def expect(self, columns: Tensor) -> Tensor:
        """Return the mean over pairings of columns (n, d): for each row the mean of its partners.

        A partner is any other row of its block. A row that is a block of its own keeps its values.
        """
        sums = columns.new_zeros(int(self.blocks.max()) + 1, columns.shape[1])
        sums = sums.index_add(0, self.blocks.to(columns.device), columns)[self.blocks]
        others = (self.block_sizes - 1).clamp(min=1).to(columns)[:, None]
        alone = (self.block_sizes == 1).to(columns.device)[:, None]
        return torch.where(alone, columns, (sums - columns) / others)

    @cached_property
    def pairings(self) -> Tensor:
        """Random pairings of the rows of each block, (n, PAIRINGS), always the same.

        Column k says which row of the target each row of the source is paired with: the rows of a
        block stand in a random circle, and each gets the next one, so that no pair stays.
        """
        generator = torch.Generator().manual_seed(1)
        keys = torch.rand(len(self), PAIRINGS, generator=generator)
        order = (self.blocks[:, None] + keys.double()).argsort(0)
        sizes = torch.bincount(self.blocks)
        starts = (sizes.cumsum(0) - sizes).repeat_interleave(sizes)
        place = torch.arange(len(self))
        following = starts + (place - starts + 1) % sizes.repeat_interleave(sizes)
        return torch.empty_like(order).scatter_(0, order, order[following])


class _Equations:
    """The matrix M∘M = diag(1 − 2h) + W Wᵀ, split into rows of low and of high leverage h.

    W has the products of two columns of the basis. For low leverage, the inverse follows from that
    of a matrix as large as W is wide (Woodbury); the few rows of ``high`` leverage are eliminated.
    """

    def __init__(self, basis: Tensor) -> None:
        first, second = torch.triu_indices(basis.shape[1], basis.shape[1])
        weights = (1 + (first != second).double()).sqrt()
        factors = basis[:, first] * basis[:, second] * weights
        diagonal = 1 - 2 * basis.square().sum(1)
        self.high = diagonal < 1 - 2 * LEVERAGE
        self._diagonal, self._factors = diagonal[~self.high], factors[~self.high]
        small = torch.eye(factors.shape[1], dtype=torch.float64)
        scaled = self._factors / self._diagonal[:, None]
        self._inner = torch.linalg.inv(small + self._factors.T @ scaled)
        of_high = factors[self.high]
        self.between = self._factors @ of_high.T
        own = torch.diag(diagonal[self.high]) + of_high @ of_high.T
        eliminated = own - self.between.T @ self.solve_low(self.between)
        self.schur = torch.linalg.pinv(eliminated, hermitian=True, rtol=1e-10)

    def solve_low(self, values: Tensor) -> Tensor:
        """Solve the equations of the rows of low leverage, for values (m,) or (m, k)."""
        diagonal = self._diagonal if values.ndim == 1 else self._diagonal[:, None]
        scaled = values / diagonal
        fitted: Tensor = (self._factors @ (self._inner @ (self._factors.T @ scaled))) / diagonal
        return scaled - fitted
