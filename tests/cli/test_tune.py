"""The command ``tune`` prints scores by rate, the suggestion, and the lines to paste."""

from unittest.mock import patch

import polars as pl
import pytest

import alignscope as al
from alignscope.cli.tune_text import describe_tests
from tests.helpers.tiny import Workshop, call

STUDY = """
name = "tiny"
training = { head_learning_rate = 1e-2 }

[tasks.pos]
sources = ["ud:en_tiny"]
targets = ["ud:nowhere_tiny"]
"""
SCORES = {1e-4: 0.5, 3e-4: 0.88, 1e-3: 0.9, 3e-3: None}


def made(task: str, scores: dict[float, float | None], suggested: float | None) -> pl.DataFrame:
    rows = [
        {"encoder": "enc", "task": task, "source": "ud:en_tiny", "learning_rate": rate,
         "epochs": 2, "steps": 20, "sentences": 100, "loss": None if score is None else 0.25,
         "dev_score": score, "majority": 0.2, "units": 10_000, "diverged": score is None,
         "suggested": rate == suggested}
        for rate, score in scores.items()
    ]  # fmt: skip
    return pl.DataFrame(rows)


def test_a_study_without_a_learning_rate_is_tested(workshop: Workshop) -> None:
    workshop.write(STUDY)
    chosen = ("--data", workshop.data, "--encoder", workshop.encoder, "--offline")
    short = ("--rates", "1e-1,1e-5,1e-3", "--epochs", "1", "--limit", "6", "--task", "pos")
    answer = call("tune", workshop.study, *chosen, *short)
    assert answer.code in (0, 1), answer.err
    rows = [line.split("|")[4].strip() for line in answer.out.splitlines() if "| pos " in line]
    assert rows == ["1e-5", "1e-3", "1e-1"]
    assert f"pos from ud:en_tiny, {workshop.encoder}: " in answer.out
    assert (answer.code == 0) == ("learning_rate = " in answer.out)
    assert {path.name for path in workshop.folder.iterdir()} <= {"tiny.toml", "cache"}


def test_the_suggestion_can_be_pasted(workshop: Workshop) -> None:
    workshop.write(STUDY)
    with patch.object(al, "tune", lambda study, **options: made("pos", SCORES, 1e-3)):
        answer = call("tune", workshop.study)
    assert answer.code == 0
    assert answer.out.splitlines()[-2:] == ["[training]", "learning_rate = 1e-3"]
    assert (
        "pos from ud:en_tiny, enc: 1e-3. It is the smallest rate whose dev score, 90.0, is within "
        "0.5 points of the best, 90.0 at 0.001."
    ) in answer.out.splitlines()
    pasted = STUDY.replace("training = {", "training = { learning_rate = 1e-3,")
    workshop.write(pasted)
    assert al.Study.from_toml(workshop.study).training_of("pos").learning_rate == 1e-3


def test_the_exit_code_says_that_there_is_no_suggestion(workshop: Workshop) -> None:
    workshop.write(STUDY)
    rising = {1e-4: 0.5, 3e-4: 0.8, 1e-3: 0.9}
    tables = pl.concat([made("pos", SCORES, 1e-3), made("ner", rising, None)])
    with patch.object(al, "tune", lambda study, **options: tables):
        answer = call("tune", workshop.study)
    assert answer.code == 1
    assert "ner from ud:en_tiny, enc: no suggestion. The largest rate of the range" in answer.out
    assert answer.out.endswith("\n[tasks.pos]\ntraining = { learning_rate = 1e-3 }\n")


def test_tasks_and_sources_that_differ_have_their_own_lines() -> None:
    far = {1e-4: 0.5, 3e-4: 0.9, 1e-3: 0.8, 3e-3: None}
    other = made("pos", far, 3e-4).with_columns(source=pl.lit("ud:de_tiny"))
    text = describe_tests(pl.concat([made("pos", SCORES, 1e-3), other, made("ner", far, 3e-4)]))
    assert text.endswith(
        "\n[tasks.pos]\ntraining = { learning_rate = [3e-4, 1e-3] }\n"
        "[tasks.ner]\ntraining = { learning_rate = 3e-4 }"
    )


def test_the_table_shows_scores_in_points_and_divergence() -> None:
    table = describe_tests(made("pos", SCORES, 1e-3)).split("\n\n")[0]
    cells = [[cell.strip() for cell in line.split("|")[4:8]] for line in table.splitlines()[2:]]
    assert cells == [
        ["1e-4", "0.250", "50.0", ""],
        ["3e-4", "0.250", "88.0", ""],
        ["1e-3", "0.250", "90.0", "yes"],
        ["3e-3", "", "diverged", ""],
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--rates", "1e-3,x"],
            r"The rates 1e-3,x are not numbers. Write for example --rates 1e-4",
        ),
        (["--rates", "1e-3,1e-4"], "rates: A range test needs at least 3 different rates, got 2"),
        (["--rates", "1e-3,1e-4,-1"], "rates.2: "),
        (["--task", "ner"], "Study tiny has no task ner. It has: pos."),
    ],
)
def test_wrong_options_are_refused(options: list[str], message: str, workshop: Workshop) -> None:
    workshop.write(STUDY)
    answer = call("tune", workshop.study, "--encoder", workshop.encoder, *options)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("error: ")
    assert message in answer.err


def test_a_run_without_a_learning_rate_is_refused(workshop: Workshop) -> None:
    workshop.write(STUDY)
    for command in ("plan", "run"):
        answer = call(command, workshop.study, "--encoder", workshop.encoder)
        assert answer.code == 2
        assert "Study tiny states no learning_rate for pos. Set it in [training]" in answer.err
        assert "`alignscope tune STUDY` measures a good one." in answer.err
