"""Fetching corpora from where they are published into the cache.

A file appears in the cache only when it is whole; its SHA-256 is kept beside it and checked
every time the file is used.
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
"""The release tag that treebanks are fetched at."""

WIKIANN_REVISION = "0a84c2520971115cd1a6a3c5c4d2831ef812a22d"
"""The commit of ``unimelb-nlp/wikiann`` on Hugging Face that WikiANN is fetched at."""

_GITHUB = "https://raw.githubusercontent.com"
_TIMEOUT = 60  # seconds without a byte
_CHUNK = 1 << 20


@dataclass(frozen=True)
class RemoteFile:
    """A published file: its address, and its place below the cache folder."""

    url: str
    place: Path


def ud(code: str, split: str) -> RemoteFile | None:
    """Say where a Universal Dependencies treebank is published; ``None`` if it is not known.

    >>> ud("en_ewt", "dev").url.rpartition("UD_English-EWT/")[2]
    'r2.16/en_ewt-ud-dev.conllu'

    ``ALIGNSCOPE_UD_URL`` replaces the address of the organisation (for a mirror).
    """
    row = _table("ud").get(code)
    if row is None:
        return None
    base = os.environ.get("ALIGNSCOPE_UD_URL", f"{_GITHUB}/UniversalDependencies")
    url = f"{base}/{row[0]}/{UD_RELEASE}/{code}-ud-{split}.conllu"
    return RemoteFile(url, Path("ud", UD_RELEASE, code, f"{split}.conllu"))


def universal_ner(code: str, split: str) -> RemoteFile | None:
    """Say where a Universal NER corpus is published; mirror: ``ALIGNSCOPE_UNER_URL``."""
    row = _table("uner").get(code)
    if row is None:
        return None
    base = os.environ.get("ALIGNSCOPE_UNER_URL", f"{_GITHUB}/UniversalNER")
    repository, commit = row
    url = f"{base}/{repository}/{commit}/{code}-ud-{split}.iob2"
    return RemoteFile(url, Path("uner", commit, code, f"{split}.iob2"))


def wikiann(code: str, split: str) -> RemoteFile | None:
    """Say where a language of WikiANN is published; mirror: ``ALIGNSCOPE_WIKIANN_URL``."""
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
"""How to find what a kind of corpus is published as, by the prefix of its name."""


def not_published(code: str, split: str) -> RemoteFile | None:
    """Say where a corpus that is not published as single files is to be had: nowhere."""
    return None


def known_codes(kind: str) -> list[str]:
    """List the corpora of a kind that can be downloaded, where there is a table of them."""
    return list(_table(kind)) if kind in _TABLES else []


_TABLES = {"ud": "treebanks.tsv", "uner": "universal_ner.tsv"}


def _table(kind: str) -> dict[str, list[str]]:
    rows = [line.split("\t") for line in read_lines(Path(__file__).with_name(_TABLES[kind]))]
    return {code: rest for code, *rest in rows}


def fetch(remote: RemoteFile, cache: Path, *, download: bool = True) -> Path | None:
    """Give the cached file, downloading it first if needed; ``None`` if that is not allowed.

    Two processes may fetch the same file at once: each writes its own temporary file, and the
    last to finish puts the same content in place again.

    Raises:
        DataError: if the cached file is not what was downloaded, or the download fails.
    """
    path = cache / remote.place
    if path.exists() and _sidecar(path).exists():
        _verify(path)
        return path
    if not download:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _download(remote.url, path)
    except (OSError, http.client.HTTPException) as error:
        raise DataError(_explain(remote.url, error)) from error
    return path


def _sidecar(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _verify(path: Path) -> None:
    expected = _sidecar(path).read_text().strip()
    found = checksum(path)
    if found != expected:
        raise DataError(
            f"{path} has changed since it was downloaded (sha256 {found[:12]}…, it was "
            f"{expected[:12]}…), delete it to fetch it again"
        )


def _download(url: str, path: Path) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            digest = _copy(url, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # mkstemp makes files that only their owner can read
        # The checksum goes first: a file without one does not count as downloaded.
        replace_file(f"{digest}\n".encode(), _sidecar(path))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


class _Writable(Protocol):
    def write(self, content: bytes, /) -> int: ...


def _copy(url: str, file: _Writable) -> str:
    request = urllib.request.Request(url, headers={"User-Agent": "alignscope"})
    digest = hashlib.sha256()
    size = 0
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:
        promised = response.headers.get("Content-Length")
        while chunk := response.read(_CHUNK):
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    if promised is not None and size != int(promised):
        raise _TruncatedError(f"{size} of {promised} bytes arrived")
    return digest.hexdigest()


class _TruncatedError(OSError):
    pass


def _explain(url: str, error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError) and error.code == 404:
        return f"{url} does not exist (404): there is no such corpus, or it has no such split"
    reason = getattr(error, "reason", None) or str(error) or type(error).__name__
    return (
        f"{url} could not be downloaded ({reason}): try again, or give a folder that has the "
        "corpus with --data or ALIGNSCOPE_DATA"
    )
