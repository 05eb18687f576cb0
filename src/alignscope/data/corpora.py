"""The sentences of a run and the text of a pretraining: read from files, or made."""

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


def load_corpus(corpus: CorpusSpec, split: str, places: DataPaths) -> Sequence[Sentence]:
    """Read one split of a corpus, or make it if it is of an embedded language.

    Raises:
        DataError: if there is no such corpus or split.
    """
    if corpus.kind == SYNTHETIC:
        return read_synthetic(corpus.language, corpus.domain, split)
    return read_corpus(corpus, split, places)


def subsample_evenly(sentences: Sequence[Item], limit: int | None) -> Sequence[Item]:
    """Take ``limit`` sentences at equal distances, since treebanks are sorted by document.

    >>> subsample_evenly([0, 1, 2, 3, 4, 5], 3)
    [0, 2, 4]
    """
    if limit is None or limit >= len(sentences):
        return sentences
    return [sentences[i * len(sentences) // limit] for i in range(limit)]


def load_raw_texts(
    names: Sequence[str], places: DataPaths
) -> tuple[list[str], dict[str, list[str]]]:
    """Read texts in the order given; also return the checksums behind each name.

    Names are those of `read_text` and `read_synthetic_text`.

    Raises:
        DataError: if there is no such text, or a name is given twice.
    """
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"the text {name} is given twice")
    lines: list[str] = []
    source: dict[str, list[str]] = {}
    for name in names:
        kind, _, rest = name.partition(":")
        if kind == SYNTHETIC:
            made = list(read_synthetic_text(rest))
            source[name] = [_digest_lines(made)]
            lines += made
        else:
            lines += read_text(name, places)
            source[name] = [checksum(path) for path in find_text(name, places)]
    return lines, source


def _digest_lines(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(f"{line}\n".encode())
    return digest.hexdigest()
