"""Sentences that are aligned by line, with the document of every line: the format of NTREX-128."""

from pathlib import Path

from alignscope._util.files import read_lines
from alignscope.data.plain_words import split_words
from alignscope.data.sentence import Sentence
from alignscope.errors import DataError

DOCUMENTS = "document_ids.txt"
"""The file beside the others whose line i names the document of line i of each of them."""


def read_parallel_lines(path: Path) -> list[Sentence]:
    r"""Read a text with one sentence per line; the id of a sentence is the number of its line.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "en.txt").write_text("It rains.\nIt snows.\n")
    >>> _ = (folder / "document_ids.txt").write_text("bbc.1\nbbc.1\n")
    >>> [(s.id, s.words, s.document) for s in read_parallel_lines(folder / "en.txt")]
    [('1', ('It', 'rains', '.'), 'bbc.1'), ('2', ('It', 'snows', '.'), 'bbc.1')]

    The comment ``# text`` holds the line. Documents are read from ``document_ids.txt`` or
    ``document_ids.txt.gz`` in the same folder, if there is one.

    Raises:
        DataError: if a line is blank, or the documents are not as many as the lines.
    """
    lines = read_lines(path)
    documents = _documents(path, len(lines))
    sentences = []
    for number, (line, document) in enumerate(zip(lines, documents, strict=True), start=1):
        words = split_words(line)
        if not words:
            raise DataError(f"{path}:{number}: The line is blank, so the sentence has no words.")
        comments = (f" text = {line}",)
        sentences.append(Sentence(words, str(number), comments=comments, document=document))
    return sentences


def _documents(path: Path, count: int) -> list[str] | list[None]:
    for name in (DOCUMENTS, f"{DOCUMENTS}.gz"):
        file = path.parent / name
        if file.exists():
            documents = read_lines(file)
            if len(documents) != count:
                raise DataError(f"{file} has {len(documents)} lines, but {path} has {count}.")
            return documents
    return [None] * count
