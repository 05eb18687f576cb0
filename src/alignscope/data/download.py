"""Download published corpora into the cache.

A file appears in the cache only when it is complete. Its SHA-256 is stored beside it and checked
each time the file is used.
"""

import hashlib
import http.client
import os
import tempfile
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from alignscope._util.files import checksum, read_lines, replace_file
from alignscope.errors import DataError

UD_RELEASE = "r2.16"
"""The release tag of the treebanks."""

WIKIANN_REVISION = "0a84c2520971115cd1a6a3c5c4d2831ef812a22d"
"""The commit of ``unimelb-nlp/wikiann`` on Hugging Face."""

_GITHUB = "https://raw.githubusercontent.com"
_TIMEOUT = 60  # seconds without a byte
_CHUNK = 1 << 20


@dataclass(frozen=True)
class RemoteFile:
    """A published file: its URL, and its path below the cache folder."""

    url: str
    cache_path: Path


def ud(code: str, split: str) -> RemoteFile | None:
    """Return the file of a Universal Dependencies treebank; ``None`` if the code is unknown.

    >>> ud("en_ewt", "dev").url.rpartition("UD_English-EWT/")[2]
    'r2.16/en_ewt-ud-dev.conllu'

    Set ``ALIGNSCOPE_UD_URL`` to use a mirror of the organisation.
    """
    row = _repositories("ud").get(code)
    if row is None:
        return None
    base = os.environ.get("ALIGNSCOPE_UD_URL", f"{_GITHUB}/UniversalDependencies")
    url = f"{base}/{row[0]}/{UD_RELEASE}/{code}-ud-{split}.conllu"
    return RemoteFile(url, Path("ud", UD_RELEASE, code, f"{split}.conllu"))


def universal_ner(code: str, split: str) -> RemoteFile | None:
    """Return the file of a Universal NER corpus; ``None`` if the code is unknown.

    Set ``ALIGNSCOPE_UNER_URL`` to use a mirror.
    """
    row = _repositories("uner").get(code)
    if row is None:
        return None
    base = os.environ.get("ALIGNSCOPE_UNER_URL", f"{_GITHUB}/UniversalNER")
    repository, commit = row
    url = f"{base}/{repository}/{commit}/{code}-ud-{split}.iob2"
    return RemoteFile(url, Path("uner", commit, code, f"{split}.iob2"))


def wikiann(code: str, split: str) -> RemoteFile | None:
    """Return the file of a language of WikiANN.

    Set ``ALIGNSCOPE_WIKIANN_URL`` to use a mirror.
    """
    home = "https://huggingface.co/datasets/unimelb-nlp/wikiann"
    base = os.environ.get("ALIGNSCOPE_WIKIANN_URL", home)
    name = "validation" if split == "dev" else split
    url = f"{base}/resolve/{WIKIANN_REVISION}/{code}/{name}-00000-of-00001.parquet"
    return RemoteFile(url, Path("wikiann", WIKIANN_REVISION, code, f"{split}.parquet"))


PUBLISHED: dict[str, Callable[[str, str], RemoteFile | None]] = {
    "ud": ud,
    "uner": universal_ner,
    "wikiann": wikiann,
}
"""Functions that return the published file of a corpus, by the prefix of its name."""


def not_published(code: str, split: str) -> RemoteFile | None:
    """Return ``None``, for corpora that are not published as single files."""
    return None


def known_codes(kind: str) -> list[str]:
    """Return the codes of the downloadable corpora of a kind; empty if there is no list."""
    return list(_repositories(kind)) if kind in _REPOSITORY_LISTS else []


_REPOSITORY_LISTS = {"ud": "treebanks.tsv", "uner": "universal_ner.tsv"}


def _repositories(kind: str) -> dict[str, list[str]]:
    rows = [
        line.split("\t") for line in read_lines(Path(__file__).with_name(_REPOSITORY_LISTS[kind]))
    ]
    return {code: columns for code, *columns in rows}


def fetch(remote: RemoteFile, cache: Path, *, download: bool = True) -> Path | None:
    """Return the cached file, and download it first if necessary.

    Several processes may fetch the same file at once: each writes its own temporary file, and each
    replaces the cached file with the same content.

    Args:
        remote: The published file.
        cache: The cache folder.
        download: Whether to download a file that is not in the cache.

    Returns:
        The path of the file; ``None`` if it is not in the cache and ``download`` is false.

    Raises:
        DataError: if the cached file has changed since its download, or the download fails.
    """
    path = cache / remote.cache_path
    if path.exists() and _sidecar(path).exists():
        _verify(path)
        return path
    if not download:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _download(remote.url, path)
    except (OSError, http.client.HTTPException) as error:
        raise DataError(_reason_for_failure(remote.url, error)) from error
    return path


def _sidecar(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _verify(path: Path) -> None:
    expected = _sidecar(path).read_text().strip()
    actual = checksum(path)
    if actual != expected:
        raise DataError(
            f"{path} has changed since it was downloaded (SHA-256 {actual[:12]}…, originally "
            f"{expected[:12]}…). Delete it to download it again."
        )


def _download(url: str, path: Path) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            digest = _stream(url, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # mkstemp creates files that only their owner can read
        # The checksum is written first, because a file without one does not count as downloaded.
        replace_file(f"{digest}\n".encode(), _sidecar(path))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


class _Writable(Protocol):
    def write(self, content: bytes, /) -> int: ...


def _stream(url: str, file: _Writable) -> str:
    request = urllib.request.Request(url, headers={"User-Agent": "alignscope"})
    digest = hashlib.sha256()
    size = 0
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:
        expected_size = response.headers.get("Content-Length")
        while chunk := response.read(_CHUNK):
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    if expected_size is not None and size != int(expected_size):
        raise _TruncatedError(f"{size} of {expected_size} bytes arrived")
    return digest.hexdigest()


class _TruncatedError(OSError):
    pass


def _reason_for_failure(url: str, error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError) and error.code == 404:
        return f"{url} does not exist (404). The corpus does not exist, or lacks this split."
    reason = getattr(error, "reason", None) or str(error) or type(error).__name__
    return (
        f"{url} could not be downloaded ({reason}). Try again, or name a folder that contains the "
        "corpus with --data or ALIGNSCOPE_DATA."
    )
