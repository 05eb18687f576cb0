"""The masked language modelling objective's input (Devlin et al. 2019, section 3.1)."""

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

IGNORED = -100


def mask_tokens(
    batch: Tensor, tokenizer: PreTrainedTokenizerBase, fraction: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Hide a fraction of the sub-words of ``batch`` (rows, pieces).

    Returns the inputs, where of the chosen sub-words 80 % are ``[MASK]``, 10 % a random piece and
    10 % left alone, and the gold pieces, which are ``IGNORED`` everywhere else; special tokens are
    never chosen.
    """
    special = torch.isin(batch, torch.tensor(tokenizer.all_special_ids))
    chosen = (torch.rand(batch.shape, generator=generator) < fraction) & ~special
    fate = torch.rand(batch.shape, generator=generator)
    random = torch.randint(len(tokenizer), batch.shape, generator=generator)
    inputs = torch.where(chosen & (fate < 0.8), tokenizer.mask_token_id, batch)
    inputs = torch.where(chosen & (fate >= 0.9), random, inputs)
    return inputs, torch.where(chosen, batch, IGNORED)
