"""Windows: consecutive blocks that are re-initialised together."""

from dataclasses import dataclass

from alignscope.errors import EncoderError


@dataclass(frozen=True, order=True)
class Window:
    """Consecutive blocks, from ``first`` to ``last`` inclusive, counted from 0.

    >>> Window(0, 1)
    Window(first=0, last=1)
    >>> str(Window(0, 1)), str(Window(4, 4)), 1 in Window(0, 1), len(Window(0, 1))
    ('0-1', '4', True, 2)

    A block is a transformer module, 0 … n−1. A *layer* is a representation: layer i+1 is the
    output of block i, and layer 0 the embeddings.

    Raises:
        EncoderError: if ``first`` is negative or larger than ``last``.
    """

    first: int
    last: int

    def __post_init__(self) -> None:
        if not 0 <= self.first <= self.last:
            raise EncoderError(
                f"Window {self.first}-{self.last} is not a range of blocks. "
                "Blocks are counted from 0, and the first comes before the last."
            )

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __contains__(self, block: int) -> bool:
        return self.first <= block <= self.last

    @property
    def blocks(self) -> range:
        """The blocks, from 0: ``Window(2, 3).blocks == range(2, 4)``."""
        return range(self.first, self.last + 1)

    @classmethod
    def parse(cls, text: str) -> "Window":
        """Return the window that a text such as ``0-1`` names.

        >>> Window.parse("0-1"), Window.parse("4")
        (Window(first=0, last=1), Window(first=4, last=4))

        Raises:
            EncoderError: if the text is not a window.
        """
        first, dash, last = text.strip().partition("-")
        if not _is_number(first) or (dash and not _is_number(last)):
            raise EncoderError(
                f"{text!r} is not a window. Write 0-1 for blocks 0 and 1, or 4 for block 4."
            )
        return cls(int(first), int(last) if dash else int(first))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def tiles(n_blocks: int, size: int) -> list[Window]:
    """Return the windows of ``size`` blocks that cover all blocks, from block 0 upwards.

    >>> [str(window) for window in tiles(12, 2)]
    ['0-1', '2-3', '4-5', '6-7', '8-9', '10-11']
    >>> [str(window) for window in tiles(7, 3)]
    ['0-2', '3-5', '6']

    If ``size`` does not divide ``n_blocks``, the last window is shorter and its effect is not
    comparable with the effects of the others. Muller et al. (2021) use windows of two blocks.

    Raises:
        EncoderError: unless 1 ≤ ``size`` ≤ ``n_blocks``.
    """
    if not 1 <= size <= n_blocks:
        raise EncoderError(
            f"An encoder of {n_blocks} blocks cannot be cut into windows of {size} blocks. "
            f"Choose a size from 1 to {n_blocks}."
        )
    return [Window(first, min(first + size, n_blocks) - 1) for first in range(0, n_blocks, size)]


def check_fits(window: Window, n_blocks: int, name: str) -> None:
    """Check that a window fits an encoder of ``n_blocks`` blocks.

    >>> check_fits(Window(10, 11), 12, "bert-base-multilingual-cased")
    >>> check_fits(Window(10, 13), 12, "bert-base-multilingual-cased")
    Traceback (most recent call last):
        ...
    alignscope.errors.EncoderError: Window 10-13 does not fit bert-base-multilingual-cased, \
which has 12 blocks (0-11).

    Args:
        window: The window to check.
        n_blocks: Number of blocks of the encoder.
        name: Name of the encoder in the message.

    Raises:
        EncoderError: if the last block of the window does not exist.
    """
    if window.last >= n_blocks:
        count = "1 block (0)" if n_blocks == 1 else f"{n_blocks} blocks (0-{n_blocks - 1})"
        raise EncoderError(f"Window {window} does not fit {name}, which has {count}.")


def expand_windows(text: str, blocks: int | None) -> list[Window] | None:
    """Return the windows that an entry of ``windows`` in a study stands for.

    >>> [str(window) for window in expand_windows("tiles:2", 4) or []]
    ['0-1', '2-3']

    Args:
        text: ``tiles:2``, ``single``, ``all``, ``none`` or one window such as ``0-1``.
        blocks: Number of blocks of the encoder, or None if it is unknown.

    Returns:
        The windows, or None if they depend on an unknown number of blocks.

    Raises:
        EncoderError: if the text is none of these.
    """
    if text == "none":
        return []
    kind, _, size = text.partition(":")
    if kind == "tiles" and not (size.isdecimal() and int(size) >= 1):
        raise EncoderError(f"Window {text} has no size. Write it like tiles:2.")
    if kind != "tiles" and text not in ("single", "all"):
        return [Window.parse(text)]
    if blocks is None:
        return None
    return tiles(blocks, {"tiles": int(size or 1), "single": 1, "all": blocks}[kind])
