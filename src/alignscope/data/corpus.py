"""Corpus names, the files behind them, and the sentences in these."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from alignscope.data.conllu import read_conllu
from alignscope.data.download import PUBLISHED, fetch, known_codes, nowhere
from alignscope.data.files import checksum as checksum
from alignscope.data.iob2 import read_iob2, read_wikiann_parquet
from alignscope.data.layouts import SPLITS, files_in, files_under, kinds_in, stem
from alignscope.data.places import Places as Places
from alignscope.data.sentence import Sentence
from alignscope.errors import DataError, nearest

Relation = Literal["in-domain", "cross-domain", "cross-lingual"]


@dataclass(frozen=True)
class Corpus:
    """What a corpus name says.

    >>> parse_corpus("uner:en_ewt")
    Corpus(name='uner:en_ewt', kind='uner', language='en', treebank='en_ewt', domain='ewt')

    ``kind`` is the prefix of the name (``ud``, ``uner``, ``wikiann``, …) or ``path``. ``domain`` is
    what is left of the treebank without its language (the kind where nothing is left:
    ``wikiann:en`` has the domain ``wikiann``), so that ``ud:en_pud`` and ``ud:de_pud`` share one.
    """

    name: str
    kind: str
    language: str
    treebank: str
    domain: str

    @property
    def path(self) -> Path:
        """The file or folder, for a corpus of kind ``path``."""
        return Path(self.name.split("=", 1)[1] if _STATED.match(self.name) else self.name)


_STATED = re.compile(r"([a-z]{2,3})=.")
_MADE = re.compile(r"synthetic:([a-z]+)/([a-z]+)")
_NAMED = re.compile(r"([a-z][a-z0-9]*):([^/\\]*)")
_TREEBANK = re.compile(r"([a-z]{2,}(?:-[a-z]+)*)(?:_([A-Za-z0-9]\w*))?")
_PREFIXED = re.compile(r"([a-z]{2,3})(?:_.*)?")


def parse_corpus(name: str) -> Corpus:
    """Understand the name of a corpus, without looking for it (only a path is looked at).

    >>> parse_corpus("ud:de_pud").language
    'de'

    Names are ``ud:en_ewt``; ``synthetic:LANGUAGE/DOMAIN`` for the embedded languages;
    ``DATASET:NAME`` for named entities (``uner:en_ewt``, ``wikiann:en``, or whatever is in a folder
    ``ner/DATASET/NAME``); or a path to a file (which then is one split, the one in its name,
    ``test`` if there is none) or to a folder with one file per split. The language of a path is
    the ``xx_`` its name starts with, or is stated: ``xx=path``.

    Raises:
        DataError: if the name does not tell the language, or the path does not exist.
    """
    if match := _MADE.fullmatch(name):
        return Corpus(name, "synthetic", match[1], f"{match[1]}/{match[2]}", match[2])
    if match := _NAMED.fullmatch(name):
        return _named(name, *match.groups())
    return _from_path(name)


def _named(name: str, kind: str, treebank: str) -> Corpus:
    if kind == "synthetic":
        raise DataError(
            f"corpus {name} should name a language and a domain, as synthetic:vesti/news does"
        )
    match = _TREEBANK.fullmatch(treebank)
    if match is None or (kind in ("ud", "uner") and match[2] is None):
        example = "ud:en_ewt" if kind in ("ud", "uner") else f"{kind}:en or {kind}:en_news"
        raise DataError(f"corpus {name} should name a language and a treebank, as {example} does")
    return Corpus(name, kind, match[1], treebank, match[2] or kind)


def _from_path(name: str) -> Corpus:
    stated = _STATED.match(name)
    path = Path(name.split("=", 1)[1] if stated else name)
    if not path.exists():
        raise DataError(f"corpus {name} is neither a path that exists nor a name like ud:en_ewt")
    path = path.resolve()
    treebank = (stem(path) or path.parent.name) if path.is_file() else path.name
    found = stated or _PREFIXED.fullmatch(treebank)
    if found is None:
        raise DataError(
            f"the language of {name} cannot be told from its name, state it as en=PATH "
            "(for English)"
        )
    return Corpus(name, "path", found[1], treebank, treebank)


def relation_between(source: Corpus, evaluated: Corpus) -> Relation:
    """Say how far an evaluation is from the corpus that was trained on.

    >>> relation_between(parse_corpus("ud:en_ewt"), parse_corpus("ud:en_pud"))
    'cross-domain'
    """
    if source.language != evaluated.language:
        return "cross-lingual"
    same = (source.kind, source.treebank) == (evaluated.kind, evaluated.treebank)
    return "in-domain" if same else "cross-domain"


def locate(corpus: Corpus, split: str, places: Places) -> Path:
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
    remote = PUBLISHED.get(corpus.kind, nowhere)(corpus.treebank, split)
    path = fetch(remote, places.cache, download=places.download) if remote else None
    if path is None:
        raise _not_found(corpus, places, published=remote is not None)
    return path


def _present(corpus: Corpus, places: Places) -> Iterator[dict[str, Path]]:
    if corpus.kind == "path":
        yield files_in(corpus.path)
        return
    for folder in places.folders:
        yield files_under(folder, corpus.kind, corpus.treebank)


def _pick(corpus: Corpus, split: str, found: dict[str, Path]) -> Path:
    if split not in found:
        where = next(iter(found.values())).parent
        raise DataError(f"{corpus.name} has no {split} split in {where}, only {', '.join(found)}")
    return found[split]


def _not_found(corpus: Corpus, places: Places, *, published: bool) -> DataError:
    if corpus.kind == "path":
        return DataError(f"{corpus.path} has no file for any of {', '.join(SPLITS)}")
    if published:
        return places.missing(corpus.name, " and downloading is switched off")
    kinds = sorted({*PUBLISHED, *kinds_in(places.folders)})
    if corpus.kind not in kinds:
        hint = f"; the prefix {corpus.kind}: is unknown{nearest(corpus.kind, kinds)} "
        return places.missing(corpus.name, f"{hint}(known: {', '.join(kinds)}, or a path)")
    return places.missing(corpus.name, nearest(corpus.treebank, known_codes(corpus.kind)))


_COLUMN_OF = {"upos": "UPOS", "heads": "HEAD", "relations": "DEPREL", "entities": "an IOB2 tag"}


def read_corpus(corpus: Corpus, split: str, places: Places) -> tuple[Sentence, ...]:
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
        missing = sum(getattr(sentence, annotation) is None for sentence in sentences)
        if missing:
            column = _COLUMN_OF.get(annotation, annotation)
            raise DataError(
                f"{name} has no {annotation}, which are needed here: {column} is _ or "
                f"absent in {missing} of {len(sentences)} sentences"
            )
