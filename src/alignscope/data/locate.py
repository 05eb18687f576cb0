"""Find the file of a corpus split and read it."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from alignscope.data.conllu import read_conllu
from alignscope.data.corpus import CorpusSpec
from alignscope.data.download import PUBLISHED, fetch, known_codes, not_published
from alignscope.data.iob2 import read_iob2, read_wikiann_parquet
from alignscope.data.layouts import SPLITS, files_in, files_under, ner_datasets
from alignscope.data.paths import DataPaths
from alignscope.data.sentence import Sentence
from alignscope.errors import DataError, nearest


def locate(corpus: CorpusSpec, split: str, places: DataPaths) -> Path:
    """Find the file of one split: in the folders, else in the cache, else download it.

    The first folder that has any split of a corpus is the one it is taken from, so that train and
    test never come from two releases.

    Raises:
        DataError: if the split or the corpus does not exist, naming those that do or where it was
            looked for, or if the download fails.
    """
    if split not in SPLITS:
        raise DataError(f"split {split} is not one of {', '.join(SPLITS)}{nearest(split, SPLITS)}")
    for found in _present(corpus, places):
        if found:
            return _pick(corpus, split, found)
    remote = PUBLISHED.get(corpus.kind, not_published)(corpus.treebank, split)
    path = fetch(remote, places.cache, download=places.download) if remote else None
    if path is None:
        raise _not_found(corpus, places, published=remote is not None)
    return path


def _present(corpus: CorpusSpec, places: DataPaths) -> Iterator[dict[str, Path]]:
    if corpus.kind == "path":
        yield files_in(corpus.path)
        return
    for folder in places.folders:
        yield files_under(folder, corpus.kind, corpus.treebank)


def _pick(corpus: CorpusSpec, split: str, found: dict[str, Path]) -> Path:
    if split not in found:
        where = next(iter(found.values())).parent
        raise DataError(f"{corpus.name} has no {split} split in {where}, only {', '.join(found)}")
    return found[split]


def _not_found(corpus: CorpusSpec, places: DataPaths, *, published: bool) -> DataError:
    if corpus.kind == "path":
        return DataError(f"{corpus.path} has no file for any of {', '.join(SPLITS)}")
    if published:
        return places.missing(corpus.name, " and downloading is switched off")
    kinds = sorted({*PUBLISHED, *ner_datasets(places.folders)})
    if corpus.kind not in kinds:
        hint = f"; the prefix {corpus.kind}: is unknown{nearest(corpus.kind, kinds)} "
        return places.missing(corpus.name, f"{hint}(known: {', '.join(kinds)}, or a path)")
    return places.missing(corpus.name, nearest(corpus.treebank, known_codes(corpus.kind)))


_COLUMN_OF = {"upos": "UPOS", "heads": "HEAD", "relations": "DEPREL", "entities": "an IOB2 tag"}


def read_corpus(corpus: CorpusSpec, split: str, places: DataPaths) -> tuple[Sentence, ...]:
    """Read one split of a corpus; a file is read once in a process, as long as it is unchanged.

    Raises:
        DataError: as `locate` and the readers do.
    """
    path = locate(corpus, split, places)
    status = path.stat()
    return _read(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=64)
def _read(path: Path, modified: int, size: int) -> tuple[Sentence, ...]:
    """Read a file; when it was modified and its size only serve to notice that it changed."""
    plain = path.name.removesuffix(".gz")
    if plain.endswith(".parquet"):
        return tuple(read_wikiann_parquet(path))
    return tuple(read_conllu(path) if plain.endswith(".conllu") else read_iob2(path))


def check_annotations(sentences: Sequence[Sentence], needs: Sequence[str], name: str) -> None:
    """Make sure that every sentence has the annotations that a task needs.

    ``needs`` are among ``upos``, ``heads``, ``relations`` and ``entities``; ``name`` is how the
    error calls the sentences.

    Raises:
        DataError: if one is missing.
    """
    for annotation in needs:
        missing = sum(annotation not in sentence.annotations for sentence in sentences)
        if missing:
            column = _COLUMN_OF.get(annotation, annotation)
            raise DataError(
                f"{name} has no {annotation}, which are needed here: {column} is _ or "
                f"absent in {missing} of {len(sentences)} sentences"
            )
