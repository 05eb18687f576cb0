"""Which encoder is it? Its files, and a name that is the same wherever the folder lies.

Needs no torch, so that a study can be addressed on a laptop.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from alignscope.encoders.resolve import resolve_encoder
from alignscope.errors import EncoderError

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
TOKENIZER = ("*token*.json", "vocab.*", "merges.txt", "*.model")


def encoder_identity(name: str, revision: str = "main") -> str:
    """Return what makes two encoders the same: content for a folder, ``name@revision`` else.

    >>> encoder_identity("xlm-roberta-base")
    'xlm-roberta-base@main'

    For a folder it is ``sha256:…`` over its configuration, weights and tokenizer files, by name
    and content, so a copy elsewhere is the same encoder, and a file beside them (a README,
    logs) changes nothing. Raises ``EncoderError`` for a folder that holds no encoder.
    """
    place = Path(resolve_encoder(name))
    if not place.is_dir():
        return f"{name}@{revision}"
    digest = hashlib.sha256()
    for file in encoder_files(place):
        with file.open("rb") as stream:
            part = hashlib.file_digest(stream, "sha256")
        digest.update(f"{file.name} {part.hexdigest()}\n".encode())
    return f"sha256:{digest.hexdigest()}"


def encoder_files(folder: Path) -> list[Path]:
    """Return the files that decide what the encoder in ``folder`` computes, sorted by name."""
    check_folder(folder)
    beside = [file for pattern in (*TOKENIZER, "*.py") for file in folder.glob(pattern)]
    return sorted({folder / "config.json", *weight_files(folder), *beside})


def check_folder(folder: Path) -> None:
    """Make sure that ``folder`` has a configuration that names its model type.

    Raises ``EncoderError`` if not: a folder with a tokenizer only, or a broken file.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EncoderError(f"{folder} holds no encoder: it has no config.json") from None
    except ValueError as error:
        raise EncoderError(f"{folder}/config.json is not JSON: {error}") from error
    if not isinstance(config, dict) or "model_type" not in config:
        raise EncoderError(f"{folder}/config.json names no model_type")


def weight_files(folder: Path) -> list[Path]:
    """Return the safetensors of ``folder``, following its index if the weights are in shards.

    Raises ``EncoderError`` if there are none (pickled weights can run code: they are not read),
    or if one that the index names is missing.
    """
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if not (folder / INDEX).is_file():
        pickled = ", only pickled ones" if any(folder.glob("pytorch_model*")) else ""
        raise EncoderError(f"{folder} has no safetensors weights ({WEIGHTS}){pickled}")
    names = sorted(_shards(folder / INDEX))
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise EncoderError(f"{folder} lacks {missing[0]}, which {INDEX} names")
    return [folder / name for name in names]


def _shards(index: Path) -> set[str]:
    try:
        content: dict[str, Any] = json.loads(index.read_text(encoding="utf-8"))
        return set(content["weight_map"].values())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EncoderError(f"{index} is not an index of weights") from error
