"""Observe what each block of an encoder reads and returns."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor
from transformers import PreTrainedModel

from alignscope.encoders.blocks import blocks
from alignscope.errors import EncoderError

Seen = Callable[[int, Tensor, Tensor], None]
"""Called after a block with its number and its hidden states before and after, (…, hidden)."""


@contextmanager
def observe_blocks(encoder: PreTrainedModel, seen: Seen) -> Iterator[None]:
    """Call a function with the hidden states that each block reads and returns.

    The function sees what the next block gets: the effect of every other hook is included. A block
    that returns no hidden states is not reported.

    Raises:
        EncoderError: if a block gets no hidden states.
    """
    inputs: dict[int, Tensor] = {}

    def enter(index: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        inputs[index] = block_input(args, kwargs).clone()  # a block may change its input in place

    def leave(index: int, output: Any) -> None:
        hidden = output[0] if isinstance(output, tuple) and output else output
        if isinstance(hidden, Tensor):
            seen(index, inputs[index], hidden)

    hooks = []
    for i, block in enumerate(blocks(encoder)):
        hooks += [
            block.register_forward_pre_hook(
                lambda _, args, kwargs, i=i: enter(i, args, kwargs), with_kwargs=True
            ),
            block.register_forward_hook(lambda _, args, output, i=i: leave(i, output)),
        ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def block_input(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """Return the hidden states among the arguments of a block.

    Raises:
        EncoderError: if there are none.
    """
    hidden = args[0] if args else kwargs.get("hidden_states")
    if not isinstance(hidden, Tensor):
        raise EncoderError(
            "A block gets no hidden states as its first argument, so it can neither be observed "
            "nor skipped. Use another encoder."
        )
    return hidden
