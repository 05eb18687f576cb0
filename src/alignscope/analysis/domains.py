"""Corpora of the source's language in the same domain as a target: language apart from domain."""

from collections.abc import Iterable
from typing import NamedTuple

import polars as pl

from alignscope.analysis.genealogy import language_name
from alignscope.config.grid import evaluated_corpora
from alignscope.config.study import Study
from alignscope.config.task import TaskConfig
from alignscope.data.corpora import SYNTHETIC
from alignscope.data.corpus import CorpusSpec, parse_corpus, relation_between, scheme_of
from alignscope.data.download import known_codes
from alignscope.data.synthetic.language import languages
from alignscope.errors import DataError

PAIRED_COLUMNS = ("corpus", "language", "relation", "domain", "scheme")
"""The columns that `same_domain_pairs` reads."""

_PREFERENCE = {"in-domain": 0, "cross-domain": 1, "cross-scheme": 2}


class SameDomain(NamedTuple):
    """Each target with a corpus of the source's language in its domain, or without one."""

    partners: dict[str, str]
    """The corpus of the source's language by target corpus."""
    missing: dict[str, str | None]
    """The corpus that a target lacks, by target corpus; None if no published one is known."""


def same_domain_pairs(rows: pl.DataFrame) -> SameDomain:
    """Return for each target the corpus of the source's language that has the same domain.

    >>> rows = [
    ...     ("ud:en_ewt", "en", "in-domain", "ewt", "ud"),
    ...     ("ud:en_pud", "en", "cross-domain", "pud", "ud"),
    ...     ("ud:de_pud", "de", "cross-lingual", "pud", "ud"),
    ...     ("ud:is_modern", "is", "cross-lingual", "modern", "ud"),
    ... ]
    >>> same_domain_pairs(pl.DataFrame(rows, schema=PAIRED_COLUMNS, orient="row"))
    SameDomain(partners={'ud:de_pud': 'ud:en_pud'}, missing={'ud:is_modern': None})

    Args:
        rows: the columns `PAIRED_COLUMNS` of the table ``scores`` for one encoder, task, metric,
            source and setting. Rows may repeat.

    Returns:
        The pairs. A partner has the domain and the annotation scheme of its target; the source
        itself can be one. Targets are in the order of their names.
    """
    known = rows.select(PAIRED_COLUMNS).unique().sort("corpus").rows(named=True)
    targets = [row for row in known if row["relation"] == "cross-lingual"]
    others = [row for row in known if row["relation"] in _PREFERENCE]
    others.sort(key=lambda row: _PREFERENCE[row["relation"]])
    source_language = next((row["language"] for row in others), None)
    partners: dict[str, str] = {}
    missing: dict[str, str | None] = {}
    for target in targets:
        wanted = target["domain"], target["scheme"]
        matching = [row["corpus"] for row in others if (row["domain"], row["scheme"]) == wanted]
        if None not in wanted and matching:
            partners[target["corpus"]] = matching[0]
        else:
            missing[target["corpus"]] = _published_partner(target["corpus"], source_language)
    return SameDomain(partners, missing)


def _published_partner(target: str, language: str | None) -> str | None:
    """Return the name of the corpus of a language in a target's domain, if one is published."""
    try:
        corpus = parse_corpus(target)
    except DataError:  # a path that is not on this machine
        return None
    if language is None:
        return None
    if corpus.kind == SYNTHETIC:
        return f"{SYNTHETIC}:{language}/{corpus.domain}" if language in languages() else None
    if corpus.kind == "wikiann":
        return f"wikiann:{language}"
    code = f"{language}_{corpus.domain}"
    return f"{corpus.kind}:{code}" if code in known_codes(corpus.kind) else None


def domain_notes(study: Study) -> list[str]:
    """Return a sentence for each task whose targets lack a corpus of the source in their domain.

    >>> corpora = {"sources": ["ud:en_ewt"], "targets": ["ud:de_pud", "ud:fr_pud"]}
    >>> (note,) = domain_notes(Study(tasks={"pos": corpora}))
    >>> print(note)
    pos: The targets are in the domain pud, but no corpus of English is. Add ud:en_pud to the \
domains, or language and domain cannot be separated.
    """
    notes = (_domain_note(task, corpora) for task, corpora in study.tasks.items())
    return [note for note in notes if note]


def _domain_note(task: str, corpora: TaskConfig) -> str:
    additions: dict[str, str] = {}  # the language that lacks a corpus, by the corpus to add
    domains: dict[str, None] = {}
    unpaired: dict[str, None] = {}
    for source in map(parse_corpus, corpora.sources):
        evaluated = map(parse_corpus, evaluated_corpora(source.name, corpora))
        found = same_domain_pairs(_rows(source, evaluated, task))
        for target, addition in found.missing.items():
            if addition is not None:
                additions[addition] = language_name(source.language)
                domains[parse_corpus(target).domain] = None
        if found.missing and not found.partners and not any(found.missing.values()):
            unpaired[language_name(source.language)] = None
    if additions:
        return (
            f"{task}: The targets are in the {_noun('domain', domains)} {_listed(domains)}, but no "
            f"corpus of {_listed(additions.values(), 'or')} is. Add {_listed(additions)} to the "
            "domains, or language and domain cannot be separated."
        )
    if unpaired:
        return (
            f"{task}: No corpus of {_listed(unpaired, 'or')} is in the domain of a target, so that "
            "language and domain cannot be separated."
        )
    return ""


def _rows(source: CorpusSpec, evaluated: Iterable[CorpusSpec], task: str) -> pl.DataFrame:
    rows = [
        (
            corpus.name,
            corpus.language,
            relation_between(source, corpus, task),
            corpus.domain,
            scheme_of(corpus, task),
        )
        for corpus in evaluated
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(PAIRED_COLUMNS, pl.String), orient="row")


def _noun(noun: str, names: Iterable[str]) -> str:
    return noun if len(list(names)) == 1 else f"{noun}s"


def _listed(names: Iterable[str], word: str = "and") -> str:
    """Return ``a, b and c``, each name once."""
    unique = list(dict.fromkeys(names))
    return f" {word} ".join([", ".join(unique[:-1]), unique[-1]] if len(unique) > 1 else unique)
