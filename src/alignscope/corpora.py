"""The sentences of a run and the text of a pretraining: read from files, or made."""

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache

from alignscope.data.corpus import Corpus, check_annotations, locate, parse_corpus, read_corpus
from alignscope.data.files import checksum
from alignscope.data.places import Places
from alignscope.data.sentence import Sentence
from alignscope.data.text import find_text, read_text
from alignscope.errors import DataError
from alignscope.study import Run
from alignscope.synthetic.corpus import read_synthetic, read_synthetic_text
from alignscope.tasks import TASKS

MADE = "synthetic"


def read(corpus: Corpus, split: str, places: Places) -> Sequence[Sentence]:
    """Read one split of a corpus, or make it if it is of an embedded language.

    Raises:
        DataError: if there is no such corpus or split.
    """
    if corpus.kind == MADE:
        return read_synthetic(corpus.language, corpus.domain, split)
    return read_corpus(corpus, split, places)


def read_split(run: Run, name: str, split: str, places: Places) -> Sequence[Sentence]:
    """Read the sentences of one split, as many as the run's limits allow.

    Raises:
        DataError: if the corpus, the split or an annotation that the task needs is missing.
    """
    sentences = read(parse_corpus(name), split, places)
    check_annotations(sentences, TASKS[run.task].needs, f"{name}/{split}")
    return spread(sentences, getattr(run.limits, split))


def spread(sentences: Sequence[Sentence], limit: int | None) -> Sequence[Sentence]:
    """Take ``limit`` sentences at equal distances, since treebanks are sorted by document.

    >>> spread([0, 1, 2, 3, 4, 5], 3)
    [0, 2, 4]
    """
    if limit is None or limit >= len(sentences):
        return sentences
    return [sentences[i * len(sentences) // limit] for i in range(limit)]


def splits_of(run: Run) -> list[tuple[str, str]]:
    """Every corpus and split that a run trains or is scored on."""
    return [
        (run.source, "train"),
        (run.source, "dev"),
        *((name, "test") for name in run.evaluated),
    ]


def checksums(run: Run, places: Places) -> dict[str, str]:
    """The SHA-256 of all that a run reads, by ``corpus/split``: of files, or of what was made."""
    asked = run.similarity
    compared = [] if asked is None else [(name, asked.split) for name in asked.corpora]
    return {
        f"{name}/{split}": _checksum(parse_corpus(name), split, places)
        for name, split in [*splits_of(run), *compared]
    }


def _checksum(corpus: Corpus, split: str, places: Places) -> str:
    if corpus.kind == MADE:
        return _checksum_of_made(corpus.language, corpus.domain, split)
    return checksum(locate(corpus, split, places))


@lru_cache(maxsize=256)
def _checksum_of_made(language: str, domain: str, split: str) -> str:
    return _digest(map(repr, read_synthetic(language, domain, split)))


def gather(names: Sequence[str], places: Places) -> tuple[list[str], dict[str, list[str]]]:
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
        if kind == MADE:
            made = list(read_synthetic_text(rest))
            source[name] = [_digest(made)]
            lines += made
        else:
            lines += read_text(name, places)
            source[name] = [checksum(path) for path in find_text(name, places)]
    return lines, source


def _digest(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(f"{line}\n".encode())
    return digest.hexdigest()
