"""A study from start to finish: unfolded, checked, swept, and told of on the way."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import torch

from alignscope._util.cpu import threads_of_each
from alignscope.config.grid import expand
from alignscope.config.run import RunSpec
from alignscope.config.study import Study
from alignscope.data.paths import DataPaths
from alignscope.experiments.cost import CostEstimate, estimate_costs
from alignscope.experiments.executors.local import processes, serial
from alignscope.experiments.executors.ray_cluster import RayExecutor
from alignscope.experiments.grouping import WHOLE_STUDY, Group, Shard, group_for_stacking
from alignscope.experiments.preflight import (
    check_data,
    check_encoders,
    check_store,
    check_tasks,
    inspect_encoder,
)
from alignscope.experiments.progress import ProgressReporter
from alignscope.experiments.remote import execute_shipped
from alignscope.experiments.run import execute_runs
from alignscope.experiments.sweep import SweepSummary, Work, sweep
from alignscope.results.store import ResultStore, RunOutcome


def expand_study(study: Study) -> list[RunSpec]:
    """List the runs of a study.

    Raises:
        StudyError, EncoderError: if a task is unknown, a window does not fit, or an encoder is
            not there.
    """
    check_tasks(study)
    return expand(study, partial(inspect_encoder, count_blocks=study.counts_blocks))


def estimate_cost(
    study: Study,
    store: ResultStore,
    places: DataPaths,
    workers: int | None = None,
    lockstep: int | None = None,
) -> list[CostEstimate]:
    """Say what it will cost here to perform what ``store`` lacks of a study: see `estimate_costs`.

    >>> sum(part.seconds for part in estimate_cost(study, store, paths))
    151.2

    Raises:
        AlignScopeError: as `expand_study` and `estimate_costs.quote` do.
    """
    missing = [run for run in expand_study(study) if run not in store]
    groups = group_for_stacking(missing, lockstep or _most(missing, workers, None))
    threads = torch.get_num_threads()
    torch.set_num_threads(threads_of_each(workers) if workers else threads)
    try:
        return estimate_costs(groups, places)
    finally:
        torch.set_num_threads(threads)


def run_study(
    study: Study,
    store: ResultStore,
    places: DataPaths,
    workers: int | None = None,
    shard: Shard = WHOLE_STUDY,
    cluster: RayExecutor | None = None,
    lockstep: int | None = None,
) -> SweepSummary:
    """Perform what ``store`` lacks of a study: here, in ``workers`` processes, or on a ``cluster``.

    Runs that differ in their windows alone are trained in lockstep, ``lockstep`` at most: if
    nothing is said, as many as leave no process without work (see `_most`).

    >>> run_study(study, ResultStore(Path("results")), DataPaths.of()).done
    30

    Whatever could be wrong with corpora, encoders or the store is said before any training.

    Raises:
        AlignScopeError: as `expand_study` and the checks of `sweep` do, or if a worker was killed.
    """
    planned = expand_study(study)
    own = shard.select(planned)
    missing = [run for run in own if run not in store]

    def groups() -> Iterator[Group]:
        reporter.phase("checking corpora")
        check_data(missing, places)
        check_store(planned, store, places)
        reporter.phase("checking encoders")
        check_encoders(missing, places)
        store.save_plan(study, planned)
        reporter.begin()
        reporter.phase("checking which runs can be trained together")
        yield from group_for_stacking(
            missing, lockstep or _most(missing, workers, cluster), reporter.line
        )

    with ProgressReporter(done=len(own) - len(missing), total=len(own)) as reporter:
        if cluster is not None:
            return sweep(groups(), execute_shipped, store, _announced(cluster, reporter), reporter)
        work = partial(execute_runs, places=places)
        if workers and missing:
            executor = _announced(partial(processes, workers=workers), reporter)
            return sweep(groups(), work, store, executor, reporter)
        # The steps of several processes would mix.
        work = partial(work, progress=reporter.step)
        return sweep(groups(), work, store, _announced(serial, reporter), reporter)


def _announced(
    executor: Callable[[Iterable[Group], Work], Iterator[list[RunOutcome]]],
    reporter: ProgressReporter,
) -> Callable[[Iterable[Group], Work], Iterator[list[RunOutcome]]]:
    """Wrap an executor so that ``reporter`` learns of each group as the executor takes it."""

    def announce(group: Group) -> Group:
        reporter.started(group)
        return group

    return lambda groups, work: executor(map(announce, groups), work)


def _most(missing: list[RunSpec], workers: int | None, cluster: RayExecutor | None) -> int:
    """On a cluster without GPUs one: nobody knows how many machines it will have."""
    if cluster is not None and not cluster.gpus:
        return 1
    return max(1, -(-len(missing) // (workers or 1)))
