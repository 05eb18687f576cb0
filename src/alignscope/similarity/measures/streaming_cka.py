"""Compute CKA of sides that do not fit in memory, in one pass over chunks of rows."""

import math

import torch
from torch import Tensor

from alignscope.errors import SimilarityError
from alignscope.similarity.measures.cka import LEAST
from alignscope.similarity.measures.hsic import KernelSums, hsic_from_sums
from alignscope.similarity.measures.inputs import CONSTANT, Array, as_pair, warn_biased


class StreamingCka:
    """Linear CKA of rows that arrive in chunks; memory grows with d², not with n.

    >>> stream = StreamingCka()
    >>> for left, right in zip(torch.randn(10, 50, 8), torch.randn(10, 50, 8)):
    ...     stream.add(left, right)
    >>> abs(stream.debiased) < 0.1
    True

    The values equal those of `cka.debiased_cka` and `cka.biased_cka` for all rows at once, up to
    rounding. Every chunk adds to a few sums of products of features, from which all terms of
    equation 4 of Song et al. 2012 follow. The sums are in double precision, and the mean of the
    first chunk is subtracted from all rows: this does not change CKA and keeps rounding errors
    small. There is no interval, because it would need a second pass.
    """

    def __init__(self) -> None:
        self.n = 0
        self._offsets: tuple[Tensor, Tensor] | None = None
        self._sums: dict[str, tuple[Tensor, ...]] = {}

    def add(self, left: Array, right: Array) -> None:
        """Add a chunk of rows.

        Args:
            left: rows of one side, (m, d); m may differ from chunk to chunk.
            right: the same rows of the other side, (m, e).

        Raises:
            SimilarityError: if the numbers of rows differ, a width differs from that of the chunks
                before, or a value is not finite.
        """
        x, y = as_pair(left, right, "streaming CKA", least=1)
        if self._offsets is None:
            self._offsets = x.mean(0), y.mean(0)
        if (x.shape[1], y.shape[1]) != tuple(map(len, self._offsets)):
            widths = tuple(map(len, self._offsets))
            raise SimilarityError(
                f"This chunk has {x.shape[1]} and {y.shape[1]} features, the chunks before have "
                f"{widths[0]} and {widths[1]}."
            )
        x, y = x - self._offsets[0], y - self._offsets[1]
        self.n += len(x)
        for name, pair in {"xy": (x, y), "xx": (x, x), "yy": (y, y)}.items():
            of_chunk = _sums(*pair)
            so_far = self._sums.get(name)
            self._sums[name] = (
                of_chunk if so_far is None else tuple(map(torch.add, so_far, of_chunk))
            )

    @property
    def debiased(self) -> float:
        """The `cka.debiased_cka` of all rows so far."""
        return self._alignment(debiased=True)

    @property
    def biased(self) -> float:
        """The `cka.biased_cka` of all rows so far, with the same warning."""
        if self._offsets is not None:
            warn_biased("biased CKA", self.n, max(map(len, self._offsets)))
        return self._alignment(debiased=False)

    def _alignment(self, *, debiased: bool) -> float:
        if self.n < LEAST:
            raise SimilarityError(f"CKA needs at least {LEAST} rows, got {self.n}.")
        between, left, right = (_hsic(self.n, self._sums[k], debiased) for k in ("xy", "xx", "yy"))
        if left <= 0 or right <= 0:
            raise SimilarityError(CONSTANT.format("CKA"))
        return between / math.sqrt(left * right)


def _sums(x: Tensor, y: Tensor) -> tuple[Tensor, ...]:
    """Return products of features and sums of rows, norms and rows times the other's norms."""
    a, b = x.square().sum(1), y.square().sum(1)
    return x.T @ y, x.sum(0), y.sum(0), a.sum(), b.sum(), a @ b, b @ x, a @ y


def _hsic(n: int, sums: tuple[Tensor, ...], debiased: bool) -> float:
    """Return HSIC from the result of `_sums`, without the diagonals if ``debiased``."""
    product, x, y, a, b, norms, x_by_b, y_by_a = sums
    total, middle = product.square().sum(), x @ product @ y
    if not debiased:
        return float(hsic_from_sums(n, KernelSums(total, x @ x, y @ y, middle), debiased))
    middle = middle - x @ x_by_b - y @ y_by_a + norms
    without = KernelSums(total - norms, x @ x - a, y @ y - b, middle)
    return float(hsic_from_sums(n, without, debiased))
