"""Transfer and its ceiling: both gaps by hand, and runs on supervised corpora in a study."""

from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from alignscope.analysis.genealogy import Lineage
from alignscope.analysis.results import PrimaryResults, StudyResults
from alignscope.analysis.transfer import supervised_gaps, transfer_table
from alignscope.analysis.transfer_gap import SOURCE_GAP, SUPERVISED_GAP
from alignscope.data.corpus import parse_corpus, relation_between
from alignscope.report.figures.registry import figures_of
from alignscope.report.page import Report
from alignscope.results.schemas import SCORES, TRANSFER, to_frame
from alignscope.results.store import RunResult
from tests.helpers.imagined import LANGUAGES, build, study_text
from tests.helpers.pages import Elements


def rows(source: str, scores: dict[str, list[float]], setting: str = "few") -> pl.DataFrame:
    """REF's scores on corpora, one per seed."""
    spec = parse_corpus(source)
    records: list[dict[str, Any]] = []
    for corpus, values in scores.items():
        evaluated = parse_corpus(corpus)
        for seed, value in enumerate(values):
            records.append(
                dict.fromkeys(SCORES, 0)
                | {"address": f"{source} {seed}", "encoder": "enc", "task": "ner", "metric": "f1"}
                | {"source": source, "setting": setting, "window": "REF", "init": None}
                | {"adapters": None, "seed": seed, "corpus": corpus, "split": "test"}
                | {"language": evaluated.language, "domain": evaluated.domain}
                | {"relation": relation_between(spec, evaluated, "ner")}
                | {"score": value, "majority": 0.1}
            )
    return to_frame(records, SCORES)


ZERO_SHOT = rows(
    "wikiann:en",
    {
        "wikiann:en": [0.9, 0.8],
        "wikiann:de": [0.7, 0.5],
        "uner:de_pud": [0.4, 0.4],
        "wikiann:fr": [0.6, 0.6],
        "wikiann:sw": [0.2, 0.3],
    },
)
GERMAN = rows("wikiann:de", {"wikiann:de": [0.8, 0.9], "uner:de_pud": [0.5, 0.5]})


def test_the_gap_has_two_ends() -> None:
    table = transfer_table(ZERO_SHOT, GERMAN)
    assert table.schema == TRANSFER
    german = table.row(by_predicate=pl.col("target") == "wikiann:de", named=True)
    assert german["source_score"] == pytest.approx(0.85)
    assert german["score"] == pytest.approx(0.6)
    assert german["gap"] == pytest.approx(0.25)
    assert (german["supervised"], german["seeds"]) == ("wikiann:de", 2)
    assert german["supervised_score"] == pytest.approx(0.85)
    assert german["supervised_gap"] == pytest.approx(0.25)
    assert german["share"] == pytest.approx(0.6 / 0.85)
    assert (german["genus"], german["family"]) == ("Germanic", "Indo-European")
    french = table.row(by_predicate=pl.col("target") == "wikiann:fr", named=True)
    assert french["supervised"] is french["supervised_score"] is french["share"] is None
    assert french["gap"] == pytest.approx(0.25)


def test_a_ceiling_has_the_scheme_of_its_target() -> None:
    table = transfer_table(ZERO_SHOT, GERMAN)
    assert table.filter(target="uner:de_pud")["supervised"].to_list() == [None]


def test_a_ceiling_has_the_setting_of_its_target() -> None:
    other = GERMAN.with_columns(setting=pl.lit("many"))
    assert transfer_table(ZERO_SHOT, other)["supervised"].null_count() == 4


def test_a_source_is_the_ceiling_of_other_sources() -> None:
    french = rows("wikiann:fr", {"wikiann:fr": [0.9, 0.9], "wikiann:en": [0.5, 0.7]})
    table = transfer_table(pl.concat([ZERO_SHOT, french]), GERMAN.clear())
    pairs = table.filter(pl.col("supervised").is_not_null())
    assert pairs.select("source", "target", "supervised").rows() == [
        ("wikiann:en", "wikiann:fr", "wikiann:fr"),
        ("wikiann:fr", "wikiann:en", "wikiann:en"),
    ]
    assert pairs["supervised_gap"].to_list() == pytest.approx([0.3, 0.25])


def test_each_supervised_corpus_has_a_row_and_languages_have_means() -> None:
    second = rows("panx:de", {"panx:de": [0.9, 0.9], "wikiann:de": [0.7, 0.8]})
    same_scheme = second.with_columns(
        relation=pl.lit("cross-domain"), source=pl.lit("wikiann:de_extra")
    )
    table = transfer_table(ZERO_SHOT, pl.concat([GERMAN, same_scheme]))
    german = table.filter(target="wikiann:de")
    assert german["supervised_gap"].to_list() == pytest.approx([0.25, 0.15])
    gaps = supervised_gaps(table)
    assert gaps.filter(language="de")["gap"].to_list() == pytest.approx([0.2])


def test_unknown_languages_have_no_genus() -> None:
    table = transfer_table(
        ZERO_SHOT, GERMAN, lambda code: Lineage("g", "f") if code == "sw" else None
    )
    assert table.filter(language="sw").select("genus", "family").row(0) == ("g", "f")
    assert table.filter(language="de")["family"].null_count() == 2


# A study


def with_supervised() -> str:
    corpora = ", ".join(f'"synthetic:{name}/manual"' for name in LANGUAGES[1:])
    return study_text().rstrip() + f"\nsupervised = [{corpora}]\n"


def lift(result: RunResult) -> RunResult:
    """Give supervised runs 5 points more, in the order of the languages."""
    if result.run.supervised:
        for row in result.scores:
            row["score"] += 0.05 + 0.01 * LANGUAGES.index(row["language"])
    return result


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    study, store = build(tmp_path_factory.mktemp("supervised"), with_supervised(), lift)
    return StudyResults.of(study, store)


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    study, store = build(tmp_path_factory.mktemp("without"))
    return StudyResults.of(study, store)


@pytest.mark.parametrize("name", ["scores", "summary", "effects", "boundaries", "claims", "drift"])
def test_supervised_runs_are_in_no_other_result(
    results: StudyResults, without: StudyResults, name: str
) -> None:
    assert_frame_equal(results.table(name), without.table(name))


def test_supervised_runs_are_in_the_tables_runs_and_transfer(
    results: StudyResults, without: StudyResults
) -> None:
    assert len(results.runs) == len(without.runs) + 3 * 6
    assert results.transfer["supervised"].null_count() == 0
    assert without.transfer["supervised"].null_count() == 6
    assert_frame_equal(
        results.transfer.select("target", "score", "gap"),
        without.transfer.select("target", "score", "gap"),
    )
    assert_frame_equal(PrimaryResults(results).transfer, results.transfer)


def test_gaps_have_both_definitions(results: StudyResults, without: StudyResults) -> None:
    assert set(without.gaps["gap"]) == {SOURCE_GAP}
    assert_frame_equal(results.gaps.filter(gap=SOURCE_GAP), without.gaps)
    other = results.gaps.filter(gap=SUPERVISED_GAP)
    assert len(other) == len(without.gaps)
    assert other["targets"].to_list() == [6] * len(other)
    assert not other["spearman"].equals(without.gaps["spearman"])


def test_the_report_shows_both_gaps(results: StudyResults, without: StudyResults) -> None:
    keys = {*figures_of(results)} - {*figures_of(without)}
    group = "pos/synthetic:vesti/news"
    assert keys == {f"transfer/{group}", f"gap-by-layer/{group}/supervised"}
    text = Elements(Report("study", results).html()).text
    assert "supervised − zero-shot" in text
    assert "fine-tuned without re-initialisation on" in text
    assert "18 runs" in text
    figure = figures_of(results)[f"transfer/{group}"]
    assert "polyline" in figure.inline() or "path" in figure.inline()
    assert len(figure.data) == 6
