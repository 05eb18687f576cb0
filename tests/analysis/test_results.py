"""Every table of a study, from a store to the command line, in every format and without torch."""

import io
import subprocess
import sys
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from alignscope.cli.commands import app
from alignscope.results.schemas import CLAIMS, SCORES
from alignscope.results.specs import TABLES
from tests.helpers.imagined import LANGUAGES, build


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study and its results."""
    folder = tmp_path_factory.mktemp("study")
    build(folder)
    return folder


def call(folder: Path, *arguments: str) -> str:
    where = [str(folder / "study.toml"), "--store", str(folder / "store")]
    ended = CliRunner().invoke(app, [*arguments, *where])
    assert ended.exit_code == 0, ended.output
    return ended.output


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_written_in_every_format(folder: Path, name: str) -> None:
    ask = partial(call, folder, "table", name)
    markdown = ask("--format", "md")
    assert len(markdown.splitlines()) > 2
    assert ask("--format", "latex").count("\\\\") == len(markdown.splitlines()) - 1
    assert ask("--format", "csv").count("\n") == len(markdown.splitlines()) - 1
    out = folder / f"{name}.parquet"
    ask("--format", "parquet", "--out", str(out))
    assert len(pl.read_parquet(out)) == len(markdown.splitlines()) - 2


def test_what_was_planted_is_claimed(folder: Path) -> None:
    table = pl.read_csv(io.StringIO(call(folder, "claims", "--format", "csv")), schema=CLAIMS)
    verdicts = dict(table.select("claim", "verdict").rows())
    assert verdicts["crucial"] == verdicts["harmless"] == verdicts["stable"] == "supported"
    assert verdicts["language"] == "undecided"  # one domain tells nothing of others
    windows = dict(table.select("claim", "window").rows())
    assert (windows["crucial"], windows["harmless"], windows["stable"]) == ("0-1", "4-5", None)
    assert table.filter(claim="harmless")["threshold"].item() == -0.2
    assert "2 [2, 2]" in call(folder, "table", "boundaries")


def test_other_languages_take_a_file_of_features(folder: Path) -> None:
    features = folder / "features.csv"
    lines = [f"{name},{rank % 3},{rank}" for rank, name in enumerate(LANGUAGES)]
    features.write_text("\n".join(["language,order,cases", *lines]))
    own = call(folder, "table", "gaps", "--features", str(features))
    assert own != call(folder, "table", "gaps")
    assert call(folder, "table", "distances", "--features", str(features)).count("\n") == 3
    features.write_text("language,order\nvesti,1\n")
    where = [str(folder / "study.toml"), "--store", str(folder / "store")]
    ended = CliRunner().invoke(app, ["table", "gaps", *where, "--features", str(features)])
    assert "says nothing of" in str(ended.exception)


def test_no_table_needs_torch(folder: Path) -> None:
    code = (
        "import sys; from alignscope.cli import app\n"
        f"sys.argv = ['alignscope', 'claims', {str(folder / 'study.toml')!r}, '--store', "
        f"{str(folder / 'store')!r}]\n"
        "try: app()\nexcept SystemExit as ended: assert not ended.code\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_the_scores_behind_it_are_those_of_the_store(folder: Path) -> None:
    table = pl.read_csv(
        io.StringIO(call(folder, "table", "scores", "--format", "csv")), schema=SCORES
    )
    assert len(table) == 12 * 8
