"""Independent random seeds for the purposes of a run, derived from its one seed."""

import hashlib


def derive_seed(seed: int, *purpose: object) -> int:
    """Return the seed of one purpose; different purposes get independent random numbers.

    >>> derive_seed(1, "order") == derive_seed(1, "order")
    True
    >>> derive_seed(1, "order") == derive_seed(1, "dropout")
    False

    REF and an ablated run of one seed therefore have the same head, data order and dropout, and
    differ only in the window (common random numbers).
    """
    text = "/".join([str(seed), *map(str, purpose)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")
