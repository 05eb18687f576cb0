"""The masked language modelling objective's input (Devlin et al. 2019, section 3.1)."""

from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from alignscope.tasks.label_ids import IGNORED_LABEL


@dataclass(frozen=True)
class MaskingStrategy:
    """Which subwords of a batch are masked."""

    fraction: float
    mask: int
    special: Tensor  # (special,) subwords that are never chosen
    inner: Tensor  # (subwords,) whether a subword is masked together with the one before it

    @classmethod
    def of(
        cls, tokenizer: PreTrainedTokenizerBase, fraction: float, *, whole_words: bool = False
    ) -> "MaskingStrategy":
        """Mask single subwords, or all subwords of a word together (``whole_words``)."""
        subwords = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
        inner = [whole_words and subword.startswith("##") for subword in subwords]
        special = torch.tensor(tokenizer.all_special_ids)
        return cls(fraction, tokenizer.mask_token_id, special, torch.tensor(inner))

    def mask_tokens(self, batch: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Mask a fraction of the subwords, or words, of ``batch`` (rows, subwords).

        Special tokens are never chosen.

        Returns:
            The inputs, in which 80 % of the chosen subwords are ``[MASK]``, 10 % a random subword
            and 10 % unchanged; and the gold subwords, which are ``IGNORED_LABEL`` where none was
            chosen.
        """
        units = torch.cumsum(~self.inner[batch], dim=1) - 1
        drawn = torch.rand(batch.shape, generator=generator).gather(1, units.clamp(min=0))
        chosen = (drawn < self.fraction) & ~torch.isin(batch, self.special)
        fate = torch.rand(batch.shape, generator=generator)
        random = torch.randint(len(self.inner), batch.shape, generator=generator)
        inputs = torch.where(chosen & (fate < 0.8), self.mask, batch)
        inputs = torch.where(chosen & (fate >= 0.9), random, inputs)
        return inputs, torch.where(chosen, batch, IGNORED_LABEL)
