"""Skipped blocks: hidden states pass a block unchanged, whatever else the block returns."""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from alignscope.config.windows import Window
from alignscope.encoders.blocks import block_path, blocks, encode_trial_tokens
from alignscope.encoders.observe import block_input, observe_blocks
from alignscope.errors import EncoderError


def skip_blocks_(encoder: PreTrainedModel, window: Window) -> None:
    """Turn the blocks of a window into the identity, in place, and verify it on a few tokens.

    A skipped block still runs, and a hook replaces its hidden states by those that it was given.
    All else that it returns passes, such as the position bias that block 0 of mT5 computes for all
    blocks, and dropout in the other blocks has the masks that it has without the skip.

    The hook is part of the block, so that copies and pickles of the encoder skip it as well. It is
    no weight: ``state_dict`` and ``save_pretrained`` keep the weights alone.

    Raises:
        EncoderError: if a block returns something else than hidden states, or the verification
            fails.
    """
    before = _identities(encoder)
    for index in window.blocks:
        if not is_skipped(blocks(encoder)[index]):
            blocks(encoder)[index].register_forward_hook(
                _return_input, prepend=True, with_kwargs=True
            )
    after = _identities(encoder)
    path = block_path(encoder)
    if acting := sorted(set(window.blocks) - after):
        raise EncoderError(
            f"{path}.{acting[0]} changes its input although it is skipped. {type(encoder).__name__}"
            " cannot be used with init='skip'."
        )
    if stray := sorted(after - before - set(window.blocks)):
        raise EncoderError(f"Skipping {window} also skipped {path}.{stray[0]}.")


def is_skipped(block: nn.Module) -> bool:
    """Return whether `skip_blocks_` has turned a block into the identity."""
    return _return_input in block._forward_hooks.values()


def skipped_blocks(encoder: nn.Module) -> list[str]:
    """Return the paths of the blocks that are skipped; the encoder may be of any class."""
    return [path for path, module in encoder.named_modules() if is_skipped(module)]


def _return_input(
    block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any
) -> Any:
    """Replace the hidden states that a block returns by those that it was given.

    This is a function of the module, and no closure, so that blocks with it can be pickled.
    """
    hidden = block_input(args, kwargs)
    if isinstance(output, Tensor):
        return hidden
    if isinstance(output, tuple) and output and isinstance(output[0], Tensor):
        return (hidden, *output[1:])
    raise EncoderError(
        f"{type(block).__name__} returns a {type(output).__name__} and not its hidden states, so "
        "it cannot be skipped. Use another init than 'skip'."
    )


@torch.no_grad()
def _identities(encoder: PreTrainedModel) -> set[int]:
    """Return the blocks that return their input exactly, for a few tokens."""
    found = set[int]()

    def compare(index: int, before: Tensor, after: Tensor) -> None:
        if torch.equal(before, after):
            found.add(index)

    with observe_blocks(encoder, compare):
        encode_trial_tokens(encoder)
    return found
