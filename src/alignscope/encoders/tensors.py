"""The tensors of a module by name, and hashes that show which of them changed."""

import hashlib
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn


def named_tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield every parameter and every buffer of a module by name."""
    yield from module.named_parameters()
    yield from module.named_buffers()


def fingerprints(tensors: Iterable[tuple[str, Tensor]]) -> dict[str, str]:
    """Return a hash of the bytes of every tensor by its name.

    >>> a, b = torch.zeros(2), torch.ones(2)
    >>> fingerprints([("a", a)]) == fingerprints([("a", b - 1)])
    True
    """
    return {name: _hash(tensor) for name, tensor in tensors}


def _hash(tensor: Tensor) -> str:
    content = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
    return hashlib.sha256(content.numpy().data).hexdigest()
