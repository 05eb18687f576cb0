"""CoNLL-U, the file format of Universal Dependencies: https://universaldependencies.org/format.

The reader keeps the columns ID, FORM, UPOS, XPOS, FEATS, HEAD, DEPREL and MISC. The writer writes
``_`` for LEMMA and DEPS.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from alignscope._util.files import read_lines, write_lines
from alignscope.data.comments import comment_value, documents
from alignscope.data.conllu_rows import COLUMNS, TokenLine, TokenLines, count
from alignscope.data.sentence import Sentence
from alignscope.data.tree import check_tree
from alignscope.errors import DataError, nearest

# fmt: off
UPOS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM",
    "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X",
)
# fmt: on
"""The 17 universal part-of-speech tags, in alphabetical order."""


_TEXT_REMOVED = "The text was removed from this release; use one that contains it."


def read_conllu(path: str | Path) -> list[Sentence]:
    r"""Read every sentence of a ``.conllu`` or ``.conllu.gz`` file.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "en_tiny.conllu"
    >>> gold = Sentence(("Dogs", "bark"), upos=("NOUN", "VERB"), heads=(2, 0),
    ...                 relations=("nsubj", "root"))
    >>> write_conllu([gold], path)
    >>> read_conllu(path) == [gold]
    True

    A column that is ``_`` for every word of a sentence becomes ``None``. ``comments`` are the lines
    before a sentence without their ``#``; ``id`` is the value of ``# sent_id =``, and the
    annotation ``document`` that of the last ``# newdoc id =``.

    Raises:
        DataError: as ``path:line: …``, if the file is not CoNLL-U, if a sentence has heads that
            are not exactly one tree, or if the text was removed (most forms are ``_``).
    """
    path = Path(path)
    blocks = list(_blocks(path))
    sentences = [
        _make_sentence(comments, lines, document)
        for (comments, lines), document in zip(
            blocks, documents(comments for comments, _ in blocks), strict=True
        )
    ]
    if not sentences:
        raise DataError(f"{path}: The file has no sentences.")
    forms = [form for sentence in sentences for form in sentence.words]
    if 2 * forms.count("_") > len(forms):
        raise DataError(f"{path}: {forms.count('_')} of {len(forms)} words are _. {_TEXT_REMOVED}")
    return sentences


def write_conllu(sentences: Iterable[Sentence], path: str | Path) -> None:
    """Write sentences, gold or predicted, so that `read_conllu` returns equal ones.

    The file is gzipped if its name ends in ``.gz``. Writing is atomic, and equal sentences produce
    equal bytes. An ``id`` without a comment is written as ``# sent_id =``.

    Raises:
        ValueError: if a form, tag, relation or comment could not be read back.
    """
    write_lines([line for sentence in sentences for line in _format_sentence(sentence)], Path(path))


def _blocks(path: Path) -> Iterator[tuple[list[str], list[TokenLine]]]:
    comments: list[str] = []
    lines: list[TokenLine] = []
    for number, text in enumerate([*read_lines(path), ""], start=1):
        if text.startswith("#"):
            comments.append(text[1:])
            if lines:
                raise DataError(f"{path}:{number}: A comment must precede its sentence.")
        elif text:
            lines.append(TokenLine.of(path, number, text))
        elif lines:
            yield comments, lines
            comments, lines = [], []
    if comments:
        raise DataError(f"{path}:{number}: The file ends with comments that no sentence follows.")


def _make_sentence(comments: list[str], lines: list[TokenLine], document: str | None) -> Sentence:
    rows = TokenLines.of(lines)
    words = rows.words
    forms = tuple(line.columns[1] for line in words)
    # A sentence may consist of one "_", but hardly of several.
    if len(forms) > 1 and set(forms) == {"_"}:
        raise words[0].error(f"Every word is _. {_TEXT_REMOVED}")
    return Sentence(
        words=forms,
        id=comment_value(comments, "sent_id"),
        upos=_upos(words),
        xpos=_optional_column(words, "XPOS"),
        feats=_optional_column(words, "FEATS"),
        heads=_heads(words),
        relations=_required_column(words, "DEPREL"),
        document=document,
        misc=_optional_column(words, "MISC"),
        comments=tuple(comments),
        ranges=tuple(rows.ranges),
        empty=tuple(rows.empty),
    )


def _required_column(words: list[TokenLine], name: str) -> tuple[str, ...] | None:
    """Return a column that has a value for every word of a sentence or for none."""
    index = COLUMNS.index(name)
    values = tuple(line.columns[index] for line in words)
    if set(values) == {"_"}:
        return None
    for line, value in zip(words, values, strict=True):
        if value in ("", "_"):
            raise line.error(f"{name} is missing here, but other words of the sentence have it.")
    return values


def _optional_column(words: list[TokenLine], name: str) -> tuple[str, ...] | None:
    """Return a column in which ``_`` is a value like any other; ``None`` if all are ``_``."""
    index = COLUMNS.index(name)
    # Interned, because a treebank repeats few values very often.
    values = tuple(sys.intern(line.columns[index]) for line in words)
    return None if set(values) == {"_"} else values


def _upos(words: list[TokenLine]) -> tuple[str, ...] | None:
    tags = _required_column(words, "UPOS")
    for line, tag in zip(words, tags or (), strict=False):
        if tag not in UPOS:
            hint = nearest(tag, UPOS) or "."
            raise line.error(f"UPOS {tag} is unknown{hint} Known tags: {', '.join(UPOS)}.")
    return tags


def _heads(words: list[TokenLine]) -> tuple[int, ...] | None:
    column = _required_column(words, "HEAD")
    if column is None:
        return None
    for line, value in zip(words, column, strict=True):
        if not (value.isascii() and value.isdigit()):
            raise line.error(f"Head {value} is not a whole number.")
        if int(value) > len(words):
            size = count(len(words), "word")
            raise line.error(f"Head {value} is outside the sentence, which has {size}.")
    heads = tuple(int(value) for value in column)
    try:
        check_tree(heads)
    except ValueError as error:
        raise words[0].error(str(error)) from error
    return heads


def _format_sentence(sentence: Sentence) -> Iterator[str]:
    if sentence.id is not None and comment_value(sentence.comments, "sent_id") is None:
        yield _require_single_line(f"# sent_id = {sentence.id}")
    for comment in sentence.comments:
        yield _require_single_line(f"#{comment}")
    range_at = {item.first: item for item in sentence.ranges}
    for position in range(len(sentence) + 1):
        if position:
            yield _format_word(sentence, position - 1)
        for item in sentence.empty:
            if item.after == position:
                yield _format_line(f"{item.after}.{item.index}", item.form, {})
        if position + 1 in range_at:
            token = range_at[position + 1]
            yield _format_line(f"{token.first}-{token.last}", token.form, {"MISC": token.misc})
    yield ""


_COLUMN_ANNOTATIONS = {
    "UPOS": "upos",
    "XPOS": "xpos",
    "FEATS": "feats",
    "HEAD": "heads",
    "DEPREL": "relations",
}


def _format_word(sentence: Sentence, index: int) -> str:
    columns = {
        column: sentence.annotations.get(name) for column, name in _COLUMN_ANNOTATIONS.items()
    } | {"MISC": sentence.misc}
    cells = {column: str(values[index]) for column, values in columns.items() if values is not None}
    return _format_line(str(index + 1), sentence.words[index], cells)


def _format_line(id_: str, form: str, cells_by_column: Mapping[str, str]) -> str:
    cells = [{"ID": id_, "FORM": form, **cells_by_column}.get(column, "_") for column in COLUMNS]
    if not all(cells) or any("\t" in cell for cell in cells):
        raise ValueError(
            f"{cells} cannot be written as CoNLL-U, because a cell is empty or contains a tab."
        )
    return _require_single_line("\t".join(cells))


def _require_single_line(line: str) -> str:
    if "\n" in line or line.endswith("\r"):
        raise ValueError(f"{line!r} cannot be written as a single line.")
    return line
