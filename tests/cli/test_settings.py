"""A study with several settings on the command line, from its plan to its tables."""

import io
import re

import polars as pl
import pytest

from alignscope.results.schemas import SUMMARY
from tests.helpers.tiny import GRID, Answer, Workshop, call

TRAINING = "training = { epochs = 2, learning_rate = 1e-3, head_learning_rate = 1e-2 }"
LISTS = """training = { epochs = 2, learning_rate = [1e-3, 1e-2], head_learning_rate = 1e-2 }
limits = { train = [5, 10] }"""
SETTINGS = [f"lr {rate}, {size} sentences" for rate in ("0.001", "0.01") for size in (5, 10)]


@pytest.fixture
def grid(workshop: Workshop) -> Workshop:
    """REF and one window in four settings."""
    one_window = GRID.replace("tiles:2", "0-1").replace("[1, 2]", "[1]")
    assert TRAINING in one_window
    workshop.write(one_window.replace(TRAINING, LISTS))
    return workshop


def ask(workshop: Workshop, command: str, *options: str) -> Answer:
    here = ["--store", str(workshop.store), "--encoder", str(workshop.encoder)]
    answer = call(command, str(workshop.study), *here, *options)
    assert answer.code == 0, answer.err
    return answer


def test_a_plan_has_a_row_for_each_setting_and_estimates_each_size(grid: Workshop) -> None:
    answer = ask(grid, "plan", "--data", str(grid.data))
    assert "tiny: 8 runs with 24 evaluations; 0 done, 8 pending\n" in answer.out
    for setting in SETTINGS:
        assert re.search(rf"\| ud:en_tiny \| {setting} +\| REF, 0-1 \| 1 +\| 2 +\|", answer.out)
    for size in ("5", "10"):
        assert re.search(
            rf"\| ud:en_tiny \| {size} sentences +\| 4 +\| 2 +\| \d+ s +\|", answer.out
        )


def test_runs_and_tables_name_their_setting(grid: Workshop) -> None:
    answer = grid.run()
    assert answer.code == 0, answer.err
    for setting in SETTINGS:
        assert len(re.findall(rf"\] pos ud:en_tiny \S+.* seed 1, {setting}: acc", answer.err)) == 2
    table = pl.read_csv(io.StringIO(grid.table("summary")), schema=SUMMARY)
    parts = "lr 0.001, head lr 0.01, 2 epochs, 5 sentences"
    assert table.filter(setting=parts)["window"].to_list() == ["majority", "REF", "0-1"]
    assert table["setting"].n_unique() == 4
    shown = grid.table("summary", "md")
    assert all(f"| {setting} " in shown for setting in SETTINGS)
    assert ask(grid, "status").out == "8 runs: 8 done, 0 failed, 0 missing\n"


def test_a_failure_names_its_setting(grid: Workshop) -> None:
    grid.write(GRID.replace("tiles:2", "none").replace("[1, 2]", "[1]")
               .replace("learning_rate = 1e-3", "learning_rate = [1e-3, 1e30]"))  # fmt: skip
    answer = grid.run()
    assert answer.code == 1
    assert "\nfailed: pos ud:en_tiny REF seed 1, lr 1e+30: " in answer.err
    told = ask(grid, "status").out
    assert told.startswith(
        "2 runs: 1 done, 1 failed, 0 missing\nfailed: pos ud:en_tiny REF seed 1, lr"
    )


def test_other_sentences_of_a_smaller_training_set_are_checked(grid: Workshop) -> None:
    """Of ten sentences five are 0, 2, 4, 6 and 8, and three are 0, 3 and 6."""
    path = grid.data / "ud" / "en_tiny" / "train.conllu"
    trees = path.read_text(encoding="utf-8").split("\n\n")
    trees[3] = trees[3].replace("\tDET\t", "\t_\t")
    broken = grid.folder / "broken"
    for source in grid.data.rglob("*.conllu"):
        copy = broken / source.relative_to(grid.data)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    (broken / "ud" / "en_tiny" / "train.conllu").write_text("\n\n".join(trees), encoding="utf-8")
    for sizes in ("[3, 5]", "[5, 3]"):
        grid.write(GRID.replace(TRAINING, LISTS.replace("[5, 10]", sizes)))
        answer = call("run", grid.study, "--store", grid.store, "--encoder", grid.encoder,
                      "--data", broken)  # fmt: skip
        assert answer.code == 2, answer.err
        assert "[1/" not in answer.err
