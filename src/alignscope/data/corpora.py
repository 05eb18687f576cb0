"""Load the sentences of a run and the texts of a pretraining, from files or generated."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import TypeVar

from alignscope._util.files import checksum
from alignscope.data.corpus import CorpusSpec
from alignscope.data.locate import read_corpus
from alignscope.data.paths import DataPaths
from alignscope.data.raw_text import find_text, read_text
from alignscope.data.sentence import Sentence
from alignscope.data.synthetic.corpus import read_synthetic, read_synthetic_text
from alignscope.errors import DataError

SYNTHETIC = "synthetic"
Item = TypeVar("Item")


def load_corpus(corpus: CorpusSpec, split: str, paths: DataPaths) -> Sequence[Sentence]:
    """Read one split of a corpus, or generate it if its language is synthetic.

    Raises:
        DataError: if there is no such corpus or split.
    """
    if corpus.kind == SYNTHETIC:
        return read_synthetic(corpus.language, corpus.domain, split)
    return read_corpus(corpus, split, paths)


def subsample_evenly(sentences: Sequence[Item], limit: int | None) -> Sequence[Item]:
    """Return ``limit`` sentences at equal distances, as treebanks are sorted by document.

    >>> subsample_evenly([0, 1, 2, 3, 4, 5], 3)
    [0, 2, 4]
    """
    if limit is None or limit >= len(sentences):
        return sentences
    return [sentences[i * len(sentences) // limit] for i in range(limit)]


def load_raw_texts(
    names: Sequence[str], paths: DataPaths
) -> tuple[list[str], dict[str, list[str]]]:
    """Read texts in the given order; also return the checksums of the files of each name.

    Names are those of `read_text` and `read_synthetic_text`.

    Raises:
        DataError: if there is no such text, or a name occurs twice.
    """
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"The text {name} is listed twice. Remove one of the two.")
    lines: list[str] = []
    source: dict[str, list[str]] = {}
    for name in names:
        kind, _, rest = name.partition(":")
        if kind == SYNTHETIC:
            generated = list(read_synthetic_text(rest))
            source[name] = [digest_lines(generated)]
            lines += generated
        else:
            lines += read_text(name, paths)
            source[name] = [checksum(path) for path in find_text(name, paths)]
    return lines, source


def digest_lines(lines: Iterable[str]) -> str:
    """Return the SHA-256 of lines, each with a newline after it."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(f"{line}\n".encode())
    return digest.hexdigest()
