"""The context of a comparison: documents and lengths of its rows, and parameters."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from alignscope.similarity.measures.lengths import Lengths


class Documents:
    """The document of every row; rows of one document are left out together.

    >>> documents = Documents(["a", "b", "a"])
    >>> documents.count, documents.sum(torch.tensor([1.0, 2.0, 3.0])).tolist()
    (2, [4.0, 2.0])

    Args:
        names: the document of every row, (n,).
    """

    def __init__(self, names: Sequence[Hashable]) -> None:
        number = {name: i for i, name in enumerate(dict.fromkeys(names))}
        self.index = torch.tensor([number[name] for name in names])
        self.count = len(number)

    @cached_property
    def sizes(self) -> Tensor:
        """The number of rows of every document, (documents,)."""
        return self.sum(torch.ones(len(self.index), dtype=torch.float64))

    @cached_property
    def pairs(self) -> tuple[Tensor, Tensor]:
        """All pairs of rows i < j of one document, as two lists of rows."""
        order = torch.argsort(self.index, stable=True)
        parts = [
            rows[torch.combinations(torch.arange(len(rows)))]
            for rows in torch.split(order, self.sizes.long().tolist())
            if len(rows) > 1
        ]
        both = torch.cat(parts) if parts else torch.empty(0, 2, dtype=torch.long)
        return both[:, 0], both[:, 1]

    def sum(self, values: Tensor) -> Tensor:
        """Sum values (n, …) over the rows of every document, (documents, …)."""
        total = values.new_zeros(self.count, *values.shape[1:])
        return total.index_add(0, self.index.to(values.device), values)

    def sum_pairs(self, values: Tensor) -> Tensor:
        """Sum a symmetric matrix without its diagonal over the rows and columns of each document.

        Args:
            values: the entries of the matrix at `pairs`, (m,).
        """
        total = values.new_zeros(self.count)
        return total.index_add(0, self.index[self.pairs[0]].to(values.device), 2 * values)


@dataclass(frozen=True, eq=False)
class Context:
    """The context of a comparison of two sides.

    ``documents`` and ``lengths`` of the rows are None where they are not known. ``neighbours`` is
    the parameter k of ``mutual-knn``.
    """

    documents: Documents | None = None
    lengths: Lengths | None = None
    neighbours: int = 10


NO_CONTEXT = Context()
"""Nothing is known about the rows."""
