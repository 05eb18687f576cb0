"""The demo: the bundled study is run once and shown every time."""

import csv
import io
import re
import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from alignscope.cli import demo
from alignscope.cli.demo import demo_study, perform_demo
from alignscope.config.grid import EncoderInfo, expand
from alignscope.config.run import RunSpec, SplitLimits, TrainingConfig
from alignscope.config.study import Study
from alignscope.data.corpus import parse_corpus, relation_between
from alignscope.data.synthetic.language import languages
from alignscope.encoders import resolve as names
from alignscope.experiments.executors import SerialExecutor
from alignscope.results.schemas import SUMMARY
from tests.helpers.tiny import call


def unfolded(study: Study) -> list[RunSpec]:
    return expand(study, lambda encoder: EncoderInfo("sha256:1", 8))


def evaluated(run: RunSpec) -> dict[str, list[str]]:
    """The corpora a run is evaluated on, by how far they are from its source."""
    found: dict[str, list[str]] = {}
    for name in run.evaluated:
        relation = relation_between(parse_corpus(run.source), parse_corpus(name), run.task)
        found.setdefault(relation, []).append(name)
    return found


# The study


def test_the_packaged_study() -> None:
    study = demo_study()
    assert [encoder.name for encoder in study.encoders] == ["embedded"]
    assert list(study.tasks) == ["pos", "parsing"]
    planned = unfolded(study)
    assert len(planned) == 2 * (1 + 4 + 1) * 3
    controls = [run for run in planned if run.init == "matched"]
    assert {run.window for run in controls} == {"0-1"}
    assert len(controls) == 2 * 3
    others = [f"synthetic:{name}/news" for name in languages() if name != "vesti"]
    for run in planned:
        assert evaluated(run) == {
            "in-domain": ["synthetic:vesti/news"],
            "cross-lingual": others,
            "cross-domain": ["synthetic:vesti/chat", "synthetic:vesti/manual"],
        }


def test_all_sources_are_evaluated_on_all_other_languages() -> None:
    planned = unfolded(demo_study(all_sources=True))
    assert {run.source for run in planned} == {
        f"synthetic:{name}/news" for name in ("vesti", "zoravi", "qadir")
    }
    assert len(planned) == 3 * 36
    for run in planned:
        own = parse_corpus(run.source).language
        assert evaluated(run)["in-domain"] == [run.source]
        assert {parse_corpus(name).language for name in evaluated(run)["cross-lingual"]} == {
            name for name in languages() if name != own
        }
        assert evaluated(run)["cross-domain"] == [
            f"synthetic:{own}/chat", f"synthetic:{own}/manual"
        ]  # fmt: skip


def test_all_sources_keep_the_runs_of_the_first() -> None:
    few = {run.address for run in unfolded(demo_study())}
    many = {run.address for run in unfolded(demo_study(all_sources=True))}
    assert few < many


def test_seeds() -> None:
    assert demo_study(seeds=2).seeds == (1, 2)
    assert demo_study().seeds == (1, 2, 3)


# What it does, with a tiny encoder and few sentences


def tiny_study(*, all_sources: bool = False, seeds: int | None = None) -> Study:
    study = demo_study(all_sources=all_sources, seeds=seeds or 1)
    tasks = {
        task: grid.model_copy(update={"targets": grid.targets[:1], "domains": grid.domains[:1]})
        for task, grid in study.tasks.items()
    }
    assert study.similarity is not None
    few_layers = study.similarity.model_copy(update={"layers": "0,2,4"})  # of four blocks
    return study.model_copy(
        update={
            "similarity": few_layers,
            "windows": ("0-1",),
            "training": TrainingConfig(epochs=1, learning_rate=1e-3),
            "limits": SplitLimits(train=8, dev=4, test=4),
            "tasks": tasks,
        }
    )


@pytest.fixture
def stage(
    tmp_path: Path, encoder_folders: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """An empty working directory, and a demo that takes a second."""
    monkeypatch.setattr(names, "embedded_folder", lambda: encoder_folders("bert"))
    monkeypatch.setattr(demo, "demo_study", tiny_study)
    monkeypatch.setattr(demo, "ProcessExecutor", lambda workers: SerialExecutor())
    monkeypatch.setenv("ALIGNSCOPE_DATA", str(tmp_path / "a folder that is not there"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def kept(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder / "results/runs").iterdir()}


def test_the_demo_from_nothing_to_its_tables_and_again(stage: Path) -> None:
    answer = call("demo")
    assert answer.code == 0, answer.err
    out = stage / "alignscope-demo"
    assert answer.err.count("\n[") == 6
    assert answer.out.startswith("A multilingual encoder was fine-tuned on one language")
    assert re.findall(r"^\| (\w+) +\| (\w+) +\| \S+ \| (\S+(?: 0-1)?) ", answer.out, re.M) == [
        ("parsing", "las", "REF"), ("parsing", "las", "Δ 0-1"), ("parsing", "las", "Δ 0-1"),
        ("pos", "accuracy", "REF"), ("pos", "accuracy", "Δ 0-1"), ("pos", "accuracy", "Δ 0-1"),
    ]  # fmt: skip
    where = [
        "report.html", "summary.md", "summary.csv", "effects.csv", "scores.csv", "runs.csv"
    ]  # fmt: skip
    told = ", ".join(f"alignscope-demo/{name}" for name in where)
    assert answer.out.endswith(f"\nWritten: {told}\n")
    assert {path.name for path in out.iterdir()} == {"results", "cache", *where}
    assert {path.name for path in stage.iterdir()} <= {"alignscope-demo", "data"}
    summary = pl.read_csv(out / "summary.csv", schema=SUMMARY)
    assert set(summary["metric"]) == {"accuracy", "las", "uas"}
    assert summary["domains_mean"].null_count() == 0
    rows = list(csv.DictReader(io.StringIO((out / "runs.csv").read_text())))
    assert [row["status"] for row in rows] == ["done"] * 6
    assert {row["encoder"] for row in rows} == {"embedded"}

    before, tables = kept(out), {name: (out / name).read_bytes() for name in where}
    again = call("demo")
    assert (again.code, again.out) == (0, answer.out)
    assert again.err.count("\n[") == 0
    assert "6 runs, 6 done, 0 pending\n" in again.err
    assert kept(out) == before
    assert {name: (out / name).read_bytes() for name in where} == tables


def test_an_interrupted_demo_resumes(stage: Path) -> None:
    assert call("demo", "--out", "here").code == 0
    lost = sorted((stage / "here/results/runs").iterdir())[:2]
    for path in lost:
        path.unlink()
    before = kept(stage / "here")
    answer = call("demo", "--out", "here", "--seeds", "1")
    assert "6 runs, 4 done, 2 pending\n" in answer.err
    assert before.items() <= kept(stage / "here").items()


@pytest.mark.usefixtures("stage")
def test_the_report_is_opened(monkeypatch: pytest.MonkeyPatch, stage: Path) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    one = tiny_study()
    one = one.model_copy(update={"tasks": {"pos": one.tasks["pos"]}, "windows": ("none",)})
    monkeypatch.setattr(demo, "demo_study", lambda **_: one)
    assert call("demo").code == 0
    assert not opened
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    answer = call("demo", "--open")
    assert answer.code == 0
    assert "No display found. Open alignscope-demo/report.html yourself." in answer.err
    assert not opened
    monkeypatch.setenv("DISPLAY", ":0")
    assert call("demo", "--open").code == 0
    assert opened == [(stage / "alignscope-demo/report.html").as_uri()]


def test_more_sources(stage: Path) -> None:
    chosen = tiny_study(all_sources=True)
    pos = chosen.model_copy(
        update={"tasks": {"pos": chosen.tasks["pos"]}, "windows": ("none",), "controls": None}
    )
    shown = perform_demo(pos, stage / "more", workers=1)
    assert shown.swept.done == 3
    assert set(shown.summary["source"]) == set(pos.tasks["pos"].sources)


@pytest.mark.usefixtures("stage")
@pytest.mark.parametrize("arguments", [("--seeds", "0"), ("--workers", "0"), ("--out", "file")])
def test_invalid_arguments(arguments: tuple[str, ...], stage: Path) -> None:
    (stage / "file").write_text("")
    answer = call("demo", *arguments)
    assert answer.code == 2
    assert "Traceback" not in answer.err


def test_an_installation_without_the_encoder(stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "embedded_folder", lambda: stage / "nothing")
    answer = call("demo")
    assert answer.code == 2
    assert "error: This installation of AlignScope has no embedded encoder" in answer.err
    assert not (stage / "alignscope-demo").exists()
