"""Every table of a study, from a store to the command line, in every format and without torch."""

import io
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from alignscope.cli import TableName, app
from alignscope.data.corpus import parse_corpus, relation_between
from alignscope.grid import Inspected, runs
from alignscope.store import Outcome, Store
from alignscope.study import Run, read_study
from alignscope.tables import CLAIMS, SCORES

STUDY = """
encoders = ["embedded"]
seeds = [1, 2, 3]
windows = ["0-1", "2-3", "4-5"]
[similarity]
corpora = [{names}]
[claims]
harmless = 0.2
[tasks.pos]
sources = ["synthetic:vesti/news"]
targets = [{names}]
domains = ["synthetic:vesti/chat"]
"""
LANGUAGES = ("vesti", "qadir", "ataru", "dorun", "hanbe", "lianu", "meruli")


def outcome(run: Run, draw: np.random.Generator) -> Outcome:
    """What such a run might give: the lowest window costs other languages 20 points."""
    scores, similarity = [], []
    for name in run.evaluated:
        relation = relation_between(parse_corpus(run.source), parse_corpus(name))
        cost = 0.2 if run.window == "0-1" and relation == "cross-lingual" else 0.0
        known = {"corpus": name, "language": parse_corpus(name).language, "relation": relation}
        about = {
            "split": "test",
            "metric": "accuracy",
            "majority": 0.2,
            "sentences": 9,
            "words": 90,
        }
        value = 0.8 - cost + 0.01 * draw.normal()
        scores.append({**known, **about, "score": value, "windowed": 0, "cut": 0, "unknown": 0})
    own, *others = (f"synthetic:{name}/news" for name in LANGUAGES)
    for state in ("fine-tuned", *(("pretrained", "drift") if run.window is None else ())):
        for target in others:
            for layer in range(3):
                about = {"split": "test", "unit": "sentence", "pooling": "mean", "n": 50}
                found = {"measure": "cka", "estimator": "debiased", "value": 0.9 - 0.1 * layer}
                ends = {"low": 0.1, "high": 0.95, "null_low": -0.01, "null_high": 0.01}
                pair = {"state": state, "corpus": target if state == "drift" else own}
                row = {**pair, **about, **found, **ends, "target": target, "layer": layer}
                row["value"] += 0.02 * draw.normal()
                similarity.append({**row, "after_norm": False})
    epochs = [{"epoch": 1, "loss": 0.1, "dev_score": 0.9, "steps": 5}]
    about = {"precision": "fp32", "encoder": {"resolved": None}, "seconds": 1.0}
    return Outcome(run, scores, epochs, about, similarity)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study and its results."""
    folder = tmp_path_factory.mktemp("study")
    names = ", ".join(f'"synthetic:{name}/news"' for name in LANGUAGES)
    (folder / "study.toml").write_text(STUDY.format(names=names))
    study = read_study(folder / "study.toml")
    planned = runs(study, lambda encoder: Inspected("embedded", 8))
    store, draw = Store(folder / "store"), np.random.default_rng(1)
    for run in planned:
        store.put(outcome(run, draw))
    store.put_plan(study, planned)
    return folder


def call(folder: Path, *arguments: str) -> str:
    where = [str(folder / "study.toml"), "--store", str(folder / "store")]
    ended = CliRunner().invoke(app, [*arguments, *where])
    assert ended.exit_code == 0, ended.output
    return ended.output


@pytest.mark.parametrize("name", [*TableName, "claims"])
def test_every_table_is_written_in_every_format(folder: Path, name: str) -> None:
    ask = partial(call, folder, *(["claims"] if name == "claims" else ["table", str(name)]))
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
