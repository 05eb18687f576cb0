"""Corpus names, the files behind them, and the sentences in these."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from alignscope.data.layouts import treebank_name
from alignscope.errors import DataError

Relation = Literal["in-domain", "cross-domain", "cross-lingual"]


@dataclass(frozen=True)
class CorpusSpec:
    """The parts of a corpus name.

    >>> parse_corpus("uner:en_ewt")
    CorpusSpec(name='uner:en_ewt', kind='uner', language='en', treebank='en_ewt', domain='ewt')

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


def parse_corpus(name: str) -> CorpusSpec:
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
        return CorpusSpec(name, "synthetic", match[1], f"{match[1]}/{match[2]}", match[2])
    if match := _NAMED.fullmatch(name):
        return _named(name, *match.groups())
    return _from_path(name)


def _named(name: str, kind: str, treebank: str) -> CorpusSpec:
    if kind == "synthetic":
        raise DataError(
            f"corpus {name} should name a language and a domain, as synthetic:vesti/news does"
        )
    match = _TREEBANK.fullmatch(treebank)
    if match is None or (kind in ("ud", "uner") and match[2] is None):
        example = "ud:en_ewt" if kind in ("ud", "uner") else f"{kind}:en or {kind}:en_news"
        raise DataError(f"corpus {name} should name a language and a treebank, as {example} does")
    return CorpusSpec(name, kind, match[1], treebank, match[2] or kind)


def _from_path(name: str) -> CorpusSpec:
    stated = _STATED.match(name)
    path = Path(name.split("=", 1)[1] if stated else name)
    if not path.exists():
        raise DataError(f"corpus {name} is neither a path that exists nor a name like ud:en_ewt")
    path = path.resolve()
    treebank = (treebank_name(path) or path.parent.name) if path.is_file() else path.name
    found = stated or _PREFIXED.fullmatch(treebank)
    if found is None:
        raise DataError(
            f"the language of {name} cannot be told from its name, state it as en=PATH "
            "(for English)"
        )
    return CorpusSpec(name, "path", found[1], treebank, treebank)


def relation_between(source: CorpusSpec, evaluated: CorpusSpec) -> Relation:
    """Say how far an evaluation is from the corpus that was trained on.

    >>> relation_between(parse_corpus("ud:en_ewt"), parse_corpus("ud:en_pud"))
    'cross-domain'
    """
    if source.language != evaluated.language:
        return "cross-lingual"
    same = (source.kind, source.treebank) == (evaluated.kind, evaluated.treebank)
    return "in-domain" if same else "cross-domain"
