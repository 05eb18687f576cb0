"""Identify an encoder by the content of its files, wherever its folder lies.

This module needs no torch, so that run addresses can be computed on a laptop.
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
    """Return the identity of an encoder: a content hash for a folder, else ``name@revision``.

    >>> encoder_identity("xlm-roberta-base")
    'xlm-roberta-base@main'

    The hash ``sha256:…`` covers names and contents of the configuration, weight and tokenizer
    files. A copy elsewhere therefore is the same encoder, and other files (a README, logs) do not
    count.

    Raises:
        EncoderError: if a folder contains no encoder.
    """
    folder = Path(resolve_encoder(name))
    if not folder.is_dir():
        return f"{name}@{revision}"
    digest = hashlib.sha256()
    for file in encoder_files(folder):
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

    Raises:
        EncoderError: if not, as for a folder with a tokenizer only or with a broken file.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EncoderError(
            f"{folder} contains no encoder: it has no config.json. Name the folder that "
            "save_pretrained wrote."
        ) from None
    except ValueError as error:
        raise EncoderError(f"{folder}/config.json is not valid JSON: {error}.") from error
    if not isinstance(config, dict) or "model_type" not in config:
        raise EncoderError(
            f"{folder}/config.json names no model_type, so transformers cannot load it."
        )


def weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files of ``folder``, following its index if the weights are sharded.

    Pickled weights are not read, because they can run code.

    Raises:
        EncoderError: if there are no safetensors, or if a file that the index names is missing.
    """
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if not (folder / INDEX).is_file():
        pickled = ", only pickled ones" if any(folder.glob("pytorch_model*")) else ""
        raise EncoderError(
            f"{folder} has no safetensors weights ({WEIGHTS}){pickled}. Save them with "
            "safe_serialization=True."
        )
    names = sorted(_shards(folder / INDEX))
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise EncoderError(
            f"{folder} lacks {missing[0]}, which {INDEX} names. Copy the missing file."
        )
    return [folder / name for name in names]


def _shards(index: Path) -> set[str]:
    try:
        content: dict[str, Any] = json.loads(index.read_text(encoding="utf-8"))
        return set(content["weight_map"].values())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EncoderError(f"{index} is not an index of weights. Copy the file again.") from error
