"""Find the file of a corpus split and read it."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from alignscope.data.classification import is_classification_table, read_classification
from alignscope.data.conllu import read_conllu
from alignscope.data.corpus import CorpusSpec
from alignscope.data.download import PUBLISHED, fetch, known_codes, not_published
from alignscope.data.iob2 import read_iob2, read_wikiann_parquet
from alignscope.data.layouts import SPLITS, dataset_kinds, files_in, files_under
from alignscope.data.parallel_lines import read_parallel_lines
from alignscope.data.paths import DataPaths
from alignscope.data.sentence import Sentence
from alignscope.errors import DataError, nearest


def locate(corpus: CorpusSpec, split: str, paths: DataPaths) -> Path:
    """Find the file of one split in the data folders or the cache, or download it.

    AlignScope uses the first folder that has any split of the corpus, so that train and test
    never come from different releases.

    Args:
        corpus: The corpus.
        split: ``train``, ``dev`` or ``test``.
        paths: The folders to search, the cache, and whether to download.

    Raises:
        DataError: if the corpus or the split does not exist, or the download fails. The message
            lists the splits that exist, or the folders that were searched.
    """
    if split not in SPLITS:
        raise DataError(
            f"{split} is not a split{nearest(split, SPLITS) or '.'} "
            f"The splits are {', '.join(SPLITS)}."
        )
    for splits in _local_splits(corpus, paths):
        if splits:
            return _select_split(corpus, split, splits)
    remote = PUBLISHED.get(corpus.kind, not_published)(corpus.treebank, split)
    path = fetch(remote, paths.cache, download=paths.download) if remote else None
    if path is None:
        raise _not_found(corpus, paths, published=remote is not None)
    return path


def _local_splits(corpus: CorpusSpec, paths: DataPaths) -> Iterator[dict[str, Path]]:
    """Yield the files of a corpus by split, for each place in turn."""
    if corpus.kind == "path":
        yield files_in(corpus.path)
        return
    for folder in paths.folders:
        yield files_under(folder, corpus.kind, corpus.treebank)


def _select_split(corpus: CorpusSpec, split: str, splits: dict[str, Path]) -> Path:
    if split not in splits:
        folder = next(iter(splits.values())).parent
        raise DataError(
            f"{corpus.name} has no {split} split in {folder}, only {', '.join(splits)}."
        )
    return splits[split]


def _not_found(corpus: CorpusSpec, paths: DataPaths, *, published: bool) -> DataError:
    if corpus.kind == "path":
        return DataError(
            f"{corpus.path} has no file for any of {', '.join(SPLITS)}. File names end in the "
            "split and one of .conllu, .tsv, .iob2, .bio, .conll, .parquet (also gzipped)."
        )
    if published:
        return paths.missing(corpus.name, ", and downloading is switched off.")
    kinds = sorted({*PUBLISHED, *dataset_kinds(paths.folders)})
    if corpus.kind not in kinds:
        closest = nearest(corpus.kind, kinds) or "."
        return paths.missing(
            corpus.name,
            f". The prefix {corpus.kind}: is unknown{closest} Known prefixes: {', '.join(kinds)}. "
            "Paths are also possible.",
        )
    closest = nearest(corpus.treebank, known_codes(corpus.kind)) or "."
    return paths.missing(corpus.name, closest)


def read_corpus(corpus: CorpusSpec, split: str, paths: DataPaths) -> tuple[Sentence, ...]:
    """Read one split of a corpus; a file that this process has read is kept in memory.

    Args:
        corpus: The corpus.
        split: ``train``, ``dev`` or ``test``.
        paths: The folders to search, the cache, and whether to download.

    Raises:
        DataError: if the file does not exist or cannot be read.
    """
    path = locate(corpus, split, paths)
    status = path.stat()
    return _read_file(path, corpus.language, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=64)
def _read_file(path: Path, language: str, modified: int, size: int) -> tuple[Sentence, ...]:
    # `modified` and `size` are part of the cache key only, so that a changed file is read again.
    plain = path.name.removesuffix(".gz")
    if plain.endswith(".parquet"):
        return tuple(read_wikiann_parquet(path))
    if plain.endswith(".conllu"):
        return tuple(read_conllu(path))
    if plain.endswith(".txt"):
        return tuple(read_parallel_lines(path))
    if is_classification_table(path):
        return tuple(read_classification(path, language))
    return tuple(read_iob2(path))


_COLUMNS = {
    "upos": "UPOS",
    "xpos": "XPOS",
    "feats": "FEATS",
    "heads": "HEAD",
    "relations": "DEPREL",
    "entities": "an IOB2 tag",
    "label": "a column of labels",
}
"""The columns of files that hold an annotation."""


def check_annotations(sentences: Sequence[Sentence], needs: Sequence[str], name: str) -> None:
    """Check that every sentence has the annotations that a task needs.

    Args:
        sentences: The sentences.
        needs: Names of annotations, such as ``("heads", "relations")``.
        name: The name of the corpus, for the message.

    Raises:
        DataError: if an annotation is missing.
    """
    for annotation in needs:
        missing = sum(annotation not in sentence.annotations for sentence in sentences)
        if missing:
            column = _COLUMNS.get(annotation, annotation)
            raise DataError(
                f"{name} lacks {annotation}, which the task needs: {column} is _ or absent in "
                f"{missing} of {len(sentences)} sentences. Choose a corpus that has it."
            )
