"""A study from start to finish: unfolded, checked, swept, and told of on the way."""

from collections.abc import Iterator
from functools import partial

import torch

from alignscope._util.cpu import threads_of_each
from alignscope.config.grid import runs
from alignscope.config.run import Run
from alignscope.config.study import Study
from alignscope.data.paths import Places
from alignscope.experiments.cost import Quote, quote
from alignscope.experiments.executors.local import processes, serial
from alignscope.experiments.executors.ray_cluster import Cluster
from alignscope.experiments.grouping import WHOLE, Group, Shard, group
from alignscope.experiments.preflight import (
    check_data,
    check_encoders,
    check_store,
    check_tasks,
    inspect,
)
from alignscope.experiments.progress import Reporter, say
from alignscope.experiments.remote import perform_there
from alignscope.experiments.run import perform_together
from alignscope.experiments.sweep import Swept, sweep
from alignscope.results.store import Store


def unfold(study: Study) -> list[Run]:
    """List the runs of a study.

    Raises:
        StudyError, EncoderError: if a task is unknown, a window does not fit, or an encoder is
            not there.
    """
    check_tasks(study)
    return runs(study, partial(inspect, count_blocks=study.counts_blocks))


def price(
    study: Study,
    store: Store,
    places: Places,
    workers: int | None = None,
    lockstep: int | None = None,
) -> list[Quote]:
    """Say what it will cost here to perform what ``store`` lacks of a study: see `quote.quote`.

    >>> sum(one.seconds for one in price(study, Store(Path("results")), Places.of()))
    151.2

    Raises:
        AlignScopeError: as `unfold` and `quote.quote` do.
    """
    missing = [run for run in unfold(study) if run not in store]
    groups = group(missing, lockstep or _most(missing, workers, None))
    threads = torch.get_num_threads()
    torch.set_num_threads(threads_of_each(workers) if workers else threads)
    try:
        return quote(groups, places)
    finally:
        torch.set_num_threads(threads)


def conduct(
    study: Study,
    store: Store,
    places: Places,
    workers: int | None = None,
    shard: Shard = WHOLE,
    cluster: Cluster | None = None,
    lockstep: int | None = None,
) -> Swept:
    """Perform what ``store`` lacks of a study: here, in ``workers`` processes, or on a ``cluster``.

    Runs that differ in their windows alone are trained in lockstep, ``lockstep`` at most: if
    nothing is said, as many as leave no process without work (see `_most`).

    >>> conduct(study, Store(Path("results")), Places.of()).done
    30

    Whatever could be wrong with corpora, encoders or the store is said before any training.

    Raises:
        AlignScopeError: as `unfold` and the checks of `sweep` do, or if a worker was killed.
    """
    planned = unfold(study)
    own = shard.part(planned)
    missing = [run for run in own if run not in store]

    def groups() -> Iterator[Group]:
        check_data(missing, places)
        check_store(planned, store, places)
        check_encoders(missing, places)
        store.put_plan(study, planned)
        reporter.begin()
        yield from group(missing, lockstep or _most(missing, workers, cluster), say)

    with Reporter(done=len(own) - len(missing), total=len(own)) as reporter:
        if cluster is not None:
            return sweep(groups(), perform_there, store, cluster, reporter)
        work = partial(perform_together, places=places)
        if workers and missing:
            return sweep(groups(), work, store, partial(processes, workers=workers), reporter)
        # The steps of several processes would mix.
        return sweep(groups(), partial(work, progress=reporter.step), store, serial, reporter)


def _most(missing: list[Run], workers: int | None, cluster: Cluster | None) -> int:
    """On a cluster without GPUs one: nobody knows how many machines it will have."""
    if cluster is not None and not cluster.gpus:
        return 1
    return max(1, -(-len(missing) // (workers or 1)))
