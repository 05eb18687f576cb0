"""How corpora lie in folders: the shared layout, UD releases, Universal NER repositories."""

import re
from collections.abc import Iterable
from pathlib import Path

from alignscope.errors import DataError

SPLITS = ("train", "dev", "test")
"""The parts of a corpus."""

_SUFFIXES = (".conllu", ".tsv", ".iob2", ".bio", ".conll", ".parquet")
_SPLIT = re.compile(r"(?:^|[-_.])(?:ud[-_])?(train|dev|validation|test)(?:-\d+-of-\d+)?$")
_REPOSITORY_FILES = {
    "ud": ("UD_*/{code}-ud-{split}.conllu*", "ud-treebanks-*/UD_*/{code}-ud-{split}.conllu*"),
    "uner": ("UNER_*/{code}-ud-{split}.iob2*", "*/UNER_*/{code}-ud-{split}.iob2*"),
    "wikiann": ("wikiann/{code}/{split}-*.parquet",),
}


def files_under(folder: Path, kind: str, treebank: str) -> dict[str, Path]:
    """Find the splits of a named corpus below a data folder.

    Looked for, in this order: ``ud/en_ewt/test.conllu`` or ``ner/DATASET/NAME/test.tsv``; a
    folder of the repository as published, such as ``UD_English-EWT/en_ewt-ud-test.conllu``,
    possibly inside ``ud-treebanks-v2.16``; ``wikiann/en/test-00000-of-00001.parquet``. All but the
    last may be gzipped.
    """
    home = folder / "ud" / treebank if kind == "ud" else folder / "ner" / kind / treebank
    if home.is_dir() and (found := files_in(home)):
        return found
    for pattern in _REPOSITORY_FILES.get(kind, ()):
        found = {}
        for split in SPLITS:
            name = "validation" if kind == "wikiann" and split == "dev" else split
            for path in sorted(folder.glob(pattern.format(code=treebank, split=name)))[:1]:
                found[split] = path
        if found:
            return found
    return {}


def files_in(path: Path) -> dict[str, Path]:
    """Find the splits in a folder that is one corpus; a file is the one split its name ends with.

    A file whose name does not say a split is a ``test`` split, so that it cannot be trained on
    and evaluated on by mistake. A plain file is preferred to the same one gzipped.

    Raises:
        DataError: if several files claim to be the same split.
    """
    if path.is_file():
        return {_split_of(path) or "test": path}
    found: dict[str, Path] = {}
    for file in sorted(file for file in path.iterdir() if _is_corpus(file)):
        split = _split_of(file)
        if split is None:
            continue
        first = found.setdefault(split, file)
        if file.name not in (first.name, f"{first.name}.gz"):
            raise DataError(
                f"{path} has two {split} files, {first.name} and {file.name}; name one of them"
            )
    return {split: found[split] for split in SPLITS if split in found}


def treebank_name(file: Path) -> str:
    """Name a file without suffixes and split: ``en_x`` for ``en_x-ud-test.conllu.gz``."""
    return _SPLIT.sub("", Path(file.name.removesuffix(".gz")).stem)


def _is_corpus(file: Path) -> bool:
    plain = Path(file.name.removesuffix(".gz"))
    return plain.suffix in _SUFFIXES and not file.name.startswith(".")


def _split_of(file: Path) -> str | None:
    match = _SPLIT.search(Path(file.name.removesuffix(".gz")).stem)
    return match and match[1].replace("validation", "dev")


def ner_datasets(folders: Iterable[Path]) -> list[str]:
    """List the names of the named entity data sets (``ner/DATASET``) that the folders have."""
    return [found.name for folder in folders for found in folder.glob("ner/*") if found.is_dir()]
