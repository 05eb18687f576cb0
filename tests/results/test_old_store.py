"""A store made by an earlier version, which every later version must read.

``fixtures`` holds two studies, the store that commit ba8c52a made of them (twelve runs that are
done, one that failed, and the lock file of a process that was killed), and the tables that the same
commit computed from the store. None of these files may be made anew.
"""

import csv
import shutil
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal, assert_series_equal

from alignscope.results.columns import ADDED_ESTIMATES
from alignscope.results.schemas import schema_of
from alignscope.results.specs import TABLES
from tests.helpers.tiny import call

FIXTURES = Path(__file__).parent / "fixtures"
WINDOW = ["encoder", "task", "metric", "source", "init", "window"]
ADDED = (
    "setting",
    "domain",
    "noise_mean",
    "noise_low",
    "noise_high",
    "gap",
    "families",
    *(f"phylo{part}" for part in ("", "_low", "_high", "_p", "_p_holm")),
)
"""Columns that the earlier version did not have."""
ON = {"source": "source", "targets": "targets", "contrast": "targets − source"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the studies and their store."""
    shutil.copytree(FIXTURES, tmp_path / "old")
    return tmp_path / "old"


def old_table(name: str) -> pl.DataFrame:
    """Return a table as the earlier version wrote it, by its name there."""
    schema = {"effects": "summary", "intervals": "effects", "failed-runs": "runs"}
    path = FIXTURES / "tables" / f"{name}.csv"
    if name == "contrasts":
        return pl.read_csv(path)
    known = schema_of(TABLES[schema.get(name, name)].columns)
    header = path.read_text(encoding="utf-8").partition("\n")[0].split(",")
    return pl.read_csv(path, schema={column: known[column] for column in header})


def new_table(folder: Path, name: str, study: str = "study.toml") -> pl.DataFrame:
    """Return a table as this version writes it."""
    out = folder / f"{name}.csv"
    answer = call("table", name, folder / study, "--store", folder / "store",
                  "--format", "csv", "--out", out)  # fmt: skip
    assert answer.code == 0, answer.err
    return pl.read_csv(out, schema=schema_of(TABLES[name].columns))


def cells(path: Path) -> dict[str, list[str]]:
    """Return the cells of a CSV file by column, as they are written."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [*csv.reader(file)]
    return {name: [*column] for name, *column in zip(*rows, strict=True)}


def assert_same(new: pl.DataFrame, old: pl.DataFrame) -> None:
    """Compare tables; sums may differ in their last bits on another processor."""
    assert len(old) > 0
    assert set(new.columns) - set(old.columns) <= {*ADDED}
    assert_frame_equal(new.select(old.columns), old, rel_tol=1e-10, abs_tol=1e-13)


@pytest.mark.parametrize("name", ["scores", "runs"])
def test_measured_tables_are_read_bit_for_bit(folder: Path, name: str) -> None:
    new_table(folder, name)
    old = cells(FIXTURES / "tables" / f"{name}.csv")
    new = cells(folder / f"{name}.csv")
    added = {name: columns.pop(name) for name in ADDED if name in (columns := new)}
    assert new == old
    assert {*added["setting"]} == {"lr 0.0005, head lr 0.001, 2 epochs, 100 sentences"}
    if name == "scores":
        assert [*added["domain"]] == [corpus.split("/")[1] for corpus in old["corpus"]]


def test_similarity_is_read_and_lacks_only_what_was_added(folder: Path) -> None:
    """The study does not say how text is read, and its results are of an earlier version."""
    new, old = new_table(folder, "similarity"), old_table("similarity")
    assert_same(new.select(old.columns), old)
    assert set(new.columns) - set(old.columns) >= {"documents", "without_length", "peak"}
    assert new.select(*ADDED_ESTIMATES).null_count().row(0) == (len(new),) * len(ADDED_ESTIMATES)


@pytest.mark.parametrize(
    ("name", "old"),
    [
        *((name, name) for name in ("distances", "gaps", "drift")),
        ("summary", "effects"),
    ],
)
def test_computed_tables_are_the_same(folder: Path, name: str, old: str) -> None:
    assert_same(new_table(folder, name), old_table(old))


def test_effects_on_these_languages_are_the_old_means(folder: Path) -> None:
    """Intervals are those of another method; every corpus has a language of its own here."""
    effects = new_table(folder, "effects").filter(pl.col("source") != "all")
    old = old_table("intervals")
    keys = [*WINDOW, "on"]
    joined = old.join(effects, on=keys, how="left", suffix="_new", validate="1:1")
    assert_series_equal(joined["fixed"], joined["mean"], check_names=False, rel_tol=1e-10)
    assert joined["seeds_new"].to_list() == joined["seeds"].to_list()


def test_means_over_sources_are_the_old_contrasts(folder: Path) -> None:
    effects = new_table(folder, "effects")
    old = old_table("contrasts")
    assert set(old["source"]) == {"all", "synthetic:vesti/news", "synthetic:zoravi/news"}
    for part, on in ON.items():
        of_part = effects.filter(on=on).select(*WINDOW, "seeds", "fixed")
        expected = old.select(*WINDOW, "seeds", f"{part}_mean").rename({f"{part}_mean": "fixed"})
        assert_same(of_part, expected)
    of_all = effects.filter(source="all")
    assert set(of_all["on"]) == {*ON.values(), "targets − source, same domain"}
    assert of_all.select("corpora", "low", "high", "p", "p_holm").null_count().row(0) == (8,) * 5


def test_old_results_have_verdicts(folder: Path) -> None:
    old, new = old_table("claims"), new_table(folder, "claims")
    about_windows = old.filter(pl.col("window").is_not_null())
    keys = [*WINDOW, "claim"]
    assert (
        about_windows.select(keys).rows()
        == new.filter(pl.col("window").is_not_null()).select(keys).rows()
    )


def test_epochs_were_not_scored(folder: Path) -> None:
    epochs = new_table(folder, "epochs")
    assert len(epochs) == 12 * epochs["epoch"].n_unique() > 12
    assert epochs["loss"].null_count() == 0
    for name in ("corpus", "relation", "score"):
        assert epochs[name].null_count() == len(epochs)


def test_changes_of_blocks_were_not_measured(folder: Path) -> None:
    answer = call("table", "changes", folder / "study.toml", "--store", folder / "store")
    assert answer.code == 2
    assert answer.err.startswith("error: No run of this study has measured changes of blocks.")


def test_a_failure_is_read(folder: Path) -> None:
    assert_same(new_table(folder, "runs", "diverging.toml"), old_table("failed-runs"))


def test_run_finds_nothing_to_do(folder: Path) -> None:
    """Addresses are unchanged, and the lock file of a killed process does not matter."""
    store, study = folder / "store", folder / "study.toml"
    content = study.read_text(encoding="utf-8")
    reading = content.replace("[similarity]", '[similarity]\ntext = "words"')
    study.write_text(reading, encoding="utf-8")
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    assert len(before) == 16
    answer = call("run", folder / "study.toml", "--store", store, "--offline")
    assert answer.code == 0, answer.err
    assert {path: path.read_bytes() for path in store.rglob("*") if path.is_file()} == before


def test_the_report_is_written(folder: Path) -> None:
    out = folder / "report.html"
    answer = call("report", folder / "study.toml", "--store", folder / "store", "--out", out)
    assert answer.code == 0, answer.err
    assert "synthetic:zoravi/news" in out.read_text(encoding="utf-8")
