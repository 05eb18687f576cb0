"""Pairs of targets and corpora of the source's language in one domain, and what a study lacks."""

from itertools import product
from pathlib import Path

import polars as pl
import pytest

from alignscope.analysis.domains import PAIRED_COLUMNS, domain_notes, same_domain_pairs
from alignscope.analysis.results import StudyResults
from alignscope.config.study import Study, read_study
from alignscope.data.corpus import parse_corpus, relation_between, scheme_of
from tests.helpers import ROOT
from tests.helpers.imagined import build


def rows(source: str, *evaluated: str, task: str = "pos") -> pl.DataFrame:
    """The columns of a source and corpora, each row twice, as there are several seeds."""
    corpora = [parse_corpus(name) for name in (source, *evaluated)]
    records = [
        (
            corpus.name,
            corpus.language,
            relation_between(corpora[0], corpus, task),
            corpus.domain,
            scheme_of(corpus, task),
        )
        for corpus in corpora
    ]
    return pl.DataFrame(records * 2, schema=PAIRED_COLUMNS, orient="row")


def test_a_target_is_paired_with_the_corpus_of_its_domain() -> None:
    table = rows("ud:en_ewt", "ud:en_gum", "ud:en_pud", "ud:de_pud", "ud:fr_pud", "ud:de_gum")
    assert same_domain_pairs(table).partners == {
        "ud:de_gum": "ud:en_gum",
        "ud:de_pud": "ud:en_pud",
        "ud:fr_pud": "ud:en_pud",
    }
    assert same_domain_pairs(table).missing == {}


def test_the_source_itself_can_be_the_partner() -> None:
    table = rows("synthetic:vesti/news", "synthetic:qadir/news", "synthetic:ataru/chat")
    found = same_domain_pairs(table)
    assert found.partners == {"synthetic:qadir/news": "synthetic:vesti/news"}
    assert found.missing == {"synthetic:ataru/chat": "synthetic:vesti/chat"}


def test_a_partner_has_the_scheme_of_its_target() -> None:
    corpora = "wikiann:en", "uner:en_pud", "wikiann:de", "uner:de_pud", "wikineural:de"
    found = same_domain_pairs(rows(*corpora, task="ner"))
    assert found.partners == {"wikiann:de": "wikiann:en", "uner:de_pud": "uner:en_pud"}
    assert found.missing == {"wikineural:de": None}
    without = same_domain_pairs(rows("wikineural:en", "ud:en_pud", "uner:de_pud", task="ner"))
    assert without.missing == {"uner:de_pud": "uner:en_pud"}


def test_corpora_without_a_domain_have_no_partner() -> None:
    table = rows("ud:en_ewt", "ud:en_pud", "ud:de_pud").with_columns(domain=pl.lit(None, pl.String))
    assert same_domain_pairs(table).partners == {}
    assert list(same_domain_pairs(table).missing) == ["ud:de_pud"]


def test_every_pair_agrees_with_a_search_over_all_pairs() -> None:
    names = [f"ud:{code}_{domain}" for code in ("en", "de", "ru") for domain in ("pud", "x", "y")]
    for source in names[:3]:
        others = [name for name in names if name != source][1:]
        table = rows(source, *others)
        expected = {
            target: partner
            for target, partner in product(others, [source, *others])
            if target[3:5] != "en" and partner[3:5] == "en" and target[6:] == partner[6:]
        }
        assert same_domain_pairs(table).partners == expected


def study(task: str = "pos", **corpora: list[str]) -> Study:
    return Study.model_validate({"tasks": {task: corpora}, "training": {"learning_rate": 1e-3}})


@pytest.mark.parametrize(
    ("corpora", "note"),
    [
        (
            {"sources": ["ud:en_ewt"], "targets": ["ud:de_pud", "ud:fr_pud"]},
            "pos: The targets are in the domain pud, but no corpus of English is. Add ud:en_pud to "
            "the domains, or language and domain cannot be separated.",
        ),
        (
            {
                "sources": ["ud:en_ewt", "ud:ru_gsd", "ud:ar_padt"],
                "targets": ["ud:de_pud"],
                "domains": ["ud:en_pud"],
            },
            "pos: The targets are in the domain pud, but no corpus of Russian or Arabic is. Add "
            "ud:ru_pud and ud:ar_pud to the domains, or language and domain cannot be separated.",
        ),
        (
            {"sources": ["synthetic:vesti/news"], "targets": ["synthetic:qadir/chat"]},
            "pos: The targets are in the domain chat, but no corpus of Vesti is. Add "
            "synthetic:vesti/chat to the domains, or language and domain cannot be separated.",
        ),
        (
            {"sources": ["ud:en_ewt"], "targets": ["ud:is_modern"]},
            "pos: No corpus of English is in the domain of a target, so that language and domain "
            "cannot be separated.",
        ),
    ],
)
def test_a_study_is_told_which_corpus_it_lacks(corpora: dict[str, list[str]], note: str) -> None:
    assert domain_notes(study(**corpora)) == [note]


def test_following_the_note_removes_it() -> None:
    corpora = {"sources": ["ud:en_ewt"], "targets": ["ud:de_pud", "ud:is_modern"]}
    assert domain_notes(study(**corpora))
    assert domain_notes(study(**corpora, domains=["ud:en_pud"])) == []
    assert domain_notes(study(**{**corpora, "targets": ["ud:de_pud", "ud:en_pud"]})) == []


def test_a_study_without_targets_has_no_note() -> None:
    assert domain_notes(study(sources=["ud:en_ewt"], domains=["ud:en_gum"])) == []


@pytest.mark.parametrize("path", sorted((ROOT / "studies").glob("*.toml")))
def test_shipped_studies_separate_language_and_domain(path: Path) -> None:
    assert domain_notes(read_study(path)) == []


def test_another_scheme_is_pooled_with_nothing_and_shown_alone(tmp_path: Path) -> None:
    text = """
        encoders = ["embedded"]
        seeds = [1, 2, 3]
        windows = ["0-1"]
        training = { learning_rate = 1e-4 }
        [tasks.ner]
        sources = ["wikiann:en"]
        targets = ["wikiann:de", "wikiann:fr"]
        domains = ["uner:en_pud", "uner:en_ewt"]
    """
    results = StudyResults.of(*build(tmp_path, text))
    assert results.summary["domains_corpora"].null_count() == len(results.summary)
    shown = {*results.effects["on"]}
    assert {"targets", "uner:en_pud", "uner:en_ewt"} <= shown
    assert not {"domains", "targets − domains"} & shown
