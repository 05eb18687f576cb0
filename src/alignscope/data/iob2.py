"""Named entities as IOB2 tags: shared layout, CoNLL columns, Universal NER, WikiANN parquet."""

import re
from collections.abc import Callable
from pathlib import Path

from alignscope._util.files import read_lines
from alignscope.data.conllu import comment_value
from alignscope.data.sentence import Sentence
from alignscope.errors import DataError, nearest

TAGS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")
"""The tags that count, in the order WikiANN numbers them."""

OTHER_TYPES = (
    "MISC",  # CoNLL-2003, WikiNEuRal
    "OTH",  # Universal NER
    *("PRO", "PROD", "PRODUCT", "EVENT", "DATE", "TIME", "MONEY", "PERCENT", "NORP", "LANGUAGE"),
)
"""Entity types that exist elsewhere and are none of PER, ORG, LOC: read as ``O``.

Types that would have to be merged into one of the three (PERSON, GPE, FAC, …) are an error:
what they become is for the owner of the data to decide.
"""

_TAG = re.compile(r"O|[BI]-\S+")
_TAG_OF = {tag: tag for tag in TAGS} | {
    f"{mark}-{kind}": "O" for mark in "BI" for kind in OTHER_TYPES
}
_Row = tuple[int, list[str]]


def read_iob2(path: str | Path) -> list[Sentence]:
    r"""Read every sentence of a file with one token and its IOB2 tag per line.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "en.tsv"
    >>> _ = path.write_text("# sent_id = s1\nAda\tB-PER\nwrote\tO\n\n#\tO\n1\tO\n")
    >>> [(s.id, s.words, s.entities) for s in read_iob2(path)]
    [('s1', ('Ada', 'wrote'), ('B-PER', 'O')), (None, ('#', '1'), ('O', 'O'))]

    Columns are separated by tabs if the first token line has one, else by blanks. The token is
    the first and the tag the last column, except where the first column counts the words of each
    sentence, as in Universal NER: then token and tag are the second and third. ``-DOCSTART-``
    lines are left out. A line that starts with ``#`` is a comment unless it looks like the other
    token lines. Tags of `OTHER_TYPES` become ``O``; an ``I-`` without its ``B-`` stays as it is.

    Raises:
        DataError: as ``path:line: …``, for a line without a tag, an empty token, a tag that is
            not known, a comment inside a sentence, or a file that cannot be read or is empty.
    """
    path = Path(path)
    lines = read_lines(path)
    split, is_word = _layout(lines)
    blocks = _blocks(path, lines, split, is_word)
    token, tag = (1, 2) if _is_numbered([rows for _, rows in blocks]) else (0, -1)
    sentences = [_sentence(path, comments, rows, token, tag) for comments, rows in blocks]
    if not sentences:
        raise DataError(f"{path}: there is no sentence in this file")
    return sentences


def _layout(lines: list[str]) -> tuple[Callable[[str], list[str]], Callable[[str], bool]]:
    """How lines are split, and whether a line is a word (rather than a comment)."""
    others = ("#", "-DOCSTART-")
    words = (line for line in lines if line.strip() and not line.startswith(others))
    example = next(words, "#\tO")
    separator = "\t" if "\t" in example else None
    width = len(example.split(separator))

    def split(line: str) -> list[str]:
        return line.split(separator)

    def is_word(line: str) -> bool:
        if not line.startswith("#"):
            return True
        fields = split(line)
        return len(fields) == width and _TAG.fullmatch(fields[-1]) is not None

    return split, is_word


def _blocks(
    path: Path,
    lines: list[str],
    split: Callable[[str], list[str]],
    is_word: Callable[[str], bool],
) -> list[tuple[list[str], list[_Row]]]:
    blocks: list[tuple[list[str], list[_Row]]] = []
    comments: list[str] = []
    rows: list[_Row] = []
    for number, line in enumerate([*lines, ""], start=1):
        if line.startswith("-DOCSTART-"):
            continue
        if not line.strip():
            if rows:
                blocks.append((comments, rows))
                comments, rows = [], []
        elif is_word(line):
            rows.append((number, split(line)))
        elif rows:
            raise DataError(f"{path}:{number}: a comment has to precede its sentence")
        else:
            comments.append(line[1:])
    return blocks


def _is_numbered(blocks: list[list[_Row]]) -> bool:
    return all(
        [fields[0] for _, fields in rows] == [str(i + 1) for i in range(len(rows))]
        and all(len(fields) >= 3 for _, fields in rows)
        for rows in blocks
    )


def _sentence(path: Path, comments: list[str], rows: list[_Row], token: int, tag: int) -> Sentence:
    for number, fields in rows:
        if len(fields) < 2:
            raise DataError(f"{path}:{number}: 1 column found, a token and its tag are 2")
        if not fields[token]:
            raise DataError(f"{path}:{number}: the token is empty")
        if fields[tag] not in _TAG_OF:
            raise _unknown_tag(f"{path}:{number}", fields[tag])
    return Sentence(
        words=tuple(fields[token] for _, fields in rows),
        id=comment_value(comments, "sent_id"),
        entities=tuple(_TAG_OF[fields[tag]] for _, fields in rows),
        comments=tuple(comments),
    )


def _unknown_tag(where: str, tag: str) -> DataError:
    others = ", ".join(OTHER_TYPES)
    return DataError(
        f"{where}: tag {tag!r} is unknown{nearest(tag, TAGS)} "
        f"(known: {', '.join(TAGS)}; read as O: B- and I- of {others})"
    )


def read_wikiann_parquet(path: str | Path) -> list[Sentence]:
    """Read WikiANN as Hugging Face serves it: columns ``tokens`` and ``ner_tags`` (0 to 6).

    The numbers are those of `TAGS`. Rows without tokens are left out.

    Raises:
        DataError: if the file is missing or not such a table, or a tag is not one of 0 to 6.
    """
    import polars  # here, because only this format needs it and it is slow to import

    try:
        table = polars.read_parquet(path, columns=["tokens", "ner_tags"])
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file") from error
    except polars.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: this is not a parquet file of WikiANN ({reason})") from error
    rows = enumerate(table.iter_rows(), start=1)
    sentences = [_from_row(f"{path}: row {n}", *row) for n, row in rows if row[0]]
    if not sentences:
        raise DataError(f"{path}: there is no sentence in this file")
    return sentences


def _from_row(where: str, tokens: list[str], numbers: list[int]) -> Sentence:
    if len(tokens) != len(numbers):
        raise DataError(f"{where} has {len(tokens)} tokens, but {len(numbers)} tags")
    if not set(numbers) <= set(range(len(TAGS))):
        wrong = min(set(numbers) - set(range(len(TAGS))))
        raise DataError(f"{where} has the tag {wrong}, WikiANN's tags are 0 to {len(TAGS) - 1}")
    return Sentence(tuple(tokens), entities=tuple(TAGS[number] for number in numbers))
