"""The folders that are searched for corpora."""

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

    ``download`` allows the download of corpora that no folder contains, into ``cache``.
    """

    folders: tuple[Path, ...]
    cache: Path
    download: bool = True

    @classmethod
    def of(cls, folders: Iterable[str | Path] = (), *, download: bool = True) -> "DataPaths":
        """Return the given folders, then those in ``ALIGNSCOPE_DATA``.

        ``ALIGNSCOPE_DATA`` lists folders as ``PATH`` does. ``ALIGNSCOPE_CACHE`` is the cache; the
        default is ``~/.cache/alignscope``.

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
        """Return the error for a corpus that no folder contains."""
        searched = ", ".join(str(folder) for folder in self.folders) or "no folder"
        return DataError(
            f"{name} was not found (searched: {searched}){hint}; "
            "name a folder that has it with --data or ALIGNSCOPE_DATA"
        )
