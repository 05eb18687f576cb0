"""Resolve names of encoders: ``embedded`` is the encoder that comes with AlignScope.

This module needs no torch, so that the addresses of a study can be computed on a laptop.
"""

from importlib.resources import files
from pathlib import Path

from alignscope.config.run import EMBEDDED
from alignscope.errors import EncoderError


def resolve_encoder(name: str) -> str:
    """Return the folder of the encoder ``name``, or its name on the hub.

    >>> resolve_encoder("xlm-roberta-base")
    'xlm-roberta-base'

    ``embedded`` is always the encoder inside the installed package, even where the working
    directory has a folder of that name: the meaning of a study must not depend on the directory.
    Write ``./embedded`` for such a folder.

    Raises:
        EncoderError: if the name is ``embedded`` and this installation does not contain it.
    """
    if name != EMBEDDED:
        return name
    folder = embedded_folder()
    if not (folder / "config.json").is_file():
        raise EncoderError(
            f"This installation of AlignScope has no embedded encoder ({folder} has no "
            "config.json). Install the whole package or name another encoder."
        )
    return str(folder)


def embedded_folder() -> Path:
    """Return the folder of the bundled encoder, which may be empty."""
    return Path(str(files("alignscope.encoders") / EMBEDDED))
