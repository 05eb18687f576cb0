"""A study from start to finish: expanded, checked, grouped and swept."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial

import torch

from alignscope._util.cpu import threads_of_each
from alignscope.config.grid import expand, setting_names
from alignscope.config.run import RunSpec
from alignscope.config.study import Study
from alignscope.data.paths import DataPaths
from alignscope.experiments.cost import CostEstimate, estimate_costs
from alignscope.experiments.executors import Executor, ProcessExecutor, SerialExecutor
from alignscope.experiments.grouping import WHOLE_STUDY, Shard, group_for_stacking
from alignscope.experiments.preflight import (
    check_data,
    check_encoders,
    check_store,
    check_tasks,
    inspect_encoder,
)
from alignscope.experiments.progress import ProgressReporter, RunProgress
from alignscope.experiments.run import execute_runs
from alignscope.experiments.sweep import SweepSummary, sweep
from alignscope.results.store import ResultStore


@dataclass(frozen=True)
class StudyPlan:
    """The runs of a study, and those that this machine has to execute."""

    study: Study
    runs: list[RunSpec]
    """All runs of the study."""
    selected: list[RunSpec]
    """The runs of this machine's shard."""
    pending: list[RunSpec]
    """The selected runs that the store lacks."""


def expand_study(study: Study) -> list[RunSpec]:
    """Return the runs of a study.

    Raises:
        StudyError: if a task is unknown or a window does not fit.
        EncoderError: if an encoder is missing.
    """
    check_tasks(study)
    return expand(study, partial(inspect_encoder, count_blocks=study.counts_blocks))


def make_plan(study: Study, store: ResultStore, shard: Shard = WHOLE_STUDY) -> StudyPlan:
    """Expand a study, and select the runs of a shard that ``store`` lacks.

    Raises:
        StudyError, EncoderError: as `expand_study` does.
    """
    runs = expand_study(study)
    selected = shard.select(runs)
    return StudyPlan(study, runs, selected, [run for run in selected if run not in store])


def estimate_cost(
    study: Study,
    store: ResultStore,
    paths: DataPaths,
    workers: int | None = None,
    lockstep: int | None = None,
) -> list[CostEstimate]:
    """Estimate time, memory and disk of the runs that ``store`` lacks, on this machine.

    .. code-block:: python

        sum(estimate.seconds for estimate in estimate_cost(study, store, paths))

    Args:
        study: the study.
        store: its results so far.
        paths: folders with corpora.
        workers: the number of processes that will share this machine; by default this one alone.
        lockstep: the number of runs that are stacked at most; by default as many as fit.

    Returns:
        One estimate for every encoder, task and source.

    Raises:
        AlignScopeError: as `expand_study` and `estimate_costs` do.
    """
    pending = make_plan(study, store).pending
    executor = ProcessExecutor(workers, lockstep) if workers else SerialExecutor(lockstep)
    groups = group_for_stacking(pending, executor.group_size(len(pending)))
    threads = torch.get_num_threads()
    torch.set_num_threads(threads_of_each(workers) if workers else threads)
    try:
        return estimate_costs(groups, paths)
    finally:
        torch.set_num_threads(threads)


def run_study(
    study: Study,
    store: ResultStore,
    paths: DataPaths,
    executor: Executor | None = None,
    shard: Shard = WHOLE_STUDY,
) -> SweepSummary:
    """Execute the runs of a study that ``store`` lacks.

    .. code-block:: python

        run_study(study, ResultStore(Path("results")), DataPaths.of(), ProcessExecutor(4)).done

    Corpora, encoders and the store are checked before any training. Runs that differ in their
    windows alone are trained as one stacked model.

    Args:
        study: the study.
        store: its results; they are saved run by run, so that an interrupted study resumes.
        paths: folders with corpora.
        executor: where runs execute; by default `SerialExecutor`.
        shard: the part of the study that this machine executes.

    Raises:
        AlignScopeError: as `expand_study`, `preflight` and `Executor.execute` do.
    """
    executor = executor or SerialExecutor()
    plan = make_plan(study, store, shard)
    done, total = len(plan.selected) - len(plan.pending), len(plan.selected)
    reporter = ProgressReporter(done, total, settings=setting_names(plan.runs))
    with reporter as progress, _workers(executor, plan):
        preflight(plan, store, paths, progress)
        store.save_plan(study, plan.runs)
        progress.begin()
        progress.phase("checking which runs can be trained together")
        size = executor.group_size(len(plan.pending))
        groups = group_for_stacking(plan.pending, size, progress.line)
        execute = partial(executor.execute, work=execute_runs, paths=paths, progress=progress)
        return sweep(groups, execute, store, progress)


def _workers(executor: Executor, plan: StudyPlan) -> AbstractContextManager[None]:
    """Start workers if there is anything to execute; they import libraries during the checks."""
    return executor.warm_up() if plan.pending else nullcontext()


def preflight(plan: StudyPlan, store: ResultStore, paths: DataPaths, progress: RunProgress) -> None:
    """Check the corpora, the store and the encoders of a study before any training.

    Raises:
        AlignScopeError: as `check_data`, `check_store` and `check_encoders` do.
    """
    progress.phase("checking corpora")
    check_data(plan.pending, paths)
    check_store(plan.runs, store, paths)
    progress.phase("checking encoders")
    check_encoders(plan.pending, paths)
