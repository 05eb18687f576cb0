"""What the name of an encoder stands for: ``embedded`` is the one that comes with AlignScope.

Needs no torch, so that a study can be addressed on a laptop.
"""

from importlib.resources import files
from pathlib import Path

from alignscope.errors import EncoderError

EMBEDDED = "embedded"


def resolve_encoder(name: str) -> str:
    """Return where to look for the encoder ``name``: its folder, or its name on the hub.

    >>> resolve_encoder("xlm-roberta-base")
    'xlm-roberta-base'

    ``embedded`` is always the encoder inside the installed package, even where the working
    directory has a folder of that name: a study must not mean another encoder in another
    directory. That folder is ``./embedded``.

    Raises:
        EncoderError: if ``embedded`` is asked for and this installation came without it.
    """
    if name != EMBEDDED:
        return name
    folder = embedded_folder()
    if not (folder / "config.json").is_file():
        raise EncoderError(
            f"this installation of AlignScope has no embedded encoder ({folder} holds no "
            "config.json); install the whole package or name another encoder"
        )
    return str(folder)


def embedded_folder() -> Path:
    """Return the folder of the embedded encoder, whether or not there is anything in it."""
    return Path(str(files("alignscope.encoders") / EMBEDDED))
