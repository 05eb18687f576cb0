"""Learning-rate range tests: short fine-tunings without re-initialisation at several rates."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from alignscope.analysis.learning_rate import RateScore, choose_rate
from alignscope.config.range_test import RangeTest, format_rate
from alignscope.config.run import RunSpec, SplitLimits, TrainingConfig
from alignscope.config.setting import listed
from alignscope.config.study import Study
from alignscope.data.paths import DataPaths
from alignscope.data.sentence import Sentence
from alignscope.errors import InsufficientMemoryError, StudyError, nearest
from alignscope.experiments.preflight import check_tasks
from alignscope.experiments.run import alone_in_process
from alignscope.experiments.setup import build_stack, load_inputs, load_pretrained
from alignscope.tasks import Task
from alignscope.tasks.counts import sentence_counts
from alignscope.training.encoded_task import EncodedTask
from alignscope.training.finetune import Observer, Progress, TrainingData, fine_tune_stacked
from alignscope.training.loop import TrainingHistory
from alignscope.training.memory import is_out_of_memory, release_memory
from alignscope.training.stacked.stack import StackedModel

ProgressFactory = Callable[[str], AbstractContextManager[Progress]]
"""Opens the display of a fine-tuning of that name, and returns what is called after every step."""

COLUMNS = {
    "encoder": pl.String,
    "task": pl.String,
    "source": pl.String,
    "learning_rate": pl.Float64,
    "epochs": pl.Int64,
    "steps": pl.Int64,
    "sentences": pl.Int64,
    "loss": pl.Float64,
    "dev_score": pl.Float64,
    "majority": pl.Float64,
    "units": pl.Int64,
    "diverged": pl.Boolean,
    "suggested": pl.Boolean,
}


def tune_study(
    study: Study,
    test: RangeTest,
    paths: DataPaths,
    progress: ProgressFactory,
    tasks: Sequence[str] = (),
) -> pl.DataFrame:
    """Test learning rates for every encoder, task and source of a study.

    Only REF is trained, with the study's first seed, on the train split of the source. Scores are
    those on its dev split: no test split and no target is read. Nothing is stored. A study with
    lists is tested with its first head learning rate and its largest training set.

    Args:
        study: the study; it may lack the learning rate.
        test: the rates, and how briefly to train.
        paths: folders with corpora.
        progress: opens the display of one fine-tuning, given its name.
        tasks: the tasks to test; by default all of the study.

    Returns:
        One row for each encoder, task, source and rate. Scores are fractions.

    Raises:
        StudyError: if the study names no encoder, or a task is unknown or not in the study.
        DataError, EncoderError: if a corpus or an encoder is not what the study needs.
        InsufficientMemoryError: if one fine-tuning does not fit in memory.
    """
    rows = [
        row
        for run in _references(study, test, tasks)
        for row in _test_rates(run, test.rates, paths, progress)
    ]
    return pl.DataFrame(rows, schema=COLUMNS)


def _references(study: Study, test: RangeTest, tasks: Sequence[str]) -> Iterator[RunSpec]:
    """Yield REF of every encoder, task and source, to be evaluated on nothing."""
    check_tasks(study)
    for task in tasks:
        if task not in study.tasks:
            known = ", ".join(study.tasks)
            hint = nearest(task, study.tasks) or "."
            raise StudyError(f"Study {study.name} has no task {task}{hint} It has: {known}.")
    if not study.encoders:
        raise StudyError(f"Study {study.name} names no encoder. Add one with --encoder.")
    for encoder in study.encoders:
        for task in tasks or study.tasks:
            training, limits = study.merged_training(task), study.merged_limits(task)
            largest = max(size or test.limit for size in listed(limits.train))
            brief = {"learning_rate": test.rates[0], "epochs": test.epochs}
            for source in dict.fromkeys(study.tasks[task].sources):
                yield RunSpec(
                    encoder=encoder,
                    identity="",  # nothing is stored, so that no address is needed
                    task=task,
                    source=source,
                    evaluated=(),
                    window=None,
                    init=None,
                    adapters=None,
                    seed=study.seeds[0],
                    training=TrainingConfig.model_validate({**training.first_values(), **brief}),
                    limits=SplitLimits(
                        train=min(largest, test.limit),
                        dev=min(limits.dev or test.limit, test.limit),
                    ),
                )


def _test_rates(
    run: RunSpec, rates: Sequence[float], paths: DataPaths, progress: ProgressFactory
) -> list[dict[str, Any]]:
    """Return the rows of one encoder, task and source."""
    with alone_in_process():
        inputs = load_inputs(run, load_pretrained(run), paths)
        labels = inputs.encoded.labels
        tester = RateTester(lambda: build_stack([run], labels), inputs.encoded, inputs.data)
        name = f"{run.task} {run.source}"
        histories = []
        for rate in rates:
            with progress(f"{name} lr {format_rate(rate)}") as steps:
                try:
                    histories.append(tester.fine_tune(rate, run.seed, steps))
                except RuntimeError as error:
                    if not is_out_of_memory(error):
                        raise
                    raise InsufficientMemoryError(run.label) from error
            release_memory()
    about = {
        "encoder": run.encoder.label,
        "task": run.task,
        "source": run.source,
        "epochs": run.training.epochs,
        "sentences": len(inputs.data.train),
    }
    rows = summarize(histories, rates, tester.units, tester.majority)
    return [about | row for row in rows]


@dataclass(frozen=True)
class RateTester:
    """Fine-tuning of one encoder at several rates. There is no field for a target."""

    build: Callable[[], StackedModel]
    """Returns the same model with a fresh head on every call."""
    encoded: EncodedTask
    data: TrainingData
    """The train and dev sentences of the source."""

    def fine_tune(self, rate: float, seed: int, progress: Progress) -> TrainingHistory:
        """Fine-tune a fresh model with one rate."""
        config = self.encoded.config.model_copy(update={"learning_rate": rate})
        encoded = replace(self.encoded, config=config)
        observer = Observer(step=progress)
        (history,) = fine_tune_stacked(
            self.build(), encoded, self.data, seed=seed, observer=observer
        )
        return history

    @property
    def units(self) -> int:
        """The number of words in dev, or of sentences or entities if these are scored."""
        return _count_units(self.encoded.task, self.data.dev)

    @property
    def majority(self) -> float:
        """The dev score of the majority baseline, a fraction."""
        baseline = self.encoded.task.majority(self.data.train)
        predicted = [baseline(sentence) for sentence in self.data.dev]
        return self.encoded.primary_score(self.data.dev, predicted)


def _count_units(task: Task, sentences: Sequence[Sentence]) -> int:
    counts = sentence_counts(task, sentences, sentences)
    if counts is None:
        return sum(map(len, sentences))
    # An F-score counts every gold span twice, in the gold and in the predicted sentence.
    return int(counts[:, 1].sum()) // (2 if task.metrics[0].startswith("f1") else 1)


def summarize(
    histories: Sequence[TrainingHistory], rates: Sequence[float], units: int, majority: float
) -> list[dict[str, Any]]:
    """Return one row per rate: its last loss, its best dev score, and whether it is suggested.

    Args:
        histories: the fine-tuning with each rate.
        rates: the rates in increasing order.
        units: the number of words, sentences or entities that were scored.
        majority: the dev score of the majority baseline, a fraction.
    """
    scores = [
        None if history.error is not None else max(epoch.dev_score for epoch in history.epochs)
        for history in histories
    ]
    choice = choose_rate(list(map(RateScore, rates, scores)), units, majority)
    return [
        {
            "learning_rate": rate,
            "steps": history.epochs[-1].steps if history.epochs else None,
            "loss": history.epochs[-1].loss if history.epochs else None,
            "dev_score": score,
            "majority": majority,
            "units": units,
            "diverged": history.error is not None,
            "suggested": rate == choice.rate,
        }
        for rate, history, score in zip(rates, histories, scores, strict=True)
    ]
