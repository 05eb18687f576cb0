"""The rows of the word embeddings that fine-tuning reads: only they are trained.

In a multilingual encoder most weights are word embeddings (XLM-R base: 192 of 278 million), and
most of these belong to words that the source never uses. Their gradient is zero in every step, so
all that AdamW does to them is to decay them; that is done at once, at the end.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from alignscope.training.stacked.stack import StackedModel


class TrimmedEmbedding:
    """The word embeddings of a stack, cut down to the rows of some sub-words until restored.

    >>> rows = TrimmedEmbedding(stack, ids=[0, 2, 3, 17])
    >>> ...  # train
    >>> rows.restore(decay=[0.999])

    Sub-words keep their ids: the encoder does not know. Where the embeddings are also used by
    another module, nothing is cut.
    """

    def __init__(self, stack: StackedModel, ids: Iterable[int]) -> None:
        self.stack = stack
        self.table: Any = stack.encoder.get_input_embeddings()
        self.whole: nn.Parameter = self.table.weight
        self.rows = torch.tensor(sorted(set(ids)), device=self.whole.device)
        self._hook: Any = None
        if is_untied(stack.model, self.whole):
            self._cut()

    def _cut(self) -> None:
        place = torch.zeros(self.whole.shape[-2], dtype=torch.long, device=self.whole.device)
        place[self.rows] = torch.arange(len(self.rows), device=self.whole.device)
        self._padding = self.table.padding_idx
        if self._padding is not None:
            read = bool((self.rows == self._padding).any())
            self.table.padding_idx = int(place[self._padding]) if read else None

        def find(table: nn.Module, given: tuple[Tensor]) -> tuple[Tensor]:
            return (place[given[0]],)

        self._hook = self.table.register_forward_pre_hook(find)
        self.table.weight = nn.Parameter(self.whole.detach().index_select(-2, self.rows))
        self.table.num_embeddings = len(self.rows)

    def restore(self, decay: Sequence[float]) -> None:
        """Put the rows back and multiply all others by what each model's steps decayed them by."""
        if self._hook is None:
            return
        self._hook.remove()
        for number, factor in enumerate(decay):
            whole = self.stack.member_slice(self.whole.detach(), number)
            whole.mul_(factor)
            whole[self.rows] = self.stack.member_slice(self.table.weight.detach(), number)
        self.table.weight = self.whole
        self.table.num_embeddings, self.table.padding_idx = self.whole.shape[-2], self._padding


def is_untied(model: nn.Module, weight: nn.Parameter) -> bool:
    """Whether a weight belongs to one module only, so that it can be cut there."""
    named = model.named_parameters(remove_duplicate=False)
    return sum(parameter is weight for _, parameter in named) == 1
