"""Measure which learning rate suits an encoder."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from alignscope._util.validation import parse_options
from alignscope.config.range_test import DEFAULT_RATES, RangeTest
from alignscope.config.study import Study
from alignscope.data.paths import DataPaths

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import polars as pl

    from alignscope.training.finetune import Progress


def tune(
    study: Study,
    *,
    rates: Sequence[float] = DEFAULT_RATES,
    epochs: int = 2,
    limit: int = 1000,
    tasks: Sequence[str] = (),
    data: Sequence[str | Path] = (),
    offline: bool = False,
    progress: bool = True,
) -> "pl.DataFrame":
    """Test learning rates of the encoder by short fine-tunings (a range test).

    >>> import alignscope as al
    >>> tasks = {"pos": {"sources": ["synthetic:vesti/news"]}}
    >>> study = al.Study(encoders=["embedded"], tasks=tasks)
    >>> table = al.tune(study, rates=[1e-5, 5e-4, 1e3], epochs=1, limit=20, progress=False)
    >>> table["learning_rate"].to_list()
    [1e-05, 0.0005, 1000.0]

    For every encoder, task and source, REF is fine-tuned with the study's first seed and each of
    the rates, and scored on the dev split of the source. Targets and test splits are not read, and
    nothing is stored. The other hyperparameters are those of the study.

    The suggested rate is the smallest whose dev score is within one standard error of the best,
    or within half a point, unless it is the smallest or the largest of the range.

    Args:
        study: the study; it may lack the learning rate.
        rates: three or more rates of the encoder.
        epochs: the number of passes over the training sentences.
        limit: the maximum number of train and of dev sentences.
        tasks: the tasks to test; by default all of the study.
        data: folders with corpora, searched before those in ``ALIGNSCOPE_DATA``.
        offline: whether to refuse corpora that are not on this machine.
        progress: whether to show the steps on standard error.

    Returns:
        One row for each encoder, task, source and rate: ``loss`` (mean of the last epoch),
        ``dev_score`` (best epoch, a fraction; null if training diverged), ``majority`` (the dev
        score of the majority baseline), ``units`` (words, sentences or entities scored),
        ``diverged`` and ``suggested``.

    Raises:
        StudyError: if there are fewer than three rates, the study names no encoder, or a task is
            unknown.
        DataError, EncoderError: if a corpus or an encoder is not what the study needs.
    """
    test = parse_options(RangeTest, rates=tuple(rates), epochs=epochs, limit=limit)
    from alignscope.experiments.progress import StepBar
    from alignscope.experiments.tune import tune_study

    paths = DataPaths.of([*data, *study.data], download=not offline)
    return tune_study(study, test, paths, StepBar if progress else _silent, tasks)


def _silent(name: str) -> "AbstractContextManager[Progress]":
    return nullcontext(lambda step, steps: None)
