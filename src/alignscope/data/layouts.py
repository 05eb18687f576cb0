"""Find the files of a corpus in folders: the own layout, UD releases, published data sets."""

import re
from collections.abc import Iterable
from pathlib import Path

from alignscope.errors import DataError

SPLITS = ("train", "dev", "test")
"""The splits of a corpus."""

NTREX = "ntrex"
"""The prefix of NTREX-128, whose line i is the same sentence in every language."""

_SUFFIXES = (".conllu", ".tsv", ".iob2", ".bio", ".conll", ".parquet")
_SPLIT = re.compile(r"(?:^|[-_.])(?:ud[-_])?(train|dev|validation|test)(?:-\d+-of-\d+)?$")
_PUBLISHED_LAYOUTS = {
    "ud": ("UD_*/{code}-ud-{split}.conllu*", "ud-treebanks-*/UD_*/{code}-ud-{split}.conllu*"),
    "uner": ("UNER_*/{code}-ud-{split}.iob2*", "*/UNER_*/{code}-ud-{split}.iob2*"),
    "wikiann": ("wikiann/{code}/{split}-*.parquet",),
}
_XNLI = {
    "train": "XNLI-MT-*/multinli/multinli.train.{code}.tsv",
    "dev": "XNLI-1.*/xnli.dev.tsv",
    "test": "XNLI-1.*/xnli.test.tsv",
}
"""The two archives of XNLI; the files of dev and test contain all languages."""


def files_under(folder: Path, kind: str, treebank: str) -> dict[str, Path]:
    """Find the splits of a named corpus below a data folder.

    The function tries these layouts in this order. All but the parquet files may be gzipped.

    1. ``ud/en_ewt/test.conllu``, ``ner/KIND/NAME/test.tsv`` or
       ``classification/KIND/NAME/test.tsv``
    2. ``parallel/ntrex/en.txt``, for the kind ``ntrex``
    3. a published data set: ``UD_English-EWT/en_ewt-ud-test.conllu`` (also inside
       ``ud-treebanks-v2.16``), ``UNER_English-EWT/en_ewt-ud-test.iob2``,
       ``wikiann/en/test-00000-of-00001.parquet``, or ``XNLI-1.0/xnli.test.tsv`` with
       ``XNLI-MT-1.0/multinli/multinli.train.en.tsv``

    Args:
        folder: The data folder.
        kind: The prefix of the corpus name, such as ``ud``.
        treebank: The rest of the corpus name, such as ``en_ewt``.

    Returns:
        The files by split; empty if there are none.

    Raises:
        DataError: if several files are named as the same split.
    """
    if kind == NTREX:
        found = sorted(folder.glob(f"parallel/ntrex/{treebank}.txt*"))
        return {"test": found[0]} if found else {}
    homes = [f"ud/{treebank}"] if kind == "ud" else []
    homes = homes or [f"{tasks}/{kind}/{treebank}" for tasks in ("ner", "classification")]
    for home in homes:
        if (folder / home).is_dir() and (splits := files_in(folder / home)):
            return splits
    if kind == "xnli":
        return _matching_files(folder, treebank, _XNLI)
    for pattern in _PUBLISHED_LAYOUTS.get(kind, ()):
        if splits := _matching_files(folder, treebank, dict.fromkeys(SPLITS, pattern)):
            return splits
    return {}


def _matching_files(folder: Path, code: str, patterns: dict[str, str]) -> dict[str, Path]:
    splits = {}
    for split, pattern in patterns.items():
        name = "validation" if pattern.endswith(".parquet") and split == "dev" else split
        if files := sorted(folder.glob(pattern.format(code=code, split=name))):
            splits[split] = files[0]
    return splits


def files_in(path: Path) -> dict[str, Path]:
    """Return the files of a folder with one corpus by split, or a file by its split.

    The name of a file ends in its split. A single file whose name does not is a ``test`` split, so
    that nobody trains and evaluates on it by mistake. If a file exists plain and gzipped, the
    function returns the plain one.

    Raises:
        DataError: if several files are named as the same split.
    """
    if path.is_file():
        return {_split_of(path) or "test": path}
    splits: dict[str, Path] = {}
    for file in sorted(file for file in path.iterdir() if _is_corpus(file)):
        split = _split_of(file)
        if split is None:
            continue
        first = splits.setdefault(split, file)
        if file.name not in (first.name, f"{first.name}.gz"):
            raise DataError(
                f"{path} has two {split} files, {first.name} and {file.name}. Name one of them."
            )
    return {split: splits[split] for split in SPLITS if split in splits}


def treebank_name(file: Path) -> str:
    """Return the name of a file without suffixes and split.

    >>> treebank_name(Path("en_x-ud-test.conllu.gz"))
    'en_x'
    """
    return _SPLIT.sub("", Path(file.name.removesuffix(".gz")).stem)


def _is_corpus(file: Path) -> bool:
    plain = Path(file.name.removesuffix(".gz"))
    return plain.suffix in _SUFFIXES and not file.name.startswith(".")


def _split_of(file: Path) -> str | None:
    match = _SPLIT.search(Path(file.name.removesuffix(".gz")).stem)
    return match and match[1].replace("validation", "dev")


def dataset_kinds(folders: Iterable[Path]) -> list[str]:
    """List the prefixes of corpora below ``ner`` and ``classification`` of the data folders."""
    return [
        path.name
        for folder in folders
        for tasks in ("ner", "classification")
        for path in folder.glob(f"{tasks}/*")
        if path.is_dir()
    ]
