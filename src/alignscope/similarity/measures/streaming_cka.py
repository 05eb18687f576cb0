"""CKA of sides that do not fit into memory: one pass, a chunk of rows at a time."""

import math

import torch
from torch import Tensor

from alignscope.errors import SimilarityError
from alignscope.similarity.measures.cka import LEAST, hsic_from_sums
from alignscope.similarity.measures.inputs import CONSTANT, Array, as_pair, warn_biased


class StreamingCka:
    """Linear CKA of rows that come in chunks; memory grows with d², not with n.

    >>> stream = StreamingCka()
    >>> for left, right in zip(torch.randn(10, 50, 8), torch.randn(10, 50, 8)):
    ...     stream.add(left, right)
    >>> abs(stream.debiased) < 0.1
    True

    It gives what `cka.debiased_cka` and `cka.biased_cka` give of all rows at once, to rounding, by
    sums that every chunk adds to (all of Song et al. 2012, equation 4, follows from products of
    features). Sums are in double, of rows from which the first chunk's mean is taken off: CKA does
    not change, and rounding stays small. An interval would take a second pass; there is none.
    """

    def __init__(self) -> None:
        self.n = 0
        self._offsets: tuple[Tensor, Tensor] | None = None
        self._sums: dict[str, tuple[Tensor, ...]] = {}

    def add(self, left: Array, right: Array) -> None:
        """Take the next rows (m, d) and (m, e) in; m may differ from chunk to chunk.

        Raises:
            SimilarityError: if they do not have the same m, another width than those before, or
                values that are not finite.
        """
        x, y = as_pair(left, right, "streaming CKA", least=1)
        if self._offsets is None:
            self._offsets = x.mean(0), y.mean(0)
        if (x.shape[1], y.shape[1]) != tuple(map(len, self._offsets)):
            widths = tuple(map(len, self._offsets))
            raise SimilarityError(
                f"rows of {x.shape[1]} and {y.shape[1]} features follow rows of {widths[0]} and "
                f"{widths[1]}"
            )
        x, y = x - self._offsets[0], y - self._offsets[1]
        self.n += len(x)
        for name, (one, other) in {"xy": (x, y), "xx": (x, x), "yy": (y, y)}.items():
            new = _sums(one, other)
            old = self._sums.get(name)
            self._sums[name] = new if old is None else tuple(map(torch.add, old, new))

    @property
    def debiased(self) -> float:
        """`cka.debiased_cka` of all rows so far."""
        return self._alignment(debiased=True)

    @property
    def biased(self) -> float:
        """`cka.biased_cka` of all rows so far; warns as that does."""
        if self._offsets is not None:
            warn_biased("biased CKA", self.n, max(map(len, self._offsets)))
        return self._alignment(debiased=False)

    def _alignment(self, *, debiased: bool) -> float:
        if self.n < LEAST:
            raise SimilarityError(f"CKA needs at least {LEAST} rows, there are {self.n}")
        between, left, right = (_hsic(self.n, self._sums[k], debiased) for k in ("xy", "xx", "yy"))
        if left <= 0 or right <= 0:
            raise SimilarityError(CONSTANT.format("CKA"))
        return between / math.sqrt(left * right)


def _sums(x: Tensor, y: Tensor) -> tuple[Tensor, ...]:
    """Products of features; sums of rows, of squared norms, and of rows by the other's norms."""
    a, b = x.square().sum(1), y.square().sum(1)
    return x.T @ y, x.sum(0), y.sum(0), a.sum(), b.sum(), a @ b, b @ x, a @ y


def _hsic(n: int, sums: tuple[Tensor, ...], debiased: bool) -> float:
    """1ᵀ(K∘L)1, 1ᵀK1, 1ᵀL1 and 1ᵀKL1 from `_sums`, without the diagonals if ``debiased``."""
    product, x, y, a, b, norms, x_by_b, y_by_a = sums
    total, middle = product.square().sum(), x @ product @ y
    if not debiased:
        return float(hsic_from_sums(n, total, x @ x, y @ y, middle, debiased))
    middle = middle - x @ x_by_b - y @ y_by_a + norms
    return float(hsic_from_sums(n, total - norms, x @ x - a, y @ y - b, middle, debiased))
