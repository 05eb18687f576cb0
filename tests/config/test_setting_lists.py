"""Learning rates, epochs and training sentences as axes of a study."""

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from alignscope.config.grid import EncoderInfo, expand, setting_names
from alignscope.config.run import RunSpec, SplitLimits, TrainingConfig
from alignscope.config.study import Study, read_study
from alignscope.errors import StudyError

TASKS = {"pos": {"sources": ["ud:en_ewt"]}, "ner": {"sources": ["uner:en_ewt"]}}
TOML = '[tasks.pos]\nsources = ["ud:en_ewt"]\n'
RATES, HEADS, EPOCHS, SIZES = (5e-5, 5e-4, 3e-3), (1e-3, 2e-3), (1, 4), (500, None)


def study(**changes: Any) -> Study:
    base = {"encoders": ["enc"], "seeds": [1, 2], "windows": ["0-1"], "tasks": TASKS}
    return Study.model_validate({**base, "training": {"learning_rate": 5e-5}, **changes})


def runs_of(given: Study, task: str = "pos") -> list[RunSpec]:
    return [run for run in expand(given, lambda _: EncoderInfo("x", 4)) if run.task == task]


def values(run: RunSpec) -> tuple[object, ...]:
    training = run.training
    rates = training.learning_rate, training.head_learning_rate
    return *rates, training.epochs, run.limits.train


def test_lists_are_multiplied_and_each_setting_has_its_own_ref() -> None:
    training = {"learning_rate": RATES, "head_learning_rate": HEADS, "epochs": EPOCHS}
    found = runs_of(study(training=training, limits={"train": SIZES}))
    expected = list(product(RATES, HEADS, EPOCHS, SIZES))
    assert list(dict.fromkeys(map(values, found))) == expected
    assert len({run.address for run in found}) == len(found) == len(expected) * 2 * 2
    for setting in expected:
        members = [run for run in found if values(run) == setting]
        assert [(run.seed, run.window) for run in members] == list(product((1, 2), (None, "0-1")))
    assert len({run.setting for run in found}) == len(expected)


def test_a_task_has_lists_of_its_own() -> None:
    tasks = {
        "pos": {"sources": ["ud:en_ewt"], "limits": {"train": [10, 20]}},
        "ner": {"sources": ["uner:en_ewt"], "training": {"learning_rate": 0.5, "epochs": [1, 2]}},
    }
    given = study(training={"learning_rate": RATES}, limits={"train": 9}, tasks=tasks)
    pos, ner = ({values(run) for run in runs_of(given, task)} for task in ("pos", "ner"))
    assert pos == {(rate, 1e-3, 3, size) for rate in RATES for size in (10, 20)}
    assert ner == {(0.5, 1e-3, epochs, 9) for epochs in (1, 2)}


@pytest.mark.parametrize("in_task", [False, True])
def test_a_list_of_one_value_is_that_value(in_task: bool) -> None:
    def given(training: object, limits: object) -> Study:
        if not in_task:
            return study(training=training, limits=limits)
        own = {"sources": ["ud:en_ewt"], "training": training, "limits": limits}
        return study(tasks={"pos": own})

    listed = given({"learning_rate": [5e-4], "epochs": [4]}, {"train": [7]})
    plain = given({"learning_rate": 5e-4, "epochs": 4}, {"train": 7})
    assert listed.digest == plain.digest
    assert listed.grid == plain.grid
    assert [r.address for r in runs_of(listed)] == [r.address for r in runs_of(plain)]


def test_the_runs_of_a_setting_are_those_of_a_study_of_that_setting() -> None:
    both = runs_of(study(training={"learning_rate": RATES}))
    single = [run for rate in RATES for run in runs_of(study(training={"learning_rate": rate}))]
    assert {run.address for run in both} == {run.address for run in single}


def test_the_digest_depends_on_lists_and_a_plan_is_found_again() -> None:
    given = study(training={"learning_rate": RATES}, limits={"train": [5, 6]})
    assert given.digest != study(training={"learning_rate": RATES[::-1]}).digest
    assert given.matches(json.loads(json.dumps(given.grid)))
    assert given.grid["training"]["learning_rate"] == list(RATES)
    assert Study.model_validate(given.model_dump(mode="json")) == given


def test_a_study_of_one_setting_says_which() -> None:
    one = study(training={"learning_rate": 0.1, "epochs": 2}, limits={"train": 3})
    assert one.training_of("pos") == TrainingConfig(learning_rate=0.1, epochs=2)
    assert one.limits_of("pos") == SplitLimits(train=3)
    several = study(training={"learning_rate": RATES}, limits={"train": [1, 2]})
    for single in (several.training_of, several.limits_of):
        with pytest.raises(StudyError, match=r"study has 6 settings of pos\. .* `settings_of`"):
            single("pos")


def test_names_of_settings_have_what_varies() -> None:
    given = study(training={"learning_rate": [5e-5, 0.01]}, limits={"train": [5, None]})
    assert [*setting_names(runs_of(given)).values()] == [
        "lr 5e-5, 5 sentences",
        "lr 5e-5, all sentences",
        "lr 0.01, 5 sentences",
        "lr 0.01, all sentences",
    ]
    assert {*setting_names(runs_of(study())).values()} == {""}


REFUSED = {
    "empty": ("[training]\nlearning_rate = []\n", r"training\.learning_rate: The list is empty"),
    "empty sizes": ("[limits]\ntrain = []\n", r"limits\.train: The list is empty"),
    "repeated": (
        "[training]\nlearning_rate = [1e-3, 5e-4, 0.001]\n",
        r"training\.learning_rate: 0\.001 is listed twice\.$",
    ),
    "repeated sizes": ("[limits]\ntrain = [9, 9]\n", r"limits\.train: 9 is listed twice\.$"),
    "range": (
        "[training]\nlearning_rate = [1e-3, 0.0]\n",
        r"training\.learning_rate\.1: .*greater than 0, got 0\.0\.$",
    ),
    "type": ("[training]\nepochs = [1, 'many']\n", r"training\.epochs\.1: .*got 'many'\.$"),
    "nested": ("[training]\nepochs = [[1]]\n", r"training\.epochs\.0: .*got \[1\]\.$"),
    "elsewhere": (
        "[training]\nwarmup = [0.1, 0.2]\n",
        r"training: warmup takes one value, got \[0\.1, 0\.2\]\. Only learning_rate, "
        r"head_learning_rate, epochs and limits\.train may be lists\.$",
    ),
    "an old name elsewhere": (
        "[training]\nclip = [1.0]\n",
        r"training: (clip|max_grad_norm) takes one",
    ),
    "another split": ("[limits]\ndev = [1, 2]\n", r"limits: dev takes one value, got \[1, 2\]\."),
    "seeds": ("[training]\nseed = [1]\n", r"training\.seed is not a key"),
}


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Study]:
    def parse(text: str) -> Study:
        path = tmp_path / "study.toml"
        path.write_text(text, encoding="utf-8")
        return read_study(path)

    return parse


@pytest.mark.parametrize("case", REFUSED)
def test_invalid_lists_are_refused(case: str, read: Callable[[str], Study]) -> None:
    text, message = REFUSED[case]
    with pytest.raises(StudyError, match=message):
        read(text + TOML)
    section, _, keys = text.partition("\n")
    place = f"[tasks.pos.{section[1:-1]}]"
    with pytest.raises(StudyError, match=r"tasks\.pos\." + message):
        read(f"{TOML}{place}\n{keys}")


@pytest.mark.parametrize(
    ("model", "content"),
    [
        (TrainingConfig, {"learning_rate": [1e-3, 2e-3]}),
        (TrainingConfig, {"learning_rate": 1e-3, "epochs": [1]}),
        (SplitLimits, {"train": [1, 2]}),
    ],
)
def test_a_single_fine_tuning_takes_no_lists(
    model: type[TrainingConfig | SplitLimits], content: dict[str, object]
) -> None:
    with pytest.raises(ValidationError, match=r"takes one value, got .* A study may list several"):
        model.model_validate(content)
