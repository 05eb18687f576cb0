"""The masked language modelling objective's input (Devlin et al. 2019, section 3.1)."""

from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

IGNORED_LABEL = -100


@dataclass(frozen=True)
class MaskingStrategy:
    """How much of a batch is hidden, and what never is."""

    fraction: float
    mask: int
    special: Tensor  # (special,) pieces that are never chosen
    inner: Tensor  # (pieces,) whether a piece shares the fate of the one before

    @classmethod
    def of(
        cls, tokenizer: PreTrainedTokenizerBase, fraction: float, *, whole_words: bool = False
    ) -> "MaskingStrategy":
        """Hide single pieces, or ``whole_words``: a piece then cannot be told from its word."""
        pieces = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
        inner = [whole_words and piece.startswith("##") for piece in pieces]
        special = torch.tensor(tokenizer.all_special_ids)
        return cls(fraction, tokenizer.mask_token_id, special, torch.tensor(inner))

    def mask_tokens(self, batch: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Hide a fraction of the sub-words, or words, of ``batch`` (rows, pieces).

        Returns the inputs, where of the chosen sub-words 80 % are ``[MASK]``, 10 % a random piece
        and 10 % left alone, and the gold pieces, which are ``IGNORED_LABEL`` everywhere
        else; special tokens are never chosen.
        """
        units = torch.cumsum(~self.inner[batch], dim=1) - 1
        drawn = torch.rand(batch.shape, generator=generator).gather(1, units.clamp(min=0))
        chosen = (drawn < self.fraction) & ~torch.isin(batch, self.special)
        fate = torch.rand(batch.shape, generator=generator)
        random = torch.randint(len(self.inner), batch.shape, generator=generator)
        inputs = torch.where(chosen & (fate < 0.8), self.mask, batch)
        inputs = torch.where(chosen & (fate >= 0.9), random, inputs)
        return inputs, torch.where(chosen, batch, IGNORED_LABEL)
