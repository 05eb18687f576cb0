"""The table of strengths, and the warning that encoders were hit unequally hard."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from alignscope.analysis.comparison import ComparedResults
from alignscope.analysis.results import StudyResults
from alignscope.analysis.strength import strength_table, unequal_strengths
from alignscope.report.page import Report
from alignscope.results.schemas import STRENGTH
from alignscope.results.store import ResultStore, RunResult
from tests.helpers.imagined import build, study_text
from tests.helpers.tiny import call


def measured(after: dict[str, float], before: float = 0.3) -> Any:
    """Return a change that adds strengths to a result: ``after`` by init, more for later seeds."""

    def change(outcome: RunResult) -> RunResult:
        run = outcome.run
        if run.window is None:
            return outcome
        assert run.init_label is not None
        blocks = [
            {"block": int(block), "before": before, "after": after[run.init_label] * run.seed / 2}
            for block in run.window.split("-")
        ]
        strength = {"sentences": 20, "tokens": 300, "blocks": blocks}
        return replace(outcome, provenance={**outcome.provenance, "strength": strength})

    return change


def store_of(folder: Path, encoder: str, after: dict[str, float], inits: str) -> ResultStore:
    folder.mkdir()
    text = study_text(f'"{encoder}"').replace("seeds =", f"init = {inits}\nseeds =")
    return build(folder, text, measured(after))[1]


def test_strengths_are_means_over_seeds(tmp_path: Path) -> None:
    study, store = build(tmp_path, None, measured({"config": 0.02}))
    table = StudyResults.of(study, store).strength
    assert dict(table.schema) == STRENGTH
    assert table["window"].to_list() == [name for name in ("0-1", "2-3", "4-5") for _ in "ab"]
    assert table["block"].to_list() == [*range(6)]
    assert set(table["seeds"]) == {3}
    assert table["after"].to_list() == pytest.approx([0.02 * (1 + 2 + 3) / 2 / 3] * 6)
    assert table["before"].to_list() == pytest.approx([0.3] * 6)


def test_results_of_earlier_versions_have_no_strength(tmp_path: Path) -> None:
    def without(result: RunResult) -> RunResult:
        del result.provenance["strength"]
        return result

    study, store = build(tmp_path, change=without)
    results = StudyResults.of(study, store)
    assert results.strength.is_empty()
    assert dict(results.strength.schema) == STRENGTH
    assert 'id="strength"' not in Report("old", results).html()
    assert strength_table([]).is_empty()


def frame(block: int = 2, **after: float) -> pl.DataFrame:
    constant = {**dict.fromkeys(STRENGTH), "init": "config", "window": "2-3", "block": block}
    rows = [{**constant, "encoder": encoder, "after": value} for encoder, value in after.items()]
    return pl.DataFrame(rows, schema=dict(STRENGTH))


@pytest.mark.parametrize(
    ("narrow", "wide", "warned"),
    [(0.2, 0.2, False), (0.2, 0.29, False), (0.2, 0.31, True), (0.35, 0.026, True), (0, 0, False)],
)
def test_encoders_are_unequal_above_a_ratio_of_one_and_a_half(
    narrow: float, wide: float, warned: bool
) -> None:
    assert bool(unequal_strengths(frame(narrow=narrow, wide=wide))) is warned


def test_the_warning_names_init_encoders_and_strengths() -> None:
    (sentence,) = unequal_strengths(frame(a=0.026, b=0.2, c=0.35), {"c": "wide"})
    assert sentence.startswith(
        "Windows were hit unequally hard by config: block number 1 of a window changes what it "
        "reads by 2.6 % in a and by 35.0 % in wide."
    )


def test_a_first_block_that_changes_the_scale_does_not_hide_the_others() -> None:
    """Means over the window, 0.35 and 0.50, differ by less than the ratio that is warned of."""
    first = frame(narrow=0.68, wide=0.66)
    second = frame(block=3, narrow=0.027, wide=0.35)
    assert unequal_strengths(first) == []
    (sentence,) = unequal_strengths(pl.concat([first, second]))
    assert "block number 2 of a window changes what it reads by 2.7 % in narrow" in sentence


def test_windows_at_other_places_are_compared_by_position() -> None:
    """Encoders with other numbers of blocks have other windows."""
    shifted = frame(wide=0.35).with_columns(window=pl.lit("10-11"), block=pl.lit(10, pl.Int64))
    (sentence,) = unequal_strengths(pl.concat([frame(narrow=0.03), shifted]))
    assert "3.0 % in narrow and by 35.0 % in wide" in sentence


def test_a_comparison_warns_of_unequal_strengths_init_by_init(tmp_path: Path) -> None:
    inits = '["config", "torch-default"]'
    stores = [
        store_of(tmp_path / "narrow", "narrow", {"config": 0.03, "torch-default": 0.2}, inits),
        store_of(tmp_path / "wide", "wide", {"config": 0.35, "torch-default": 0.21}, inits),
    ]
    notes = [note for note in ComparedResults(stores).notes if "unequally hard" in note]
    assert len(notes) == 1
    assert "by config: block number 1 of a window changes what it reads by 3.0 % in" in notes[0]
    answer = call(
        "compare", *(store.folder for store in stores), "--out", tmp_path / "compared.html"
    )
    assert answer.code == 0, answer.err
    assert answer.err.startswith("Warning: Windows were hit unequally hard by config: block number")
    page = (tmp_path / "compared.html").read_text(encoding="utf-8")
    assert page.count("Windows were hit unequally hard by config") == 2  # side by side, strength
    assert "unequally hard by torch-default" not in page


def test_the_report_has_a_table_of_strengths(tmp_path: Path) -> None:
    study, store = build(tmp_path, None, measured({"config": 0.026}))
    report = Report("one", StudyResults.of(study, store))
    (table,) = [table for table in report.tables if table.name == "strength"]
    assert table.display["after"].to_list() == ["2.6"] * 6
    assert table.display["before"].to_list() == ["30.0"] * 6
    assert 'id="strength"' in report.html()
    printed = call(
        "table", "strength", tmp_path / "study.toml", "--store", store.folder, "--format", "csv"
    )
    assert printed.code == 0, printed.err
    assert len(printed.out.splitlines()) == 7
