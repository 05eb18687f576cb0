"""Labelled sentences and pairs of sentences in tab-separated files (XNLI, SIB-200, and others)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from alignscope._util.files import read_lines
from alignscope.data.conllu_rows import count
from alignscope.data.plain_words import split_words
from alignscope.data.sentence import Sentence
from alignscope.errors import DataError

_FIRST_TEXT = ("sentence1", "premise", "text", "sentence")
_SECOND_TEXT = ("sentence2", "hypothesis", "hypo")
_LABEL = ("gold_label", "label", "category")
_ID = ("pairid", "index_id", "id")
_SPELLINGS = {"contradictory": "contradiction"}
"""Labels whose spelling differs in one release (the training data of XNLI)."""


@dataclass(frozen=True)
class _Columns:
    """The positions of the columns of a table; ``None`` for a column that is absent."""

    label: int
    first: int
    second: int | None
    id: int | None
    language: int | None
    tokenized: Mapping[int, int]
    """The position of the tokenized text of a column."""
    count: int

    @classmethod
    def of(cls, header: str) -> "_Columns | None":
        """Parse a header; return ``None`` if it is not that of a classification table."""
        names = [name.strip().lower() for name in header.split("\t")]

        def find(candidates: tuple[str, ...]) -> int | None:
            return next((names.index(name) for name in candidates if name in names), None)

        label, first, second = find(_LABEL), find(_FIRST_TEXT), find(_SECOND_TEXT)
        if label is None or first is None:
            return None
        tokenized = {
            names.index(name.removesuffix("_tokenized")): position
            for position, name in enumerate(names)
            if name.endswith("_tokenized") and name.removesuffix("_tokenized") in names
        }
        return cls(label, first, second, find(_ID), find(("language",)), tokenized, len(names))


def is_classification_table(path: Path) -> bool:
    """Return whether the first line of a file names a column of texts and a column of labels."""
    return _Columns.of(next(iter(read_lines(path)), "")) is not None


def read_classification(path: str | Path, language: str | None = None) -> list[Sentence]:
    r"""Read every labelled sentence, or pair of sentences, of a tab-separated file with a header.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "test.tsv"
    >>> _ = path.write_text("premise\thypothesis\tlabel\nIt rains .\tIt is wet .\tentailment\n")
    >>> [pair] = read_classification(path)
    >>> pair.words[pair.second_start :], pair.label
    (('It', 'is', 'wet', '.'), 'entailment')

    The header names these columns, in any order; other columns are ignored:

    - ``sentence1``, ``premise``, ``text`` or ``sentence``: the (first) sentence.
    - ``sentence2``, ``hypothesis`` or ``hypo``: the second sentence, in files of pairs.
    - ``gold_label``, ``label`` or ``category``: the label.
    - ``pairID``, ``index_id`` or ``id``: an id, optional.
    - ``language``: optional; the reader keeps the rows of ``language`` only.

    Text is split into words by `split_words`, unless there is a tokenized column as in XNLI
    (``sentence1_tokenized``), which is split at spaces. Some data sets
    label pairs on which annotators disagreed as ``-``; the reader leaves such pairs out.

    Args:
        path: The file, plain or gzipped.
        language: The language to keep, if the file has a column for it. Default: all languages.

    Raises:
        DataError: as ``path:line: …``, for a missing column or an empty sentence or label, and if
            no row is left.
    """
    path = Path(path)
    header, *lines = read_lines(path) or [""]
    columns = _Columns.of(header)
    if columns is None:
        raise DataError(
            f"{path}:1: The header has no column of texts ({', '.join(_FIRST_TEXT)}) or no "
            f"column of labels ({', '.join(_LABEL)}). Name both."
        )
    rows = [
        (number, line.split("\t")) for number, line in enumerate(lines, start=2) if line.strip()
    ]
    for number, cells in rows:
        if len(cells) != columns.count:
            raise DataError(
                f"{path}:{number}: The line has {count(len(cells), 'column')}, but the header has "
                f"{columns.count}."
            )
    sentences = list(_sentences(path, rows, columns, language))
    if not sentences:
        raise DataError(f"{path}: {_why_empty(rows, columns, language)}")
    return sentences


def _sentences(
    path: Path, rows: list[tuple[int, list[str]]], columns: _Columns, language: str | None
) -> Iterator[Sentence]:
    for number, cells in rows:
        label = cells[columns.label].strip()
        if label == "-" or not _is_in(cells, columns, language):
            continue
        first = _words(cells, columns, columns.first)
        second = () if columns.second is None else _words(cells, columns, columns.second)
        if not label or not first or (columns.second is not None and not second):
            raise DataError(f"{path}:{number}: A sentence or the label is empty.")
        yield Sentence(
            words=first + second,
            id=None if columns.id is None else cells[columns.id].strip(),
            second_start=len(first) if second else None,
            label=_SPELLINGS.get(label, label),
        )


def _is_in(cells: list[str], columns: _Columns, language: str | None) -> bool:
    """Return whether a row is in a language; true if the file has no column of languages."""
    if language is None or columns.language is None:
        return True
    return cells[columns.language].strip() == language


def _words(cells: list[str], columns: _Columns, position: int) -> tuple[str, ...]:
    if position in columns.tokenized:
        return tuple(cells[columns.tokenized[position]].split())
    return split_words(_unquote(cells[position]))


def _unquote(cell: str) -> str:
    """Remove the quotes of CSV, which some writers put around a text that contains quotes.

    A quoted text without doubled quotes inside stays unchanged: its quotes are part of the text.
    """
    inside = cell[1:-1]
    if cell[:1] == cell[-1:] == '"' and '"' in inside and '"' not in inside.replace('""', ""):
        return inside.replace('""', '"')
    return cell


def _why_empty(rows: list[tuple[int, list[str]]], columns: _Columns, language: str | None) -> str:
    if language is None or columns.language is None:
        return "The file has no labelled sentence."
    languages = sorted({cells[columns.language].strip() for _, cells in rows})
    return (
        f"The file has no labelled sentence in {language}. "
        f"Its languages are {', '.join(languages) or 'none'}."
    )
