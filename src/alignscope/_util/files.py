"""Lines of text files, plain or gzipped: read whole or not at all, written whole or not at all."""

import gzip
import hashlib
import os
import tempfile
import zlib
from pathlib import Path

from alignscope.errors import DataError


def read_lines(path: Path) -> list[str]:
    r"""Read the lines of a UTF-8 file, gunzipped if its name ends in ``.gz``, without their ends.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "two.txt.gz"
    >>> write_lines(["Hello", "wörld"], path)
    >>> read_lines(path)
    ['Hello', 'wörld']

    Only ``\n`` and ``\r\n`` end a line: the other characters Unicode counts as line ends
    (U+0085, U+2028, …) do occur inside real text. A byte order mark is dropped.

    Raises:
        DataError: if the file is missing, a truncated or broken gzip file, or not UTF-8.
    """
    content = _read_bytes(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path}:{line}: this is not UTF-8 text ({error.reason})") from error
    lines = text.split("\n")
    if not lines[-1]:
        del lines[-1]
    return [line.removesuffix("\r") for line in lines]


def _read_bytes(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file") from error
    except IsADirectoryError as error:
        raise DataError(f"{path}: this is a folder, a file is needed") from error
    except EOFError as error:
        raise DataError(f"{path}: this gzip file is truncated, fetch it again") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: this is not an intact gzip file ({error})") from error


def write_lines(lines: list[str], path: Path) -> None:
    """Write lines as UTF-8, gzipped if the name ends in ``.gz``; same lines, same bytes.

    The file appears whole or not at all: it is written beside its place and then renamed.
    """
    content = "".join(f"{line}\n" for line in lines).encode()
    # A time stamp would make two files with the same lines differ.
    replace_file(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content, path)


def replace_file(content: bytes, path: Path) -> None:
    """Put a file in place in one step, so that nobody ever reads half of it."""
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
    """Compute the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
