"""A range test trains REF as a study does, and reads the source's train and dev splits alone."""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest

from alignscope.config.range_test import RangeTest
from alignscope.config.study import Study
from alignscope.data.paths import DataPaths
from alignscope.errors import DivergedError, InsufficientMemoryError, StudyError
from alignscope.experiments import tune
from alignscope.experiments.run import execute_run
from alignscope.experiments.study import expand_study
from alignscope.training.finetune import Progress, TrainingData
from alignscope.training.loop import EpochMetrics, TrainingHistory

RATES = (1e-4, 1e-3, 1e-2)
TRAINING = {"head_learning_rate": 1e-2, "tokens_per_batch": 64, "max_length": 64}
TASKS = {
    "pos": {"sources": ["ud:en_tiny"], "targets": ["ud:de_tiny"], "domains": ["ud:en_web"]},
    "classification": {"sources": ["topic:en_tiny"], "targets": ["topic:de_tiny"]},
    "ner": {"sources": ["uner:en_tiny"], "targets": ["uner:de_tiny"]},
}


def silent(name: str) -> AbstractContextManager[Progress]:
    return nullcontext(lambda step, steps: None)


@pytest.fixture
def places(tiny_corpora: Path, tmp_path: Path) -> DataPaths:
    return DataPaths((tiny_corpora,), tmp_path / "cache", download=False)


@pytest.fixture
def study(encoder_folders: Callable[[str], Path]) -> Study:
    """A study without a learning rate, with two seeds."""
    return Study.model_validate(
        {"encoders": [str(encoder_folders("bert"))], "seeds": [5, 6], "training": TRAINING}
        | {"windows": ["0-1"], "tasks": TASKS}
    )


def tune_tiny(study: Study, places: DataPaths, *tasks: str, **options: Any) -> pl.DataFrame:
    test = RangeTest(**{"rates": RATES, **options})
    return tune.tune_study(study, test, places, silent, tasks)


def test_every_rate_gives_the_dev_score_of_ref_in_a_study(study: Study, places: DataPaths) -> None:
    table = tune_tiny(study, places, "pos", epochs=2, limit=8)
    assert table["learning_rate"].to_list() == list(RATES)
    for row in table.iter_rows(named=True):
        training = {**TRAINING, "epochs": 2, "learning_rate": row["learning_rate"]}
        changes = {"training": training, "limits": {"train": 8, "dev": 8}, "windows": ["none"]}
        whole = Study.model_validate(study.model_dump(by_alias=False) | changes)
        run = next(run for run in expand_study(whole) if (run.task, run.seed) == ("pos", 5))
        epochs = execute_run(run, places).epochs
        assert row["dev_score"] == max(epoch["dev_score"] for epoch in epochs)
        assert row["loss"] == epochs[-1]["loss"]
        assert (row["steps"], row["epochs"]) == (epochs[-1]["steps"], 2)
    assert table["loss"].n_unique() == len(RATES)


def test_only_train_and_dev_of_the_source_are_read(
    study: Study, tiny_corpora: Path, tmp_path: Path
) -> None:
    """Nothing else is there: neither the test split, nor a target or a domain."""
    for name in ("ud/en_tiny", "classification/topic/en_tiny", "ner/uner/en_tiny"):
        shutil.copytree(
            tiny_corpora / name, tmp_path / "data" / name, ignore=shutil.ignore_patterns("test.*")
        )
    places = DataPaths((tmp_path / "data",), tmp_path / "cache", download=False)
    table = tune_tiny(study, places, epochs=1)
    assert table["dev_score"].is_not_null().all()
    assert table.rows_by_key("task").keys() == set(TASKS)


def test_the_training_sees_no_target() -> None:
    assert {field.name for field in fields(tune.RateTester)} == {"build", "encoded", "data"}
    assert {field.name for field in fields(TrainingData)} == {"train", "dev"}


def test_units_are_words_sentences_or_entities(study: Study, places: DataPaths) -> None:
    table = tune_tiny(study, places, epochs=1, limit=3)
    units = dict(table.select("task", "units").unique().rows())
    assert units["classification"] == 3
    assert units["ner"] == 2 * 3  # a person and a place in every sentence
    assert 9 <= units["pos"] <= 15
    assert set(table["sentences"]) == {3}


def test_limits_of_the_study_are_kept(study: Study, places: DataPaths) -> None:
    limited = study.model_copy(update={"limits": study.limits.model_copy(update={"train": 2})})
    assert set(tune_tiny(limited, places, "pos", epochs=1, limit=8)["sentences"]) == {2}


def test_of_lists_the_first_head_rate_and_the_largest_size_are_used(
    study: Study, places: DataPaths
) -> None:
    lists = {"head_learning_rate": (0.02, 0.5), "learning_rate": (1e-3, 1e-2), "epochs": (3, 4)}
    single = {"head_learning_rate": 0.02, "learning_rate": 1e-3, "epochs": 3}
    content, tables = study.model_dump(by_alias=False), []
    for training, train in ((lists, (2, 6, 3)), (single, 6)):
        changes = {"training": {**TRAINING, **training}, "limits": {"train": train}}
        given = Study.model_validate(content | changes)
        tables.append(tune_tiny(given, places, "pos", epochs=1, limit=8))
    columns = ["learning_rate", "dev_score", "loss", "steps"]
    assert tables[0].select(columns).equals(tables[1].select(columns))


def planted(scores: dict[float, float | None]) -> Any:
    """Replace the fine-tuning by one with known dev scores; None diverges in the second epoch."""

    def fine_tune(
        self: tune.RateTester, rate: float, seed: int, progress: Progress
    ) -> TrainingHistory:
        score = scores[rate]
        if score is None:
            first = EpochMetrics(1, 10, 2.0, 0.99)
            return TrainingHistory([first], DivergedError("the loss is nan at step 11 of 20"))
        return TrainingHistory([EpochMetrics(1, 10, 2.0, score), EpochMetrics(2, 20, 1.0, 0.1)])

    return patch.object(tune.RateTester, "fine_tune", fine_tune)


def test_the_known_best_rate_is_suggested(study: Study, places: DataPaths) -> None:
    scores = {1e-5: 0.5, 1e-4: 0.94, 1e-3: 0.95, 1e-2: None}
    for units, expected in ((100, 1e-4), (100_000, 1e-3)):
        with planted(scores), patch.object(tune.RateTester, "units", units):
            table = tune_tiny(study, places, "pos", rates=tuple(scores))
        assert table.filter("suggested")["learning_rate"].to_list() == [expected]
        assert table["dev_score"].to_list() == list(scores.values())
        assert table["diverged"].to_list() == [False, False, False, True]
        assert table["loss"].to_list() == [1.0, 1.0, 1.0, 2.0]


def test_a_rate_that_diverges_does_not_end_the_test(study: Study, places: DataPaths) -> None:
    wild = study.training.model_copy(update={"max_grad_norm": 1e30})
    table = tune_tiny(
        study.model_copy(update={"training": wild}), places, "pos", rates=(1e-4, 1e-3, 1e30)
    )
    assert table["diverged"].to_list() == [False, False, True]
    assert table["dev_score"].is_null().to_list() == [False, False, True]
    assert not table["suggested"][2]


@pytest.mark.parametrize(
    ("changes", "tasks", "message"),
    [
        ({}, ["poss"], r"Study study has no task poss; did you mean 'pos'\? It has: pos, class"),
        ({"encoders": []}, [], r"names no encoder\. Add one with --encoder"),
        ({"tasks": {"zzz": {"sources": ["ud:en_tiny"]}}}, [], "zzz is not a task"),
    ],
)
def test_invalid_studies_are_refused_before_training(
    changes: dict[str, Any], tasks: list[str], message: str, study: Study, places: DataPaths
) -> None:
    changed = Study.model_validate(study.model_dump(by_alias=False) | changes)
    with planted({}), pytest.raises(StudyError, match=message):
        tune_tiny(changed, places, *tasks)


def test_a_run_that_does_not_fit_in_memory_is_named(study: Study, places: DataPaths) -> None:
    def exhausted(*given: Any) -> Any:
        raise RuntimeError(
            "[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: not enough memory"
        )

    with (
        patch.object(tune.RateTester, "fine_tune", exhausted),
        pytest.raises(InsufficientMemoryError, match="pos ud:en_tiny REF seed 5 does not fit"),
    ):
        tune_tiny(study, places, "pos")
