"""The folders in which AlignScope searches for corpora."""

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
        from_environment = os.environ.get("ALIGNSCOPE_DATA", "").split(os.pathsep)
        searched = tuple(Path(folder) for folder in (*folders, *from_environment) if folder)
        for folder in searched:
            if not folder.is_dir():
                raise DataError(
                    f"The data folder {folder} does not exist. Data folders come from --data and "
                    "the environment variable ALIGNSCOPE_DATA."
                )
        cache = os.environ.get("ALIGNSCOPE_CACHE") or Path.home() / ".cache" / "alignscope"
        return cls(tuple(dict.fromkeys(searched)), Path(cache), download)

    def missing(self, name: str, hint: str = ".") -> DataError:
        """Return the error for a corpus in no folder; ``hint`` ends its first sentence."""
        searched = ", ".join(str(folder) for folder in self.folders) or "no folder"
        return DataError(
            f"{name} was not found (searched: {searched}){hint} "
            "Name a folder that contains it with --data or ALIGNSCOPE_DATA."
        )
