"""Text files, plain or gzipped: atomic writes, checksums, and lines as Unicode text."""

import gzip
import hashlib
import os
import tempfile
import zlib
from pathlib import Path

from alignscope.errors import DataError


def read_lines(path: Path) -> list[str]:
    r"""Return the lines of a UTF-8 file, without line ends; ``.gz`` files are decompressed.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "two.txt.gz"
    >>> write_lines(["Hello", "wörld"], path)
    >>> read_lines(path)
    ['Hello', 'wörld']

    Only ``\n`` and ``\r\n`` end a line. Real text contains the other line ends of Unicode
    (U+0085, U+2028, …) inside lines. A byte order mark is removed.

    Raises:
        DataError: if the file is missing, not UTF-8, or not an intact gzip file.
    """
    content = _read_bytes(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path}:{line}: This is not UTF-8 text ({error.reason}).") from error
    lines = text.split("\n")
    if not lines[-1]:
        del lines[-1]
    return [line.removesuffix("\r") for line in lines]


def _read_bytes(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except FileNotFoundError as error:
        raise DataError(f"{path}: There is no such file.") from error
    except IsADirectoryError as error:
        raise DataError(f"{path}: This is a folder. Name a file.") from error
    except EOFError as error:
        raise DataError(f"{path}: This gzip file is truncated. Download it again.") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: This is not an intact gzip file ({error}).") from error


def write_lines(lines: list[str], path: Path) -> None:
    """Write lines as UTF-8 atomically, gzipped if the name ends in ``.gz``.

    The same lines give the same bytes.
    """
    content = "".join(f"{line}\n" for line in lines).encode()
    # A time stamp would make two files with the same lines differ.
    replace_file(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content, path)


def replace_file(content: bytes, path: Path) -> None:
    """Write a file atomically: readers see the old content or the new, never a part."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)  # mkstemp makes files that only their owner can read
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
