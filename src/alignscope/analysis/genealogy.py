"""Genus and family of languages: from a built-in table, synthetic descriptions, or a file.

``genealogy.tsv`` has the languages of Universal Dependencies 2.18, Universal NER, WikiANN and
SIB-200. Genera are those of WALS Online v2020.4 (Dryer & Haspelmath 2013), families those of
Glottolog 5 (Hammarström et al.). Its header lists the exceptions.
"""

import csv
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import NamedTuple

from alignscope.data.synthetic.language import languages, load_language
from alignscope.errors import DataError


class Lineage(NamedTuple):
    """The genus and the family of a language. Languages of one genus have equal lineages."""

    genus: str
    family: str


Genealogy = Mapping[str, Lineage]
"""Lineages by language code."""

_COLUMNS = ("language", *Lineage._fields)

LineageOf = Callable[[str], Lineage | None]
"""A function that returns the lineage of a language code, or None if it is not known."""


def lineage(language: str) -> Lineage | None:
    """Return the genus and family of a language, or None if the language is unknown.

    >>> lineage("de")
    Lineage(genus='Germanic', family='Indo-European')
    >>> lineage("ataru") == lineage("kirgu")
    True

    A synthetic language has the family of its description, which is also its genus.
    """
    if language in languages():
        family = load_language(language).family
        return Lineage(family, family)
    return builtin_genealogy().get(language)


def lineage_from(path: Path | None) -> LineageOf:
    """Return a function like `lineage` that prefers the rows of a file, if one is given.

    Raises:
        DataError: if the file cannot be used.
    """
    if path is None:
        return lineage
    known = read_genealogy(path)
    return lambda language: known.get(language) or lineage(language)


def language_name(language: str) -> str:
    """Return the English name of a language, or its code if it is unknown.

    >>> language_name("de"), language_name("vesti"), language_name("xx")
    ('German', 'Vesti', 'xx')
    """
    if language in languages():
        return load_language(language).name
    return _builtin_names().get(language, language)


@cache
def builtin_genealogy() -> Genealogy:
    """Return the built-in lineages of real languages, by language code."""
    with as_file(files("alignscope.analysis") / "genealogy.tsv") as path:
        return read_genealogy(path)


@cache
def _builtin_names() -> dict[str, str]:
    with as_file(files("alignscope.analysis") / "genealogy.tsv") as path:
        return {row["language"]: row["name"] for row in _read_rows(path)}


def read_genealogy(path: Path) -> Genealogy:
    """Read a table with the columns ``language``, ``genus`` and ``family``.

    The format is TSV if the name ends in ``.tsv``, else CSV. Lines that start with ``#`` and other
    columns are ignored.

    Raises:
        DataError: if the file cannot be read, lacks a column, has a language twice, or has a
            language without a genus or family.
    """
    known: dict[str, Lineage] = {}
    for row in _read_rows(path):
        language, genus, family = ((row[name] or "").strip() for name in _COLUMNS)
        if not (language and genus and family):
            raise DataError(f"{path} has a row without language, genus or family: {row}.")
        if language in known:
            raise DataError(f"{path} has the language {language} twice. Remove one of the rows.")
        known[language] = Lineage(genus, family)
    return known


def _read_rows(path: Path) -> list[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from None
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    rows = list(csv.DictReader(lines, delimiter="\t" if path.suffix == ".tsv" else ","))
    if not rows or not {*_COLUMNS} <= rows[0].keys():
        raise DataError(f"{path} needs the columns {', '.join(_COLUMNS)} and at least one row.")
    return rows
