"""Train only the rows of the word embeddings that fine-tuning reads.

In a multilingual encoder most weights are word embeddings (XLM-R base: 192 of 278 million), and
most of these belong to subwords that the source never uses. Their gradient is zero in every step,
so AdamW only decays them. One multiplication after the training does the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from alignscope.training.stacked.stack import StackedModel

NOT_READ = 2**62
"""The row of a subword that was not announced. It is out of range in any table, so that reading
such a subword raises instead of returning the vector of another one."""


class TrimmedEmbedding:
    """The word embeddings of a stack, reduced to the rows of some subwords until restored.

    .. code-block:: python

        trimmed = TrimmedEmbedding(stack, ids=[0, 2, 3, 17])
        ...  # train on batches that contain these subwords only
        trimmed.restore(decay=[0.999])

    Subwords keep their ids; a hook translates them. Word embeddings that another module uses as
    well stay whole. Sentences with other subwords can be read inside `reading_all`.
    """

    def __init__(self, stack: StackedModel, ids: Iterable[int]) -> None:
        self.stack = stack
        self.table: Any = stack.encoder.get_input_embeddings()
        self.whole: nn.Parameter = self.table.weight
        self.rows = torch.tensor(sorted(set(ids)), device=self.whole.device)
        self._hook: Any = None
        if is_untied(stack.model, self.whole):
            self._trim()

    def _trim(self) -> None:
        self._row_of = row_of = torch.full(
            self.whole.shape[-2:-1], NOT_READ, dtype=torch.long, device=self.whole.device
        )
        row_of[self.rows] = torch.arange(len(self.rows), device=self.whole.device)
        self._padding = self.table.padding_idx
        if self._padding is not None:
            is_read = bool((self.rows == self._padding).any())
            self.table.padding_idx = int(row_of[self._padding]) if is_read else None

        def translate(table: nn.Module, args: tuple[Tensor]) -> tuple[Tensor]:
            return (row_of[args[0]],)

        self._translate = translate
        self._hook = self.table.register_forward_pre_hook(translate)
        self.table.weight = nn.Parameter(
            self.whole.detach().index_select(-2, self.rows), self.whole.requires_grad
        )
        self.table.num_embeddings = len(self.rows)

    @contextmanager
    def reading_all(self, decay: float) -> Iterator[None]:
        """Let the models read any subword for a while, as they would if training ended here.

        The rows that a batch reads are put together when it is read, so that no second copy of the
        whole table is needed. The trained rows do not change.

        Args:
            decay: the factor that training has left so far of a weight without a gradient
                (`DecoupledDecay`).
        """
        if self._hook is None:
            yield
            return
        trained, rows, padding = self.table.weight, len(self.rows), self.table.padding_idx
        self._hook.remove()
        hook = self.table.register_forward_pre_hook(
            lambda table, args: (self._fill(trained.detach(), args[0], decay),)
        )
        self.table.padding_idx = None  # it only matters to gradients
        try:
            yield
        finally:
            hook.remove()
            self.table.weight, self.table.padding_idx = trained, padding
            self.table.num_embeddings = rows
            self._hook = self.table.register_forward_pre_hook(self._translate)

    def _fill(self, trained: Tensor, ids: Tensor, decay: float) -> Tensor:
        """Give the table the rows of these ids alone, and return the ids translated to them."""
        needed: Tensor
        translated: Tensor
        needed, translated = torch.unique(ids, return_inverse=True)
        rows = self.whole.detach().index_select(-2, needed).mul_(decay)
        row_of = self._row_of[needed]
        known = row_of != NOT_READ
        rows[..., known, :] = trained.index_select(-2, row_of[known])
        self.table.weight = nn.Parameter(rows, requires_grad=False)
        self.table.num_embeddings = len(needed)
        return translated

    def restore(self, decay: Sequence[float]) -> None:
        """Put the trained rows back, and decay all others.

        Args:
            decay: by model, the factor that its training leaves of a weight without a gradient
                (`DecoupledDecay`).
        """
        if self._hook is None:
            return
        self._hook.remove()
        for member, factor in enumerate(decay):
            whole = self.stack.member_slice(self.whole.detach(), member)
            whole.mul_(factor)
            whole[self.rows] = self.stack.member_slice(self.table.weight.detach(), member)
        self.table.weight = self.whole
        self.table.num_embeddings, self.table.padding_idx = self.whole.shape[-2], self._padding


def is_untied(model: nn.Module, weight: nn.Parameter) -> bool:
    """Return whether a weight belongs to a single module, so that it can be trimmed there."""
    named = model.named_parameters(remove_duplicate=False)
    return sum(parameter is weight for _, parameter in named) == 1
