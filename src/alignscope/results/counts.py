"""The outcomes of sentences in a result file: two unsigned integers each, compressed as text."""

import base64
import zlib

import numpy as np
from numpy.typing import NDArray

_TYPES = ("<u1", "<u2", "<u4")


def pack_counts(counts: NDArray[np.int64]) -> str:
    """Return counts (n, 2) of numerators and denominators as text.

    The differences of denominator and numerator, which are mostly 0 where scores are high, come
    first, and then the denominators, both in the smallest type of unsigned integers.
    """
    columns = np.concatenate([counts[:, 1] - counts[:, 0], counts[:, 1]])
    if len(columns) and columns.min() < 0:
        raise ValueError("A numerator is above its denominator, or a denominator is below 0.")
    largest = int(columns.max(initial=0))
    kind = next(name for name in _TYPES if largest <= np.iinfo(name).max)
    compressed = zlib.compress(columns.astype(kind).tobytes(), level=9)
    return f"{kind}:{base64.b64encode(compressed).decode('ascii')}"


def unpack_counts(text: str) -> NDArray[np.int64]:
    """Return the counts (n, 2) that `pack_counts` was given.

    >>> text = pack_counts(np.array([[1, 2], [0, 300]]))
    >>> text.partition(":")[0]
    '<u2'
    >>> unpack_counts(text).tolist()
    [[1, 2], [0, 300]]

    Raises:
        ValueError: if the text is not of that form.
    """
    kind, _, encoded = text.partition(":")
    if kind not in _TYPES:
        raise ValueError(f"{kind!r} is not a type of counts.")
    try:
        content = zlib.decompress(base64.b64decode(encoded, validate=True))
    except zlib.error as error:
        raise ValueError(f"The counts cannot be decompressed: {error}.") from None
    difference, denominator = np.frombuffer(content, kind).astype(np.int64).reshape(2, -1)
    return np.stack([denominator - difference, denominator], axis=1)
