"""Read named entities as IOB2 tags: two columns, CoNLL, Universal NER and WikiANN parquet."""

import re
from collections.abc import Callable
from pathlib import Path

from alignscope._util.files import read_lines
from alignscope.data.comments import comment_value, documents
from alignscope.data.conllu_rows import count
from alignscope.data.sentence import Sentence
from alignscope.errors import DataError, nearest

TAGS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")
"""The supported tags, in the order of their numbers in WikiANN."""

OTHER_TYPES = (
    "MISC",  # CoNLL-2003, WikiNEuRal
    "OTH",  # Universal NER
    *("PRO", "PROD", "PRODUCT", "EVENT", "DATE", "TIME", "MONEY", "PERCENT", "NORP", "LANGUAGE"),
)
"""Entity types of other data sets that are none of PER, ORG and LOC; they are read as ``O``.

Types that would have to be merged into one of the three (PERSON, GPE, FAC, …) raise an error,
because only the owner of the data can decide how to map them.
"""

_TAG = re.compile(r"O|[BI]-\S+")
_NORMALIZED_TAGS = {tag: tag for tag in TAGS} | {
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
    the first and the tag the last column. If the first column numbers the words of each sentence,
    as in Universal NER, token and tag are the second and third column. ``-DOCSTART-`` lines are
    left out. A line that starts with ``#`` is a comment unless it has the format of the other token
    lines. Tags of `OTHER_TYPES` become ``O``; an ``I-`` without a preceding ``B-`` is kept.

    Raises:
        DataError: as ``path:line: …``, for a line without a tag, an empty token, an unknown tag,
            a comment inside a sentence, or a file that cannot be read or is empty.
    """
    path = Path(path)
    lines = read_lines(path)
    split, is_token = _layout(lines)
    blocks = _blocks(path, lines, split, is_token)
    token, tag = (1, 2) if _has_word_numbers([rows for _, rows in blocks]) else (0, -1)
    of_documents = documents(comments for comments, _ in blocks)
    sentences = [
        _sentence(path, comments, rows, token, tag).annotate(document=document)
        for (comments, rows), document in zip(blocks, of_documents, strict=True)
    ]
    if not sentences:
        raise DataError(f"{path}: The file has no sentences.")
    return sentences


def _layout(lines: list[str]) -> tuple[Callable[[str], list[str]], Callable[[str], bool]]:
    """Return two functions: one splits a line, one decides if a line is a token, not a comment."""
    not_tokens = ("#", "-DOCSTART-")
    tokens = (line for line in lines if line.strip() and not line.startswith(not_tokens))
    example = next(tokens, "#\tO")
    separator = "\t" if "\t" in example else None
    width = len(example.split(separator))

    def split(line: str) -> list[str]:
        return line.split(separator)

    def is_token(line: str) -> bool:
        if not line.startswith("#"):
            return True
        fields = split(line)
        return len(fields) == width and _TAG.fullmatch(fields[-1]) is not None

    return split, is_token


def _blocks(
    path: Path,
    lines: list[str],
    split: Callable[[str], list[str]],
    is_token: Callable[[str], bool],
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
        elif is_token(line):
            rows.append((number, split(line)))
        elif rows:
            raise DataError(f"{path}:{number}: A comment must precede its sentence.")
        else:
            comments.append(line[1:])
    return blocks


def _has_word_numbers(blocks: list[list[_Row]]) -> bool:
    return all(
        [fields[0] for _, fields in rows] == [str(i + 1) for i in range(len(rows))]
        and all(len(fields) >= 3 for _, fields in rows)
        for rows in blocks
    )


def _sentence(path: Path, comments: list[str], rows: list[_Row], token: int, tag: int) -> Sentence:
    for number, fields in rows:
        if len(fields) < 2:
            raise DataError(
                f"{path}:{number}: The line has 1 column, but needs a token and its tag."
            )
        if not fields[token]:
            raise DataError(f"{path}:{number}: The token is empty.")
        if fields[tag] not in _NORMALIZED_TAGS:
            raise _unknown_tag(f"{path}:{number}", fields[tag])
    return Sentence(
        words=tuple(fields[token] for _, fields in rows),
        id=comment_value(comments, "sent_id"),
        entities=tuple(_NORMALIZED_TAGS[fields[tag]] for _, fields in rows),
        comments=tuple(comments),
    )


def _unknown_tag(where: str, tag: str) -> DataError:
    return DataError(
        f"{where}: Tag {tag!r} is unknown{nearest(tag, TAGS) or '.'} "
        f"Known tags: {', '.join(TAGS)}. B- and I- tags of {', '.join(OTHER_TYPES)} are read as O."
    )


def read_wikiann_parquet(path: str | Path) -> list[Sentence]:
    """Read WikiANN in the format of Hugging Face: columns ``tokens`` and ``ner_tags`` (0-6).

    The numbers are indices into `TAGS`. Rows without tokens are left out.

    Raises:
        DataError: if the file is missing or lacks these columns, or a tag is not a number 0-6.
    """
    import polars  # here, because it is slow to import and only this format needs it

    try:
        table = polars.read_parquet(path, columns=["tokens", "ner_tags"])
    except FileNotFoundError as error:
        raise DataError(f"{path}: There is no such file.") from error
    except polars.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: This is not a parquet file of WikiANN ({reason}).") from error
    rows = enumerate(table.iter_rows(), start=1)
    sentences = [_sentence_from_row(f"{path}: Row {n}", *row) for n, row in rows if row[0]]
    if not sentences:
        raise DataError(f"{path}: The file has no sentences.")
    return sentences


def _sentence_from_row(where: str, tokens: list[str], numbers: list[int]) -> Sentence:
    if len(tokens) != len(numbers):
        raise DataError(
            f"{where} has {count(len(tokens), 'token')}, but {count(len(numbers), 'tag')}."
        )
    if not set(numbers) <= set(range(len(TAGS))):
        wrong = min(set(numbers) - set(range(len(TAGS))))
        raise DataError(f"{where} has the tag {wrong}, but WikiANN has the tags 0-{len(TAGS) - 1}.")
    return Sentence(tuple(tokens), entities=tuple(TAGS[number] for number in numbers))
