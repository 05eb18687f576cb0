"""The results of a study: every table, in Python and on the command line, in every format."""

import io
import subprocess
import sys
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from alignscope.analysis.genealogy import Lineage, lineage
from alignscope.analysis.results import PrimaryResults, ResultTables, StudyResults
from alignscope.api.results import load_results
from alignscope.cli.commands import app
from alignscope.config.study import read_study
from alignscope.errors import AlignScopeError, StudyError
from alignscope.results.schemas import CLAIMS, SCORES
from alignscope.results.specs import TABLES
from alignscope.results.store import ResultStore
from tests.helpers.imagined import LANGUAGES, build, study_text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study and its results."""
    folder = tmp_path_factory.mktemp("study")
    build(folder)
    return folder


@pytest.fixture(scope="module")
def results(folder: Path) -> StudyResults:
    """The results in that folder."""
    return StudyResults.of(read_study(folder / "study.toml"), ResultStore(folder / "store"))


def call(folder: Path, *arguments: str) -> str:
    where = [str(folder / "study.toml"), "--store", str(folder / "store")]
    result = CliRunner().invoke(app, [*arguments, *where])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_written_in_every_format(folder: Path, name: str) -> None:
    write = partial(call, folder, "table", name)
    markdown = write("--format", "md")
    assert len(markdown.splitlines()) > 2
    assert write("--format", "latex").count("\\\\") == len(markdown.splitlines()) - 1
    assert write("--format", "csv").count("\n") == len(markdown.splitlines()) - 1
    out = folder / f"{name}.parquet"
    write("--format", "parquet", "--out", str(out))
    assert len(pl.read_parquet(out)) == len(markdown.splitlines()) - 2


def test_the_planted_hypotheses_are_supported(folder: Path) -> None:
    table = pl.read_csv(io.StringIO(call(folder, "claims", "--format", "csv")), schema=CLAIMS)
    verdicts = dict(table.select("claim", "verdict").rows())
    assert verdicts["crucial"] == verdicts["harmless"] == verdicts["language"] == "supported"
    windows = dict(table.select("claim", "window").rows())
    assert (windows["crucial"], windows["harmless"]) == ("0-1", "4-5")
    assert table.filter(claim="harmless")["threshold"].item() == -0.2
    assert "2 [2, 2]" in call(folder, "table", "boundaries")


@pytest.mark.parametrize("command", [["table", "scores"], ["claims"], ["report"]])
def test_commands_read_a_file_of_genera_and_families(folder: Path, command: list[str]) -> None:
    genealogy = folder / "genealogy.csv"
    where = [str(folder / "study.toml"), "--store", str(folder / "store")]
    options = ["--genealogy", str(genealogy), "--out", str(folder / "out")]
    genealogy.write_text("language,genus,family\nvesti,g,f\n")
    assert CliRunner().invoke(app, [*command, *where, *options]).exit_code == 0
    genealogy.write_text("language,genus\nvesti,g\n")
    result = CliRunner().invoke(app, [*command, *where, *options])
    assert "needs the columns language, genus, family" in str(result.exception)


def test_results_know_lineages_from_a_file_and_from_the_table(folder: Path) -> None:
    genealogy = folder / "lineages.csv"
    genealogy.write_text("language,genus,family\nvesti,g,f\n")
    results = load_results(folder / "store", genealogy=genealogy)
    for shown in (results, PrimaryResults(results)):
        assert shown.lineage("vesti") == Lineage("g", "f")
        assert shown.lineage("qadir") == lineage("qadir")


def test_distances_can_come_from_a_file_of_features(folder: Path) -> None:
    features = folder / "features.csv"
    lines = [f"{name},{rank % 3},{rank}" for rank, name in enumerate(LANGUAGES)]
    features.write_text("\n".join(["language,order,cases", *lines]))
    with_features = call(folder, "table", "gaps", "--features", str(features))
    assert with_features != call(folder, "table", "gaps")
    assert call(folder, "table", "distances", "--features", str(features)).count("\n") == 3
    features.write_text("language,order\nvesti,1\n")
    where = [str(folder / "study.toml"), "--store", str(folder / "store")]
    result = CliRunner().invoke(app, ["table", "gaps", *where, "--features", str(features)])
    assert "has no features of" in str(result.exception)


@pytest.mark.parametrize(
    ("command", "absent"),
    [
        ("status", {"scipy", "matplotlib", "torch", "transformers"}),
        ("table runs", {"scipy", "matplotlib", "torch", "transformers"}),
        ("table scores", {"scipy", "matplotlib", "torch", "transformers"}),
        ("table effects", {"scipy.stats", "matplotlib", "torch", "transformers"}),
        ("claims", {"scipy.stats", "matplotlib", "torch", "transformers"}),
    ],
)
def test_commands_import_only_the_libraries_that_they_need(
    folder: Path, command: str, absent: set[str]
) -> None:
    arguments = ["alignscope", *command.split(), str(folder / "study.toml"), "--store",
                 str(folder / "store")]  # fmt: skip
    code = (
        f"import sys; sys.argv = {arguments!r}\n"
        "from alignscope.cli import main\n"
        "try: main()\nexcept SystemExit as end: assert not end.code\n"
        f"assert not {absent!r} & set(sys.modules), {absent!r} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_the_table_of_scores_has_a_row_per_run_and_corpus(folder: Path) -> None:
    table = pl.read_csv(
        io.StringIO(call(folder, "table", "scores", "--format", "csv")), schema=SCORES
    )
    assert len(table) == 12 * 8


def test_tables_are_listed_with_columns_types_and_meanings(results: StudyResults) -> None:
    listed = results.tables
    assert listed.columns == ["table", "column", "type", "meaning"]
    for name in TABLES:
        columns = listed.filter(table=name)
        table = results.table(name)
        assert columns["column"].to_list() == table.columns
        assert columns["type"].to_list() == [str(kind) for kind in table.dtypes]


def test_every_table_is_computed_once(results: StudyResults) -> None:
    for name in TABLES:
        assert getattr(results, name) is results.table(name)


def test_unknown_tables_are_refused(results: StudyResults) -> None:
    with pytest.raises(StudyError, match="did you mean 'effects'"):
        results.table("effect")
    with pytest.raises(StudyError, match="is now part of the table effects"):
        results.to_pandas("intervals")


def test_a_group_has_the_rows_of_one_encoder_task_and_source(tmp_path: Path) -> None:
    text = study_text().replace(
        'sources = ["synthetic:vesti/news"]',
        'sources = ["synthetic:vesti/news", "synthetic:qadir/news"]',
    )
    both = StudyResults.of(*build(tmp_path, text))
    group = both.group("embedded", "pos", "synthetic:qadir/news")
    for name in ("scores", "summary", "effects", "boundaries", "claims", "gaps", "drift", "runs"):
        table = getattr(group, name)
        assert set(table["source"]) == {"synthetic:qadir/news"}
        expected = both.table(name).filter(pl.col("source") == "synthetic:qadir/news")
        assert_frame_equal(table, expected)
    # p-values stay corrected for all sources of the study.
    effects = group.effects.filter(on="targets")
    assert (effects["p_holm"] > effects["p"]).all()
    with pytest.raises(StudyError, match="no table effect"):
        group.table("effect")


def test_to_pandas_needs_pandas(results: StudyResults, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    message = r"package pandas is not installed\..* results\.scores\."
    with pytest.raises(AlignScopeError, match=message):
        results.to_pandas("scores")


@pytest.mark.parametrize("name", TABLES)
def test_to_pandas_keeps_values_and_types(results: ResultTables, name: str) -> None:
    pandas = pytest.importorskip("pandas")
    frame, table = results.to_pandas(name), results.table(name)
    assert list(frame.columns) == table.columns
    for column in table:
        values = [None if pandas.isna(value) else value for value in frame[column.name]]
        assert values == column.to_list()
        if column.dtype == pl.Float64:
            assert frame[column.name].dtype == "float64"
        if column.dtype == pl.Int64:
            assert frame[column.name].dtype == ("Int64" if column.null_count() else "int64")
