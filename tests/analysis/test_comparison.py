"""Results of several stores: shared corpora, unique names and notes on differences."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alignscope.analysis.comparison import ComparedResults
from alignscope.config.run import EncoderSpec, RunSpec
from alignscope.config.study import read_study
from alignscope.errors import StoreError
from alignscope.report.page import Report
from alignscope.results.store import ResultStore, RunResult
from tests.helpers.imagined import build, study_text
from tests.helpers.tiny import call

DEFAULTS = "Hypotheses are judged by AlignScope's default thresholds."


def made(folder: Path, encoder: str, change: Any = lambda made: made, **text: str) -> ResultStore:
    folder.mkdir()
    content = study_text(f'"{encoder}"')
    for old, new in text.items():
        content = content.replace(old, new)
    return build(folder, content, change)[1]


def without(corpus: str) -> Any:
    def change(one: RunResult) -> RunResult:
        one.scores[:] = [row for row in one.scores if row["corpus"] != corpus]
        return one

    return change


def test_encoders_have_a_column_each(tmp_path: Path) -> None:
    stores = [made(tmp_path / name, name) for name in ("first", "second", "third")]
    found = ComparedResults(stores)
    assert found.notes == [DEFAULTS]
    report = Report("three", found)
    tables = {table.name: table for table in report.tables}
    for name in ("contrasts-by-encoder", "boundaries-by-encoder", "claims-by-encoder"):
        assert tables[name].display.columns[-3:] == ["first", "second", "third"]
    contrasts = tables["contrasts-by-encoder"]
    assert contrasts.display.height == 3
    for row in contrasts.data.iter_rows(named=True):
        cell = contrasts.display.filter(window=row["window"])[row["encoder"]].item()
        assert cell.split(" [")[0] == f"{100 * row['mean']:+z.1f}".replace("-", "−")
    page = report.html()
    assert 'id="encoders"' in page
    assert "All 36 runs are done." in page
    figure = next(f for key, f in report.figures.items() if key.startswith("contrasts/"))
    text = figure.inline()
    assert all(f"{name}, 0-1, seed 1:" in text for name in ("first", "second", "third"))
    assert set(re.findall(r"<b>(\w+) · POS tagging", page)) == {"first", "second", "third"}


def test_means_are_over_the_corpora_that_all_encoders_have(tmp_path: Path) -> None:
    lost = "synthetic:dorun/news"
    one, other = made(tmp_path / "a", "a"), made(tmp_path / "b", "b", without(lost))
    found = ComparedResults([one, other])
    assert lost not in set(found.scores["corpus"])
    assert found.scores["corpus"].n_unique() == 7
    whose = "pos from synthetic:vesti/news"
    assert found.notes == [
        f"Left out of {whose}, because not every encoder has them: {lost}.", DEFAULTS
    ]  # fmt: skip
    assert lost in Report("two", found, found.notes).html()


def test_differences_in_training_and_limits_are_noted(tmp_path: Path) -> None:
    text = {"learning_rate = 5e-5": "learning_rate = 1e-4\n[limits]\ntrain = 50"}
    stores = [made(tmp_path / "a", "a"), made(tmp_path / "b", "b", **text)]
    assert ComparedResults(stores).notes == [
        DEFAULTS,
        "training.learning_rate of pos differs: 5e-05 for a, 0.0001 for b.",
        "limits.train of pos differs: none for a, 50 for b.",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[1, 2, 3]", "[1, 2]", "the seed of pos differs: 1/2/3 for a, 1/2 for b"),
        ('"4-5"]', '"6-7"]', "the window of pos differs: 0-1/2-3/4-5 for a, 0-1/2-3/6-7"),
        ("[claims]", "limit = 40\n[claims]", "similarity.limit of pos differs: None for a"),
    ],
)  # fmt: skip
def test_every_difference_is_noted(old: str, new: str, told: str, tmp_path: Path) -> None:
    stores = [made(tmp_path / "a", "a"), made(tmp_path / "b", "b", **{old: new})]
    assert any(note.startswith(told) for note in ComparedResults(stores).notes)


def test_differences_in_data_and_precision_are_noted(tmp_path: Path) -> None:
    def other(one: RunResult) -> RunResult:
        data = dict.fromkeys(one.provenance["data"], "1" * 64)
        return replace(one, provenance={**one.provenance, "data": data, "precision": "bf16"})

    notes = ComparedResults([made(tmp_path / "a", "a"), made(tmp_path / "b", "b", other)]).notes
    assert "the precision of pos differs: fp32 for a, bf16 for b." in notes
    assert sum(note.startswith("the file of synthetic:") for note in notes) == 8


def test_similarity_is_restricted_to_shared_pairs(tmp_path: Path) -> None:
    def fewer(one: RunResult) -> RunResult:
        kept = [row for row in one.similarity if "dorun" not in row["target"]]
        return replace(one, similarity=kept)

    found = ComparedResults([made(tmp_path / "a", "a"), made(tmp_path / "b", "b", fewer)])
    assert "synthetic:dorun/news" not in set(found.similarity["target"])
    assert found.similarity["target"].n_unique() == 5
    assert any(note.startswith("Similarities of corpora") for note in found.notes)


def test_a_named_study_sets_the_thresholds(tmp_path: Path) -> None:
    stores = [made(tmp_path / name, name) for name in ("a", "b")]
    study = read_study(tmp_path / "a" / "study.toml").model_copy(update={"encoders": ()})
    assert ComparedResults(stores, study).thresholds.harmless == 0.2
    assert ComparedResults(stores).thresholds.harmless == 0.015
    assert DEFAULTS not in ComparedResults(stores, study).notes


def test_each_initialisation_has_its_own_verdict_and_figure(tmp_path: Path) -> None:
    def milder(one: RunResult) -> RunResult:
        if one.run.init == "torch-default":
            for row in one.scores:
                row["score"] = 0.8 + 0.001 * one.run.seed
        return one

    both = {"seeds": 'init = ["config", "torch-default"]\nseeds'}
    stores = [made(tmp_path / name, name, milder, **both) for name in ("a", "b")]
    report = Report("two", ComparedResults(stores))
    (table,) = (table for table in report.tables if table.name == "claims-by-encoder")
    crucial = dict(table.display.filter(claim="crucial").select("init", "a").rows())
    assert re.match(r"supported: −(19|20)\.\d", crucial["config"])
    assert crucial["torch-default"].startswith("contradicted: ")
    for section in report.sections:
        titles = [figure.title for figure in section.figures]
        assert len(set(titles)) == len(titles), section.title
    assert "a · POS tagging · vesti/news · torch-default" in report.html()
    assert "0-1 (config)" in report.html()


def test_two_encoders_of_one_name_get_the_name_of_their_store(tmp_path: Path) -> None:
    one = made(tmp_path / "a", "enc")
    (tmp_path / "b").mkdir()
    other = build(tmp_path / "b", study_text('"enc"'))[1]
    for path in [*(other.folder / "runs").iterdir(), *(other.folder / "plans").iterdir()]:
        path.write_text(path.read_text().replace("sha256:enc", "sha256:new"))
    for path in list((other.folder / "runs").iterdir()):
        run = RunSpec.model_validate(json.loads(path.read_text())["run"])
        path.rename(path.with_name(f"{run.address}.json"))
    (other.folder).rename(tmp_path / "b" / "later")
    found = ComparedResults([one, ResultStore(tmp_path / "b" / "later")])
    assert set(found.scores["encoder"]) == {"enc (store)", "enc (later)"}
    assert {run.encoder.short_name for run in found.planned} == {"enc (store)", "enc (later)"}


@pytest.mark.parametrize("names", [("a/b", "a-b"), ("_x", "a$\\frac$b"), ("task", "window")])
def test_names_with_special_characters(names: tuple[str, str], tmp_path: Path) -> None:
    stores = [made(tmp_path / str(i), name.replace("\\", "\\\\")) for i, name in enumerate(names)]
    report = Report("two", ComparedResults(stores))
    files = [figure.name for figure in report.figures.values()]
    assert len(set(files)) == len(files)
    page = report.html()
    short = [EncoderSpec(name=name).short_name for name in names]
    for name in short:
        assert f">{name}<" in page or f"> {name}<" in page or f"encoder {name}" in page
    contrast = next(f for key, f in report.figures.items() if key.startswith("contrasts/"))
    for name in short:
        assert f"> {name}</text>" in contrast.inline()


def test_one_run_in_two_stores_counts_once(tmp_path: Path) -> None:
    stores = [made(tmp_path / name, "enc") for name in ("a", "b")]
    (stores[0].folder / "runs").rename(tmp_path / "gone")
    found = ComparedResults(stores)
    assert len(found.planned) == len(found.outcomes) == 12


def test_two_configurations_of_a_run_are_refused_unless_a_study_is_named(tmp_path: Path) -> None:
    store = made(tmp_path / "a", "enc")
    text = study_text('"enc"').replace("[training]", "[training]\nwarmup = 0.2")
    (tmp_path / "b").mkdir()
    study, other = build(tmp_path / "b", text)
    for kind in ("runs", "plans"):
        for path in (other.folder / kind).iterdir():
            path.rename(store.folder / kind / path.name)
    with pytest.raises(
        StoreError, match=r"two configurations of .* Name the study to compare with --study\."
    ):
        ComparedResults([store])
    found = ComparedResults([store], study)
    assert {run.training.warmup for run in found.planned} == {0.2}
    assert len(found.outcomes) == 12


def test_the_command_writes_a_page(tmp_path: Path) -> None:
    stores = [str(made(tmp_path / name, name).folder) for name in ("a", "b")]
    out = tmp_path / "compare.html"
    answer = call("compare", *stores, "--out", str(out))
    assert answer.code == 0, answer.err
    assert answer.out == f"All 24 runs are done. Written: {out}\n"
    study = str(tmp_path / "a" / "study.toml")
    assert call("compare", *stores, "--out", str(out), "--study", study).code == 0
    answer = call("compare", str(tmp_path / "none"))
    assert answer.code == 2
    assert "none has no results: no study was run on it" in answer.err
