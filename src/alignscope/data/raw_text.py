"""Raw text, line by line, to pretrain a small encoder on."""

from collections.abc import Iterator
from pathlib import Path

from alignscope._util.files import read_lines
from alignscope.data.conllu import read_conllu
from alignscope.data.conllu_rows import count
from alignscope.data.corpus import parse_corpus
from alignscope.data.locate import locate
from alignscope.data.paths import DataPaths
from alignscope.data.surface import running_text
from alignscope.errors import DataError, nearest


def read_text(name: str, paths: DataPaths) -> Iterator[str]:
    r"""Read the lines of a raw text; blank lines are left out.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "two.txt"
    >>> _ = path.write_text("Hello\n\nworld\n")
    >>> list(read_text(str(path), DataPaths((), path.parent)))
    ['Hello', 'world']

    These names are valid:

    - ``text:en``: every ``text/en/*.tsv.gz``, sorted by name; ``text:en/bible``: one of them.
    - ``ntrex:en``: ``parallel/ntrex/en.txt.gz``.
    - ``ud:en_ewt``: the train split of a treebank.
    - A path to a file: a ``.tsv`` with ``id<TAB>text`` on each line, a treebank (``.conllu``), or
      text with any other ending.

    All files may be gzipped. The function checks at once that the files exist, and checks their
    content as the lines are read.

    Raises:
        DataError: if there is no such text, or a line of a ``.tsv`` does not have two columns.
    """
    files = find_text(name, paths)
    return (line for path in files for line in _read_lines(path) if line.strip())


def find_text(name: str, paths: DataPaths) -> tuple[Path, ...]:
    """Return the files of a name of `read_text`, in the order in which they are read.

    Raises:
        DataError: if there are none, or the prefix of the name is unknown.
    """
    kind, colon, rest = name.partition(":")
    if not colon or Path(name).exists():
        return _one_file(Path(name))
    if kind == "ud":
        return (locate(parse_corpus(name), "train", paths),)
    if kind not in _PATTERNS:
        known = ("text", "ntrex", "ud")
        raise DataError(
            f"The text {name} has an unknown prefix{nearest(kind, known) or '.'} "
            f"Known prefixes: {', '.join(known)}. Paths are also possible."
        )
    for folder in paths.folders:
        for pattern in _PATTERNS[kind]:
            if files := tuple(sorted(folder.glob(pattern.format(rest)))):
                return files
    raise paths.missing(name)


_PATTERNS = {
    "text": ("text/{}/*.tsv.gz", "text/{}.tsv.gz", "text/{}/*.tsv", "text/{}.tsv"),
    "ntrex": ("parallel/ntrex/{}.txt.gz", "parallel/ntrex/{}.txt"),
}


def _one_file(path: Path) -> tuple[Path, ...]:
    if not path.is_file():
        raise DataError(
            f"The text {path} is neither a file nor a name such as text:en or ntrex:en."
        )
    return (path,)


def _read_lines(path: Path) -> Iterator[str]:
    plain = path.name.removesuffix(".gz")
    if plain.endswith(".conllu"):
        return (running_text(sentence) for sentence in read_conllu(path))
    return _second_column(path) if plain.endswith(".tsv") else iter(read_lines(path))


def _second_column(path: Path) -> Iterator[str]:
    for number, line in enumerate(read_lines(path), start=1):
        columns = line.split("\t")
        if len(columns) != 2:
            raise DataError(
                f"{path}:{number}: The line has {count(len(columns), 'column')}, "
                "but needs 2: id<TAB>text."
            )
        yield columns[1]
