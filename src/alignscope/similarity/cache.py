"""Keep representations on disk, so that each encoder reads each corpus once."""

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
from alignscope.encoders.skip import skipped_blocks
from alignscope.encoders.tokenization import TokenizedSentence
from alignscope.errors import DataError

FORM = 1
"""Raised whenever the code changes what it computes from the same encoder and subwords."""

_IRRELEVANT = {"_name_or_path", "_commit_hash", "transformers_version", "default_language"}
"""Keys of a configuration that change no vector; the language of X-MOD has a key of its own."""


class RepresentationCache:
    """A folder of safetensors files, one for each encoder, corpus and pooling.

    >>> cache = RepresentationCache(None)  # without a folder it computes every time
    >>> cache.get_or_compute("key", lambda: torch.zeros(1)).shape
    torch.Size([1])

    Several processes may share the folder, because files are written under another name and then
    renamed. The folder may be deleted at any time.

    Args:
        folder: where files are kept; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def get_or_compute(self, key: str, compute: Callable[[], Tensor]) -> Tensor:
        """Return the tensor under ``key``; if there is none, compute and keep it.

        Raises:
            DataError: if the folder cannot be written to.
        """
        if self.folder is None:
            return compute()
        path = self.folder / f"{key}.safetensors"
        try:
            layers: Tensor = load(path.read_bytes())["layers"]
            return layers
        except (OSError, SafetensorError, KeyError):
            pass  # the file is missing, or broken and computed anew
        with self._explain_write_errors():  # before computing, which may take minutes
            self.folder.mkdir(parents=True, exist_ok=True)
        layers = compute()
        with self._explain_write_errors():
            replace_file(save({"layers": layers.contiguous()}), path)
        return layers

    @contextmanager
    def _explain_write_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DataError(
                f"Cannot write the representation cache to {self.folder}: {error.strerror}. Set "
                "ALIGNSCOPE_CACHE to another folder, or pass --no-cache."
            ) from None


def fingerprint(encoder: PreTrainedModel) -> str:
    """Return the SHA-256 of all weights of an encoder, by name, and of its configuration.

    Fine-tuning therefore changes the fingerprint, and the place of the files does not. A skipped
    block changes it, too, although its weights stay as they are.
    """
    config = {
        key: value for key, value in encoder.config.to_dict().items() if key not in _IRRELEVANT
    }
    kind = f"{type(encoder).__module__}.{type(encoder).__qualname__}"  # of remote code: its commit
    described = json.dumps(
        [kind, config, *skipped_blocks(encoder)], sort_keys=True, default=str
    )  # without a skipped block it is as in earlier versions, whose caches stay valid
    digest = hashlib.sha256(described.encode())
    for name, weight in sorted(encoder.state_dict().items()):
        digest.update(f"{name} {weight.dtype} {tuple(weight.shape)}".encode())
        digest.update(weight.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def cache_key(
    encoder: PreTrainedModel,
    encoder_fingerprint: str,
    split: Sequence[TokenizedSentence],
    options: Sequence[object],
) -> str:
    """Return a hash of everything that decides the vectors of sentences.

    Args:
        encoder: the encoder; X-MOD's current language is not part of its fingerprint.
        encoder_fingerprint: its `fingerprint`.
        split: the sentences as the encoder reads them.
        options: the pooling, or the chosen words.

    Returns:
        64 hexadecimal digits.
    """
    # The keys of this mapping are part of the hash: a change would invalidate every cache.
    content = {
        "form": FORM,
        "encoder": encoder_fingerprint,
        "speaks": getattr(encoder.config, "default_language", None),
        "precision": resolve_precision(encoder, "auto"),
        "device": encoder.device.type,
        "versions": _versions(),
        "pieces": [(sentence.chunks, sentence.spans) for sentence in split],
        "options": list(options),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@cache
def _versions() -> list[str]:
    return [version(name) for name in ("torch", "transformers")]
