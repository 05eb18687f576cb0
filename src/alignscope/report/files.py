"""Write figures and tables as files."""

import hashlib
import re
from pathlib import Path

from alignscope._util.files import replace_file
from alignscope.errors import StudyError

MAX_BYTES = 150
"""The longest name without ending; file systems allow 255 bytes."""


def write_all(folder: Path, contents: dict[str, bytes]) -> list[Path]:
    """Write files into a folder, each of them whole or not at all.

    Raises:
        StudyError: if a file cannot be written.
    """
    paths = []
    for name, content in contents.items():
        path = folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            replace_file(content, path)
        except OSError as error:
            raise StudyError(f"The file {path} cannot be written: {error.strerror}.") from None
        paths.append(path)
    return paths


def file_name(*parts: str) -> str:
    """Join parts to a name that every file system accepts.

    >>> file_name("heat", "pos", "ud:en_ewt")
    'heat-pos-ud-en_ewt'
    """
    name = "-".join(re.sub(r"[^\w.]+", "-", part).strip("-.") for part in parts)
    if len(name.encode()) <= MAX_BYTES:
        return name
    digest = hashlib.sha256("/".join(parts).encode()).hexdigest()[:8]
    return f"{name.encode()[:MAX_BYTES].decode(errors='ignore')}-{digest}"
