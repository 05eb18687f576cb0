"""Parse corpus names, and derive how an evaluated corpus relates to the source."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from alignscope.data.layouts import treebank_name
from alignscope.errors import DataError

Relation = Literal["in-domain", "cross-domain", "cross-scheme", "cross-lingual"]


@dataclass(frozen=True)
class CorpusSpec:
    """The parts of a corpus name.

    >>> parse_corpus("uner:en_ewt")
    CorpusSpec(name='uner:en_ewt', kind='uner', language='en', treebank='en_ewt', domain='ewt')

    ``kind`` is the prefix of the name (``ud``, ``uner``, ``wikiann``, …) or ``path``. ``domain`` is
    the treebank without its language, so that ``ud:en_pud`` and ``ud:de_pud`` share a domain. If
    the name has nothing but a language, as ``wikiann:en``, the domain is the kind. A path has the
    domain of its name: ``en_pud.conllu`` and ``de_pud.conllu`` share a domain.
    """

    name: str
    kind: str
    language: str
    treebank: str
    domain: str

    @property
    def path(self) -> Path:
        """The file or folder, for a corpus of kind ``path``."""
        return Path(
            self.name.split("=", 1)[1] if _LANGUAGE_AND_PATH.match(self.name) else self.name
        )


_LANGUAGE_AND_PATH = re.compile(r"([a-z]{2,3})=.")
_SYNTHETIC_NAME = re.compile(r"synthetic:([a-z]+)/([a-z]+)")
_PREFIX_AND_NAME = re.compile(r"([a-z][a-z0-9]*):([^/\\]*)")
_TREEBANK = re.compile(r"([a-z]{2,}(?:-[a-z]+)*)(?:_([A-Za-z0-9]\w*))?")
_LANGUAGE_PREFIX = re.compile(r"([a-z]{2,3})(?:_.*)?")


def parse_corpus(name: str) -> CorpusSpec:
    """Parse the name of a corpus; only for a path, check that it exists.

    >>> parse_corpus("ud:de_pud").language
    'de'

    These names are valid:

    - ``ud:en_ewt``: a treebank of Universal Dependencies.
    - ``synthetic:LANGUAGE/DOMAIN``: a synthetic language.
    - ``ntrex:en``: a language of NTREX-128, with a test split for similarity.
    - ``DATASET:NAME``: another data set, such as ``uner:en_ewt``, ``wikiann:en``, or one in a
      folder ``ner/DATASET/NAME`` or ``classification/DATASET/NAME``.
    - A path to a file, which is the split in its name (``test`` if there is none), or to a folder
      with one file per split. Its name starts with the language, as in ``xx_name``, or the
      language is stated as ``xx=path``.

    Raises:
        DataError: if the name has no language, or the path does not exist.
    """
    if match := _SYNTHETIC_NAME.fullmatch(name):
        return CorpusSpec(name, "synthetic", match[1], f"{match[1]}/{match[2]}", match[2])
    if match := _PREFIX_AND_NAME.fullmatch(name):
        return _from_prefix(name, *match.groups())
    return _from_path(name)


def _from_prefix(name: str, kind: str, treebank: str) -> CorpusSpec:
    if kind == "synthetic":
        raise DataError(
            f"Corpus {name} must name a language and a domain, as in synthetic:vesti/news."
        )
    match = _TREEBANK.fullmatch(treebank)
    if match is None or (kind in ("ud", "uner") and match[2] is None):
        example = "ud:en_ewt" if kind in ("ud", "uner") else f"{kind}:en or {kind}:en_news"
        raise DataError(f"Corpus {name} must name a language and a treebank, as in {example}.")
    return CorpusSpec(name, kind, match[1], treebank, match[2] or kind)


def _from_path(name: str) -> CorpusSpec:
    explicit = _LANGUAGE_AND_PATH.match(name)
    path = Path(name.split("=", 1)[1] if explicit else name)
    if not path.exists():
        raise DataError(f"Corpus {name} is neither an existing path nor a name such as ud:en_ewt.")
    path = path.resolve()
    treebank = (treebank_name(path) or path.parent.name) if path.is_file() else path.name
    language = explicit or _LANGUAGE_PREFIX.fullmatch(treebank)
    if language is None:
        raise DataError(
            f"The name of {name} does not start with a language. State the language, for example "
            "as en=PATH for English."
        )
    domain = treebank.removeprefix(f"{language[1]}_")
    return CorpusSpec(name, "path", language[1], treebank, domain)


_ONE_SCHEME_PER_DATASET = ("ner", "classification")
"""Tasks whose data sets are annotated by guidelines of their own."""


def scheme_of(corpus: CorpusSpec, task: str) -> str:
    """Return the annotation scheme of a corpus in a task.

    >>> scheme_of(parse_corpus("uner:en_ewt"), "ner"), scheme_of(parse_corpus("wikiann:en"), "ner")
    ('uner', 'wikiann')

    The scheme is the kind of the corpus. Universal Dependencies and paths have the same scheme,
    because both are treebanks, except in tasks whose data sets have guidelines of their own.
    """
    if corpus.kind == "path" and task not in _ONE_SCHEME_PER_DATASET:
        return "ud"
    return corpus.kind


def relation_between(source: CorpusSpec, evaluated: CorpusSpec, task: str) -> Relation:
    """Return how an evaluated corpus relates to the source: its language, scheme and domain.

    >>> relation_between(parse_corpus("ud:en_ewt"), parse_corpus("ud:en_pud"), "pos")
    'cross-domain'
    >>> relation_between(parse_corpus("wikiann:en"), parse_corpus("uner:en_ewt"), "ner")
    'cross-scheme'

    Args:
        source: the corpus that fine-tuning uses.
        evaluated: the evaluated corpus.
        task: the name of the task.
    """
    if source.language != evaluated.language:
        return "cross-lingual"
    if scheme_of(source, task) != scheme_of(evaluated, task):
        return "cross-scheme"
    same = (source.kind, source.treebank) == (evaluated.kind, evaluated.treebank)
    return "in-domain" if same else "cross-domain"
