"""Genus and family: the built-in table, synthetic languages, and a user's file."""

import csv
from importlib.resources import files
from pathlib import Path

import pytest

from alignscope.analysis.genealogy import (
    Lineage,
    builtin_genealogy,
    lineage,
    lineage_from,
    read_genealogy,
)
from alignscope.data.synthetic.language import languages, load_language
from alignscope.errors import DataError
from tests.helpers import ROOT

CODE_SWITCHED = {"qaf", "qtd", "qte", "qti"}
"""Corpora of two languages of different families; the table has no row for them."""


def _codes(name: str) -> set[str]:
    rows = (files("alignscope.data") / name).read_text(encoding="utf-8").splitlines()
    return {row.split("\t")[0].split("_")[0] for row in rows}


@pytest.mark.parametrize("name", ["treebanks.tsv", "universal_ner.tsv"])
def test_every_language_with_a_published_corpus_has_a_lineage(name: str) -> None:
    assert _codes(name) - CODE_SWITCHED <= builtin_genealogy().keys()


def test_every_language_of_a_shipped_study_has_a_lineage() -> None:
    from alignscope.config.study import read_study
    from alignscope.data.corpus import parse_corpus

    for path in sorted((ROOT / "studies").glob("*.toml")):
        for task in read_study(path).tasks.values():
            for name in (*task.sources, *task.targets, *task.domains):
                assert lineage(parse_corpus(name).language) is not None, name


def test_every_language_with_features_has_a_lineage() -> None:
    text = (files("alignscope.analysis") / "typology.tsv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t"))
    assert all(lineage(row["language"]) for row in rows)


@pytest.mark.parametrize(
    ("language", "genus", "family"),
    [
        ("fi", "Finnic", "Uralic"),
        ("zh", "Chinese", "Sino-Tibetan"),
        ("hi", "Indic", "Indo-European"),
        ("id", "Malayo-Sumbawan", "Austronesian"),
        ("ja", "Japanese", "Japonic"),
        ("quc", "Mayan", "Mayan"),
        ("zh-classical", "Chinese", "Sino-Tibetan"),
    ],
)
def test_terms_are_those_of_wals_and_glottolog(language: str, genus: str, family: str) -> None:
    assert lineage(language) == Lineage(genus, family)


def test_a_genus_lies_in_one_family() -> None:
    lineages = {*builtin_genealogy().values()}
    assert len({known.genus for known in lineages}) == len(lineages)


@pytest.mark.parametrize(
    ("short", "long"), [("de", "deu"), ("ar", "arb"), ("et", "ekk"), ("zh", "cmn"), ("fa", "pes")]
)
def test_both_codes_of_a_language_have_one_lineage(short: str, long: str) -> None:
    assert lineage(short) == lineage(long) is not None


def test_synthetic_languages_have_the_family_of_their_description() -> None:
    for name in languages():
        assert lineage(name) == Lineage(*[load_language(name).family] * 2)


@pytest.mark.parametrize("language", ["xx", *sorted(CODE_SWITCHED)])
def test_an_unknown_language_has_no_lineage(language: str) -> None:
    assert lineage(language) is None


def test_a_file_overrides_the_table_and_leaves_other_languages(tmp_path: Path) -> None:
    path = tmp_path / "tree.csv"
    path.write_text("\ufefflanguage,family,note,genus\n# made up\nde,F,x,G\nxx,F,,H\n")
    found = lineage_from(path)
    assert found("de") == Lineage("G", "F")
    assert found("xx") == Lineage("H", "F")
    assert found("fi") == lineage("fi")
    assert found("yy") is None
    assert lineage_from(None)("de") == lineage("de")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("language\tgenus\nde\tG\n", "needs the columns language, genus, family"),
        ("language\tgenus\tfamily\n", "at least one row"),
        ("language\tgenus\tfamily\nde\tG\tF\nde\tG\tF\n", "has the language de twice"),
        ("language\tgenus\tfamily\nde\t\tF\n", "without language, genus or family"),
        ("language\tgenus\tfamily\nde\tG\n", "without language, genus or family"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "tree.tsv"
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        read_genealogy(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_genealogy(tmp_path / "none.tsv")
