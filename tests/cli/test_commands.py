"""The commands about studies: start-up, output, and exit codes."""

import csv
import io
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer.main
from polars.testing import assert_frame_equal

from alignscope.analysis.summary import summary_table
from alignscope.cli import commands as cli
from alignscope.results.schemas import RUNS, SCORES, SUMMARY
from alignscope.tasks import TASKS, register_task
from alignscope.tasks.pos import PosTagging
from alignscope.training.pretraining.config import PretrainingConfig
from tests.helpers import tiny
from tests.helpers.tiny import GRID, THREE_TASKS, Workshop, call

COMMANDS = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]


def imported(*arguments: str | Path) -> set[str]:
    """The top-level modules that are loaded once a command has ended well."""
    code = f"""
import sys
from alignscope.cli import main
sys.argv = ["alignscope", *{[str(argument) for argument in arguments]!r}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("\\n" + " ".join({{name.partition(".")[0] for name in sys.modules}}))
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return set(ended.stdout.splitlines()[-1].split())


HEAVY = {"torch", "transformers", "tokenizers", "numpy", "polars", "scipy", "rich"}


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"]])
def test_help_and_version_import_nothing_heavy(arguments: list[str]) -> None:
    assert not imported(*arguments) & HEAVY


def test_version() -> None:
    answer = call("--version")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == f"alignscope {metadata.version('alignscope')}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_ALIGNSCOPE_COMPLETE", f"complete_{shell}")
    monkeypatch.setenv("COMP_WORDS", "alignscope pl")
    monkeypatch.setenv("COMP_CWORD", "1")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "alignscope pl")
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    assert "plan" in call().out


# Options of a model


def test_pretrain_has_an_option_for_every_field_of_its_model() -> None:
    options = {parameter.name: parameter for parameter in COMMANDS["pretrain"].params}
    for name, field in PretrainingConfig.model_fields.items():
        assert options[name].default == field.default
        assert options[name].help == f"{field.description[:1].upper()}{field.description[1:]}."  # type: ignore[index]


def test_pretrain_accepts_the_old_names_of_options(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    configs: list[PretrainingConfig] = []

    def note(lines: object, out: object, config: PretrainingConfig, **options: object) -> None:
        configs.append(config)

    monkeypatch.setattr("alignscope.training.pretraining.pretrain.pretrain", note)
    text = tmp_path / "text.txt"
    text.write_text("a dog barks\n", encoding="utf-8")
    arguments = ("pretrain", "--corpora", text, "--out", tmp_path / "out", "--whole-words")
    assert call(*arguments, "--batch-pieces", "64", "--max-pieces", "9").code == 0
    assert call(*arguments, "--tokens-per-batch", "64", "--max-length", "9").code == 0
    expected = PretrainingConfig(tokens_per_batch=64, max_length=9, whole_words=True)
    assert configs == [expected, expected]


def test_pretrain_refuses_what_its_model_refuses(tmp_path: Path) -> None:
    arguments = ("pretrain", "--corpora", "x", "--out", tmp_path / "out")
    assert call(*arguments, "--blocks", "0").code == 2
    assert call(*arguments, "--masked", "1").code == 2
    answer = call(*arguments, "--hidden", "30")
    assert (answer.code, answer.err) == (
        2,
        "error: options: hidden 30 is not a multiple of 4 attention heads.\n",
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name: str) -> None:
    command = COMMANDS[name]
    assert re.fullmatch(r"[A-Z].*\.", command.help, re.DOTALL)
    for parameter in command.params:
        if parameter.name != "help":
            assert getattr(parameter, "help", None), f"{name} {parameter.name}"
    answer = call(name, "--help")
    assert (answer.code, answer.err) == (0, "")
    assert command.help.split("\n")[0].split(";")[0][:40] in answer.out


def test_help_names_every_command() -> None:
    answer = call("--help")
    assert answer.code == 0
    for name in COMMANDS:
        assert re.search(rf"^  {name} ", answer.out, re.MULTILINE)


def test_without_arguments_help_is_shown() -> None:
    answer = call()
    assert "Find the blocks of a multilingual encoder" in answer.out + answer.err


@pytest.mark.parametrize("arguments", [["fly"], ["run"], ["table", "sores", "x"], ["run", "--no"]])
def test_usage_errors_exit_with_code_2(arguments: list[str]) -> None:
    assert call(*arguments).code == 2


# Plan


def test_plan_counts(workshop: Workshop) -> None:
    where = ("--store", workshop.store, "--encoder", workshop.encoder)
    answer = call("plan", workshop.study, *where)
    assert (answer.code, answer.err) == (0, "")
    assert "tiny: 6 runs with 18 evaluations; 0 done, 6 pending\n" in answer.out
    assert "\nNo cost estimate: ud:en_tiny was not found" in answer.out
    assert re.search(
        r"\| pos +\| ud:en_tiny \| REF, 0-1, 2-3 \| 2 +\| 6 +\| 0 +\| 3 corpora +\|", answer.out
    )
    assert not workshop.store.exists()


def test_plan_says_which_corpus_separates_language_and_domain(workshop: Workshop) -> None:
    workshop.write(GRID.replace("ud:de_tiny", "ud:de_pud").replace("[1, 2]", "[1]"))
    note = (
        "Note: pos: The targets are in the domain pud, but no corpus of English is. Add ud:en_pud "
        "to the domains, or language and domain cannot be separated."
    )
    where = ("--store", workshop.store, "--encoder", workshop.encoder, "--no-price")
    assert call("plan", workshop.study, *where).out.splitlines()[-1] == note
    assert "ud:de_pud was not found" in workshop.run().err


def test_supervised_corpora_are_run_and_shown_as_ceiling(workshop: Workshop) -> None:
    text = GRID.replace("tiles:2", "none").replace("[1, 2]", "[1]")
    workshop.write(text + 'supervised = ["ud:de_tiny"]\n')
    where = ("--store", workshop.store, "--encoder", workshop.encoder, "--no-price")
    assert "ud:de_tiny (supervised)" in call("plan", workshop.study, *where).out
    answer = workshop.run()
    assert answer.code == 0, answer.err
    (row,) = csv.DictReader(io.StringIO(workshop.table("transfer")))
    assert (row["target"], row["supervised"]) == ("ud:de_tiny", "ud:de_tiny")
    difference = float(row["supervised_score"]) - float(row["score"])
    assert float(row["supervised_gap"]) == pytest.approx(difference)
    assert {row["source"] for row in csv.DictReader(io.StringIO(workshop.table("scores")))} == {
        "ud:en_tiny"
    }


def test_plan_estimates_the_cost_of_pending_runs(workshop: Workshop) -> None:
    where = ("--store", workshop.store, "--encoder", workshop.encoder, "--data", workshop.data)
    answer = call("plan", workshop.study, *where)
    assert answer.code == 0, answer.err
    row = r"\| pos +\| ud:en_tiny \| 6 +\| 3 +\| \d+ s +\| \d+(\.\d)? [KM]iB +\|"
    assert re.search(row, answer.out)
    estimate = r"\nEstimated from a few training steps on \d+ CPU cores?: \d+ s, "
    assert re.search(estimate + r"\S+ [KM]iB of memory, \S+ KiB of disk\.\n$", answer.out)
    assert not workshop.store.exists()
    alone = call("plan", workshop.study, *where, "--lockstep", "1", "--workers", "2")
    assert re.search(r"\| ud:en_tiny \| 6 +\| 1 ", alone.out)
    assert " with 2 processes, " in alone.out
    assert "Estimated" not in call("plan", workshop.study, *where, "--no-price").out
    assert workshop.run().code == 0
    assert "stimate" not in call("plan", workshop.study, *where).out
    kept = sum(path.stat().st_size for path in workshop.store.rglob("runs/*.json"))
    disk = float(re.search(r"(\S+) KiB of disk", answer.out)[1]) * 2**10  # type: ignore[index]
    assert 0.5 * kept < disk < 4 * kept  # a corpus without a limit counts as 1,000 sentences


def test_plan_explains_why_there_is_no_estimate(workshop: Workshop) -> None:
    workshop.write(GRID.replace("tiles:2", "0-1"))
    there = ("--store", workshop.store, "--data", workshop.data)
    far = call("plan", workshop.study, *there, "--encoder", "someone/else")
    assert far.code == 0
    reason = "someone/else is on the hub. --price downloads it."
    assert far.out.endswith(f"\nNo cost estimate: {reason}\n")
    own = ("--encoder", workshop.encoder)
    asked = call("plan", workshop.study, "--store", workshop.store, *own, "--price")
    assert asked.code == 2
    assert asked.err.startswith("error: ud:en_tiny was not found")


def test_plan_after_some_were_done(workshop: Workshop) -> None:
    workshop.write(GRID.replace("[1, 2]", "[1]"))
    assert workshop.run().code == 0
    workshop.write(GRID)
    where = ("--store", workshop.store, "--encoder", workshop.encoder)
    assert "6 runs with 18 evaluations; 3 done, 3 pending" in call(
        "plan", workshop.study, *where
    ).out  # fmt: skip


def test_plan_of_several_encoders_and_init_modes(workshop: Workshop) -> None:
    workshop.write('init = ["config", "torch-default"]\n' + THREE_TASKS)
    copy = workshop.folder / "copy"
    copy.mkdir()
    for path in workshop.encoder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    (copy / "tokenizer_config.json").write_text("{}")
    encoders = ("--encoder", workshop.encoder, "--encoder", copy)
    answer = call("plan", workshop.study, "--store", workshop.store, *encoders)
    assert "three: 18 runs with 36 evaluations; 0 done, 18 pending" in answer.out
    assert answer.out.count("REF, 0-1, 0-1 (torch-default)") == 6


# From a study to its tables


@pytest.fixture(scope="module")
def three(
    tmp_path_factory: pytest.TempPathFactory, tiny_corpora: Path, encoder_folders: Any
) -> Workshop:
    """All three tasks, done; do not change it."""
    folder = tmp_path_factory.mktemp("three")
    done = Workshop(folder, tiny_corpora, encoder_folders("bert"))
    done.write(THREE_TASKS)
    answer = done.run()
    assert answer.code == 0, answer.err
    assert answer.err.startswith("6 runs, 0 done, 6 pending\n[1/6] pos ud:en_tiny REF seed 1: acc")
    assert "\n6 of 6 runs done" in answer.err
    command = f"alignscope report {done.study} --store {done.store} --encoder {done.encoder}"
    assert answer.err.endswith(f"\nNext: {command}\n")
    return done


def test_status_of_a_finished_study(three: Workshop) -> None:
    answer = call("status", three.study, "--store", three.store)
    assert (answer.code, answer.out, answer.err) == (0, "6 runs: 6 done, 0 failed, 0 missing\n", "")


def test_a_second_run_executes_nothing(three: Workshop) -> None:
    before = {path: path.stat().st_mtime_ns for path in (three.store / "runs").iterdir()}
    answer = three.run()
    assert answer.code == 0
    assert answer.err.startswith("6 runs, 6 done, 0 pending\n")
    assert {path: path.stat().st_mtime_ns for path in (three.store / "runs").iterdir()} == before


def test_scores_of_all_tasks(three: Workshop) -> None:
    table = pl.read_csv(io.StringIO(three.table("scores")), schema=SCORES)
    metrics = {
        task: set(rows["metric"])
        for (task,), rows in table.partition_by("task", as_dict=True).items()
    }
    assert metrics == {"pos": {"accuracy"}, "parsing": {"las", "uas"}, "ner": {"f1", "f1_strict"}}
    assert set(table["window"]) == {"REF", "0-1"}
    assert table["score"].is_between(0, 1).all()
    assert set(table["relation"]) == {"in-domain", "cross-lingual"}
    assert set(table["sentences"]) == {tiny.SPLITS["test"]}
    assert table.height == 2 * 2 * (1 + 2 + 2)


def test_the_summary_is_computed_from_the_scores(three: Workshop) -> None:
    scores = pl.read_csv(io.StringIO(three.table("scores")), schema=SCORES)
    summary = pl.read_csv(io.StringIO(three.table("summary")), schema=SUMMARY)
    assert_frame_equal(summary, summary_table(scores), check_exact=True)
    assert summary["window"].to_list() == ["majority", "REF", "0-1"] * 5


def test_the_table_runs_has_states_and_provenance(three: Workshop) -> None:
    table = pl.read_csv(io.StringIO(three.table("runs")), schema=RUNS)
    assert table["status"].to_list() == ["done"] * 6
    assert set(table["best_epoch"]) == {1}
    assert table["steps"].min() > 0  # type: ignore[operator]
    assert table["reason"].null_count() == 6


def test_a_table_is_written_to_the_named_file(three: Workshop, tmp_path: Path) -> None:
    where = ("scores", three.study, "--store", three.store)
    answer = call("table", *where, "--format", "parquet", "--out", tmp_path / "scores.parquet")
    assert (answer.code, answer.raw) == (0, b"")
    told = call("table", *where, "--format", "parquet").raw
    assert told == (tmp_path / "scores.parquet").read_bytes()
    csv_table = pl.read_csv(io.StringIO(three.table("scores")), schema=SCORES)
    assert_frame_equal(pl.read_parquet(io.BytesIO(told)), csv_table, check_exact=True)


@pytest.mark.parametrize(("form", "first"), [("md", "| task"), ("latex", r"\begin{tabular}")])
def test_tables_in_markdown_and_latex(form: str, first: str, three: Workshop) -> None:
    assert three.table("summary", form).startswith(first)


def test_commands_on_results_import_no_torch(three: Workshop) -> None:
    """The results can be read on a laptop that has only them."""
    where = (three.study, "--store", three.store)
    for arguments in (("status", *where), ("table", "summary", *where, "--format", "latex")):
        found = imported(*arguments)
        assert "polars" in found
        assert not found & {"torch", "transformers", "tokenizers", "safetensors"}


def test_an_encoder_folder_may_move_between_two_calls(workshop: Workshop) -> None:
    """REF from here and windows from there are still one study, and pair up."""
    workshop.write(GRID.replace("tiles:2", "none"))
    assert workshop.run().code == 0
    moved = workshop.folder / "moved"
    moved.mkdir()
    for path in workshop.encoder.iterdir():
        (moved / path.name).write_bytes(path.read_bytes())
    workshop.write(GRID)
    answer = Workshop(workshop.folder, workshop.data, moved).run()
    assert answer.err.startswith("6 runs, 2 done, 4 pending\n")
    rows = list(csv.DictReader(io.StringIO(workshop.table("summary"))))
    assert [(row["encoder"], row["window"], row["seeds"]) for row in rows] == [
        *((str(moved), "majority", "1"), (str(moved), "REF", "2")),
        *((str(moved), "0-1", "2"), (str(moved), "2-3", "2")),
    ]


def test_data_that_changed_is_noticed(workshop: Workshop, tmp_path: Path) -> None:
    own = Workshop(workshop.folder, tiny.write_corpora(tmp_path / "data"), workshop.encoder)
    own.write(GRID.replace("[1, 2]", "[1]"))
    assert own.run().code == 0
    path = own.data / "ud/de_tiny/test.conllu"
    path.write_text("# changed\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    answer = own.run()
    assert answer.code == 2
    message = r"error: .* made with another ud:de_tiny/test .* Use another store.*\n"
    assert re.fullmatch(message, answer.err), answer.err


# Runs that diverge

DIVERGING = GRID.replace("[1, 2]", "[1]") + "[tasks.ner]\nsources = ['uner:en_tiny']\n" + (
    "training = { learning_rate = 1e30, max_grad_norm = 1e30 }\n"
)  # fmt: skip


def test_a_diverged_run_is_reported_and_the_others_finish(workshop: Workshop) -> None:
    workshop.write(DIVERGING.replace('windows = ["tiles:2"]', 'windows = ["0-1"]'))
    answer = workshop.run()
    assert (answer.code, answer.out) == (1, "")
    assert "Traceback" not in answer.err
    told = re.findall(
        r"^failed: ner uner:en_tiny (REF|0-1 \(config\)) seed 1: the loss is nan at step \d+ of 2$",
        answer.err,
        re.MULTILINE,
    )
    assert told == ["REF", "0-1 (config)"]
    status = call("status", workshop.study, "--store", workshop.store)
    lines = status.out.splitlines()
    assert (status.code, lines[0]) == (0, "4 runs: 2 done, 2 failed, 0 missing")
    assert re.fullmatch(
        r"failed: ner uner:en_tiny REF seed 1: the loss is nan at step \d+ of \d+", lines[1]
    )
    effects = list(csv.DictReader(io.StringIO(workshop.table("summary"))))
    assert [row["window"] for row in effects] == ["majority", "REF", "0-1"]
    assert workshop.run().code == 1


def test_blocks(workshop: Workshop) -> None:
    answer = call("blocks", workshop.encoder)
    assert (answer.code, answer.err) == (0, "")
    assert re.search(r"^\| 3 +\| encoder\.layer\.3 \|", answer.out, re.MULTILINE)


FOURTH = '[tasks.fourth]\nsources = ["ud:en_tiny"]\ntargets = ["ud:de_tiny"]\n'
LISTED = """
windows = ["0-1", "7-9"]
training.learning_rate = 5e-5
[tasks.pos]
sources = ["ud:en_tiny"]
"""


class FourthTask(PosTagging):
    """POS tagging under another name."""

    name = "fourth"


def test_a_registered_task_can_be_run_in_a_study(workshop: Workshop) -> None:
    workshop.write('windows = ["none"]\n[training]\nepochs = 1\nlearning_rate = 5e-5\n' + FOURTH)
    answer = workshop.run()
    assert (answer.code, answer.err) == (
        2,
        "error: fourth is not a task. Known are: pos, parsing, ner, classification.\n",
    )
    register_task(FourthTask)
    try:
        assert workshop.run().code == 0
        assert workshop.table("scores").count("fourth") == 2
    finally:
        TASKS.remove("fourth")


def test_a_window_that_does_not_fit_an_encoder_on_the_hub_is_refused_before_training(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hub's encoder is not asked for its blocks where the study lists its windows."""
    name = str(workshop.encoder)
    inspected = "alignscope.experiments.preflight.encoder_identity"
    monkeypatch.setattr(inspected, lambda *_: f"{name}@main")
    workshop.write(LISTED)
    answer = workshop.run()
    assert answer.code == 2
    assert answer.err.startswith(f"error: Window 7-9 does not fit {name}, which has ")
    assert not workshop.store.exists()
