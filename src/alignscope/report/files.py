"""Write figures and tables as files."""

import hashlib
import re
from pathlib import Path

from alignscope._util.files import replace_file
from alignscope.errors import StudyError

LONGEST = 150
"""Bytes of a file's name without ending, of 255 that file systems take."""


def write_all(folder: Path, contents: dict[str, bytes]) -> list[Path]:
    """Write files into a folder, each of them whole or not at all.

    Raises:
        StudyError: if one cannot be written.
    """
    paths = []
    for name, content in contents.items():
        path = folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            replace_file(content, path)
        except OSError as error:
            raise StudyError(f"{path} cannot be written: {error.strerror}") from None
        paths.append(path)
    return paths


def file_name(*parts: str) -> str:
    """Put a name together that every file system takes.

    >>> file_name("heat", "pos", "ud:en_ewt")
    'heat-pos-ud-en_ewt'
    """
    name = "-".join(re.sub(r"[^\w.]+", "-", part).strip("-.") for part in parts)
    if len(name.encode()) <= LONGEST:
        return name
    digest = hashlib.sha256("/".join(parts).encode()).hexdigest()[:8]
    return f"{name.encode()[:LONGEST].decode(errors='ignore')}-{digest}"
