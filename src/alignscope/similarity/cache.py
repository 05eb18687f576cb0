"""Representations on disk: the same encoder, sentences and options are read once."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor
from transformers import PreTrainedModel

from alignscope._util.files import replace_file
from alignscope.encoders.precision import resolve_precision
from alignscope.encoders.tokenization import TokenizedSentence
from alignscope.errors import DataError

FORM = 1
"""Raised whenever the code changes what is computed from the same encoder and pieces."""

_NAMES = {"_name_or_path", "_commit_hash", "transformers_version", "default_language"}
"""What a configuration says that changes no vector, or (X-MOD's language) is a key of its own."""


class RepresentationCache:
    """A folder of safetensors, one for each encoder, corpus and way to make vectors of it.

    >>> cache = RepresentationCache(None)  # no folder: nothing is kept
    >>> cache.get_or_compute("key", lambda: torch.zeros(1)).shape
    torch.Size([1])

    A file is written beside its name and renamed, so several processes may share the folder. It may
    be deleted at any time.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def get_or_compute(self, key: str, compute: Callable[[], Tensor]) -> Tensor:
        """Return what is kept under ``key``, or else compute it and keep it.

        Raises:
            DataError: if the folder cannot be written to.
        """
        if self.folder is None:
            return compute()
        path = self.folder / f"{key}.safetensors"
        try:
            kept: Tensor = load(path.read_bytes())["layers"]
            return kept
        except (OSError, SafetensorError, KeyError):  # a broken one is made anew
            pass
        with self._writable():
            self.folder.mkdir(parents=True, exist_ok=True)
        found = compute()
        with self._writable():
            replace_file(save({"layers": found.contiguous()}), path)
        return found

    @contextmanager
    def _writable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DataError(
                f"representations cannot be kept in {self.folder}: {error.strerror}; name another "
                "folder in ALIGNSCOPE_CACHE, or keep none"
            ) from None


def fingerprint(encoder: PreTrainedModel) -> str:
    """Return the SHA-256 of all weights of an encoder, by name, and of its configuration.

    It follows what the encoder is now, wherever it came from: fine-tuned, it is another one.
    """
    config = {key: value for key, value in encoder.config.to_dict().items() if key not in _NAMES}
    kind = f"{type(encoder).__module__}.{type(encoder).__qualname__}"  # of remote code: its commit
    described = json.dumps([kind, config], sort_keys=True, default=str)
    digest = hashlib.sha256(described.encode())
    for name, weight in sorted(encoder.state_dict().items()):
        digest.update(f"{name} {weight.dtype} {tuple(weight.shape)}".encode())
        digest.update(weight.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def cache_key(
    encoder: PreTrainedModel,
    whole: str,
    split: Sequence[TokenizedSentence],
    options: Sequence[object],
) -> str:
    """Return the key of the vectors of sentences: 64 hex digits over all that decides them.

    ``whole`` is the encoder's `fingerprint`; the adapters that speak are not among its weights.
    """
    about = {
        "form": FORM,
        "encoder": whole,
        "speaks": getattr(encoder.config, "default_language", None),
        "precision": resolve_precision(encoder, "auto"),
        "device": encoder.device.type,
        "versions": _versions(),
        "pieces": [(pieces.chunks, pieces.spans) for pieces in split],
        "options": list(options),
    }
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


@cache
def _versions() -> list[str]:
    return [version(name) for name in ("torch", "transformers")]
