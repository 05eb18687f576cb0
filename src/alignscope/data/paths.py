"""Where corpora are looked for."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from alignscope.errors import DataError


@dataclass(frozen=True)
class DataPaths:
    """The folders searched for a corpus, in this order, then the cache, then the network.

    >>> DataPaths(folders=(Path("corpora"),), cache=Path("cache"), download=False).folders[0].name
    'corpora'

    ``download`` says whether what is in no folder may be fetched into ``cache``.
    """

    folders: tuple[Path, ...]
    cache: Path
    download: bool = True

    @classmethod
    def of(cls, folders: Iterable[str | Path] = (), *, download: bool = True) -> "DataPaths":
        """Take the folders given, then those in ``ALIGNSCOPE_DATA``; cache: ``ALIGNSCOPE_CACHE``.

        ``ALIGNSCOPE_DATA`` lists folders as ``PATH`` does; the cache is ``~/.cache/alignscope``
        if nothing is said.

        Raises:
            DataError: if one of the folders does not exist.
        """
        named = os.environ.get("ALIGNSCOPE_DATA", "").split(os.pathsep)
        searched = tuple(Path(folder) for folder in (*folders, *named) if folder)
        for folder in searched:
            if not folder.is_dir():
                raise DataError(
                    f"the data folder {folder} does not exist (folders come from --data and "
                    "from the environment variable ALIGNSCOPE_DATA)"
                )
        cache = os.environ.get("ALIGNSCOPE_CACHE") or Path.home() / ".cache" / "alignscope"
        return cls(tuple(dict.fromkeys(searched)), Path(cache), download)

    def missing(self, name: str, hint: str = "") -> DataError:
        """Say that a corpus is in none of the folders, and how to give one that has it."""
        searched = ", ".join(str(folder) for folder in self.folders) or "no folder"
        return DataError(
            f"{name} was not found (searched: {searched}){hint}; "
            "name a folder that has it with --data or ALIGNSCOPE_DATA"
        )
