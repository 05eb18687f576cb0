"""The report of a study with several settings names them and pools nothing."""

import re
from pathlib import Path

import polars as pl
import pytest

from alignscope.analysis.results import StudyResults
from alignscope.report.page import Report
from alignscope.report.tables.settings import robustness_sentence
from alignscope.results.store import RunResult
from tests.helpers.imagined import build, study_text
from tests.helpers.pages import Elements, page_text, tables_of

LISTS = "learning_rate = [5e-5, 0.003]\n[limits]\ntrain = [500, 2000]"
NAMES = [f"lr {rate}, {size} sentences" for rate in ("5e-5", "0.003") for size in (500, 2000)]
COSTS = dict(zip(NAMES, (0.0, 0.05, 0.1, 0.3), strict=True))
"""What re-initialising 0-1 costs the targets in each setting."""


def name_of(result: RunResult) -> str:
    rate = {5e-5: "5e-5", 0.003: "0.003"}[result.run.training.learning_rate]
    return f"lr {rate}, {result.run.limits.train} sentences"


def cost_by_setting(result: RunResult) -> RunResult:
    """Make REF score 70, 71, 72 and 73 in the four settings, and windows cost what is planted."""
    name = name_of(result)
    for row in result.scores:
        row["score"] = 0.7 + 0.01 * NAMES.index(name) + 0.0001 * result.run.seed
        if result.run.window == "0-1" and row["relation"] == "cross-lingual":
            row["score"] -= COSTS[name]
    return result


def settings_text() -> str:
    text = study_text().replace("learning_rate = 5e-5", LISTS)
    assert LISTS in text
    return text


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("grid")
    study, store = build(folder, settings_text(), cost_by_setting)
    return Report(study.name, StudyResults.of(study, store))


@pytest.fixture(scope="module")
def shown(grid: Report) -> str:
    return grid.html()


def test_a_paragraph_for_each_setting_reports_its_own_effect(shown: str) -> None:
    text = Elements(shown).text
    for name in NAMES[1:]:
        found = re.search(
            rf"POS tagging from vesti/news, {name} \(accuracy\).*?costs the 6 targets (\S+) points",
            text,
            re.DOTALL,
        )
        assert found is not None
        assert found[1] == f"{100 * COSTS[name]:.1f}"


def test_figures_and_their_keys_name_the_setting(grid: Report) -> None:
    for kind in ("effects", "corpus-heatmap", "contrasts"):
        keys = [key for key in grid.figures if key.startswith(f"{kind}/")]
        assert keys == [f"{kind}/pos/synthetic:vesti/news/{name}" for name in NAMES]
        assert all(name in grid.figures[key].title for key, name in zip(keys, NAMES, strict=True))
    assert len({figure.name for figure in grid.figures.values()}) == len(grid.figures)


def test_methods_list_the_values_once(shown: str) -> None:
    text = Elements(shown).text
    assert (
        "Training: 3 epochs of AdamW, on at most 500 or 2000 train sentences, learning rate 5e-05 "
        "or 0.003 for the encoder and 0.001 for the head (4 settings: every combination), linear"
    ) in text
    assert "Runs of one seed and setting share" in text
    assert "Effects are differences from REF in the same setting, paired by seed and corpus" in text


def test_the_table_of_settings_has_ref_and_effects_side_by_side(shown: str) -> None:
    header, *rows = tables_of(shown)["settings"]
    assert "setting" in header
    cells = [dict(zip(header, row, strict=True)) for row in rows]
    assert [row["setting"] for row in cells] == NAMES
    for place, row in enumerate(cells):
        assert row["REF on source"] == row["REF on targets"] == f"{70 + place}.0"
        effect = -100 * COSTS[row["setting"]]
        assert row["0-1 on targets"].split(" ")[0] == f"{effect:+z.1f}".replace("-", "−")
        assert row["2-3 on targets"].startswith("+0.0")


def test_the_table_of_verdicts_counts_settings(shown: str) -> None:
    header, *rows = tables_of(shown)["robustness"]
    crucial = next(row for row in rows if "the lowest blocks are crucial" in " ".join(row))
    cells = dict(zip(header, crucial, strict=True))
    assert cells["settings"] == "4"
    assert cells["range"] == "−30.0 to +0.0"
    for name in NAMES:
        assert f"{name}: " in cells["verdicts"]


def test_a_sentence_says_how_many_claims_depend_on_the_setting(grid: Report, shown: str) -> None:
    table = grid.results.robustness
    agree = table["agree"].sum()
    assert 1 < agree < len(table)
    sentence = f"Of {len(table)} claims tested in several settings, {agree} have the same verdict"
    assert sentence in Elements(shown).text


@pytest.mark.parametrize(
    ("agree", "sentence"),
    [
        ([], ""),
        ([True], "The 1 claim tested in several settings has one verdict."),
        ([False], "The 1 claim tested in several settings has no single verdict."),
        ([False] * 2, "Of 2 claims tested in several settings, none has the same verdict in all"),
        ([True, False], "Of 2 claims tested in several settings, 1 has the same verdict in all"),
    ],
)
def test_the_sentence_agrees_with_its_numbers(
    agree: list[bool], sentence: str, monkeypatch: pytest.MonkeyPatch, grid: Report
) -> None:
    table = pl.DataFrame({"settings": [2] * len(agree) + [1], "agree": [*agree, True]})
    monkeypatch.setattr(type(grid.results), "robustness", table)
    found = robustness_sentence(grid.results)
    assert found.startswith(sentence)
    assert bool(found) == bool(sentence)


def test_side_by_side_tables_have_a_row_for_each_setting(tmp_path: Path) -> None:
    text = settings_text().replace('"embedded"', '"a", "b"')
    study, store = build(tmp_path, text, cost_by_setting)
    page = Report(study.name, StudyResults.of(study, store)).html()
    for name in ("contrasts-by-encoder", "boundaries-by-encoder", "claims-by-encoder"):
        header, *rows = tables_of(page)[name]
        settings = [row[header.index("setting")] for row in rows]
        assert list(dict.fromkeys(settings)) == NAMES
        assert {"a", "b"} <= {*header}


def test_a_study_of_one_setting_names_none(page: str, tmp_path: Path) -> None:
    assert 'id="table-settings"' not in page
    assert 'id="table-robustness"' not in page
    text = page_text(tmp_path)
    assert "several settings" not in text
    assert "sentences (accuracy)" not in text
