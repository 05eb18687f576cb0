"""Nothing pools over settings: each has the tables of a study of that setting alone."""

import zlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from alignscope.analysis.comparison import ComparedResults
from alignscope.analysis.results import StudyResults
from alignscope.config.setting import setting_label
from alignscope.results.specs import TABLES
from alignscope.results.store import ResultStore, RunResult
from tests.helpers.imagined import build, outcome, study_text

RATES = ("5e-5", "0.003")
SETTINGS = [setting_label(float(rate), 1e-3, 3, None) for rate in RATES]
CORRECTED = {"claims": ["p_holm", "verdict_holm"], "effects": ["p_holm"]}
"""Columns with Holm's correction, which counts the tests of all settings."""


def drawn_from_the_run(result: RunResult) -> RunResult:
    """Draw the result anew, so that it depends on nothing but the run."""
    run = result.run
    return outcome(run, np.random.default_rng(zlib.crc32(run.address.encode())))


def text_of(*rates: str) -> str:
    rate = rates[0] if len(rates) == 1 else f"[{', '.join(rates)}]"
    text = study_text().replace("learning_rate = 5e-5", f"learning_rate = {rate}")
    assert rate in text
    return text


def folder_of(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    """The results of two settings."""
    folder = tmp_path_factory.mktemp("both")
    return StudyResults.of(*build(folder, text_of(*RATES), drawn_from_the_run))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[StudyResults, ResultStore]]:
    """The results of a study of each setting."""
    found = {}
    for rate, setting in zip(RATES, SETTINGS, strict=True):
        study, store = build(tmp_path_factory.mktemp(rate), text_of(rate), drawn_from_the_run)
        found[setting] = StudyResults.of(study, store), store
    return found


@pytest.mark.parametrize("name", [name for name in TABLES if name != "robustness"])
def test_each_setting_has_the_table_of_its_own_study(
    name: str, both: StudyResults, alone: dict[str, tuple[StudyResults, ResultStore]]
) -> None:
    assert "setting" in TABLES[name].columns
    table = both.table(name).drop(CORRECTED.get(name, []))
    assert set(table["setting"]) <= {*SETTINGS}
    for setting, (results, _) in alone.items():
        expected = results.table(name).drop(CORRECTED.get(name, []))
        assert_frame_equal(table.filter(setting=setting), expected, check_exact=True)


def test_the_group_of_a_setting_has_its_rows(both: StudyResults) -> None:
    for setting in SETTINGS:
        group = both.group("embedded", "pos", "synthetic:vesti/news", setting)
        assert_frame_equal(group.effects, both.effects.filter(setting=setting))


def test_two_studies_in_one_store_are_two_settings(
    tmp_path: Path, both: StudyResults, alone: dict[str, tuple[StudyResults, ResultStore]]
) -> None:
    stores = [store for _, store in alone.values()]
    compared = ComparedResults(stores)
    for name in ("summary", "effects", "drift"):  # corrected over the same settings
        assert_frame_equal(
            compared.table(name).sort(pl.all()), both.table(name).sort(pl.all()), check_exact=True
        )
    assert compared.robustness["settings"].to_list() == both.robustness["settings"].to_list()


def test_encoders_in_different_settings_are_compared(tmp_path: Path) -> None:
    """Their settings differ, but neither encoder has two, so that none is named."""
    stores = []
    for rate, encoder in zip(RATES, ("a", "b"), strict=True):
        folder = folder_of(tmp_path / encoder)
        text = text_of(rate).replace('"embedded"', f'"{encoder}"')
        stores.append(build(folder, text, drawn_from_the_run)[1])
    compared = ComparedResults(stores)
    assert len(compared.effects.filter(on="targets")) == 2 * 3
    differ = "training.learning_rate of pos differs: 5e-05 for a, 0.003 for b."
    assert differ in compared.notes
