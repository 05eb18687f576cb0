"""A window: the consecutive blocks that are re-initialised together. Needs no torch."""

from dataclasses import dataclass

from alignscope.errors import EncoderError


@dataclass(frozen=True, order=True)
class Window:
    """Consecutive blocks ``first`` to ``last``, both counted from 0, both included.

    >>> Window(0, 1)
    Window(first=0, last=1)
    >>> str(Window(0, 1)), str(Window(4, 4)), 1 in Window(0, 1), len(Window(0, 1))
    ('0-1', '4', True, 2)

    A block is a transformer module, 0 … n−1; a *layer* is a representation, and layer i+1 is
    what block i puts out. Raises ``EncoderError`` if ``last`` lies before ``first``.
    """

    first: int
    last: int

    def __post_init__(self) -> None:
        if not 0 <= self.first <= self.last:
            raise EncoderError(
                f"window {self.first}-{self.last} is not a range of blocks, which are counted "
                "from 0, first to last"
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
        """Read what ``str`` writes.

        >>> Window.parse("0-1"), Window.parse("4")
        (Window(first=0, last=1), Window(first=4, last=4))

        Raises ``EncoderError`` for anything else.
        """
        first, dash, last = text.strip().partition("-")
        if not _is_number(first) or (dash and not _is_number(last)):
            raise EncoderError(f"{text!r} is not a window; write 0-1 for blocks 0 and 1, or 4")
        return cls(int(first), int(last) if dash else int(first))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def tiles(n_blocks: int, size: int) -> list[Window]:
    """Cut all blocks into windows of ``size``, from block 0 upwards.

    >>> [str(window) for window in tiles(12, 2)]
    ['0-1', '2-3', '4-5', '6-7', '8-9', '10-11']
    >>> [str(window) for window in tiles(7, 3)]
    ['0-2', '3-5', '6']

    The last window is shorter where ``size`` does not divide ``n_blocks``: its effect is not
    comparable with the others'. Windows of two blocks are those of Muller et al. (2021).
    Raises ``EncoderError`` unless 1 ≤ size ≤ n_blocks.
    """
    if not 1 <= size <= n_blocks:
        raise EncoderError(
            f"an encoder of {n_blocks} blocks cannot be cut into windows of {size}; "
            f"a window has 1 to {n_blocks} blocks"
        )
    return [Window(first, min(first + size, n_blocks) - 1) for first in range(0, n_blocks, size)]


def check_fits(window: Window, n_blocks: int, name: str) -> None:
    """Make sure that ``window`` fits an encoder of ``n_blocks``, called ``name`` in the message.

    >>> check_fits(Window(10, 11), 12, "bert-base-multilingual-cased")
    >>> check_fits(Window(10, 13), 12, "bert-base-multilingual-cased")
    Traceback (most recent call last):
        ...
    alignscope.errors.EncoderError: window 10-13 does not fit bert-base-multilingual-cased, \
which has 12 blocks (0-11)

    Raises ``EncoderError`` if it does not.
    """
    if window.last >= n_blocks:
        count = "1 block (0)" if n_blocks == 1 else f"{n_blocks} blocks (0-{n_blocks - 1})"
        raise EncoderError(f"window {window} does not fit {name}, which has {count}")


def expand_windows(text: str, blocks: int | None) -> list[Window] | None:
    """Return the windows that a text stands for, of an encoder of so many blocks.

    >>> [str(window) for window in expand_windows("tiles:2", 4) or []]
    ['0-1', '2-3']

    It is ``tiles:2``, ``single``, ``all``, ``none`` or one window. Without ``blocks`` it is None
    for what depends on them. Raises ``EncoderError`` for anything else.
    """
    if text == "none":
        return []
    kind, _, size = text.partition(":")
    if kind == "tiles" and not (size.isdecimal() and int(size) >= 1):
        raise EncoderError(f"window {text} has no size; write it like tiles:2")
    if kind != "tiles" and text not in ("single", "all"):
        return [Window.parse(text)]
    if blocks is None:
        return None
    return tiles(blocks, {"tiles": int(size or 1), "single": 1, "all": blocks}[kind])
