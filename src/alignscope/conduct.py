"""A study from start to finish: unfolded, checked, swept, and told of on the way."""

from functools import partial

from alignscope.data.places import Places
from alignscope.executors.cluster import Cluster
from alignscope.executors.local import processes, serial
from alignscope.grid import WHOLE, Shard, runs
from alignscope.perform import perform
from alignscope.report.progress import Reporter
from alignscope.store import Store
from alignscope.study import Run, Study
from alignscope.sweep import (
    Swept,
    check_data,
    check_encoders,
    check_store,
    check_tasks,
    inspect,
    sweep,
)
from alignscope.travel import perform_there


def unfold(study: Study) -> list[Run]:
    """List the runs of a study.

    Raises:
        StudyError, EncoderError: if a task is unknown, a window does not fit, or an encoder is
            not there.
    """
    check_tasks(study)
    return runs(study, partial(inspect, count_blocks=study.counts_blocks))


def conduct(
    study: Study,
    store: Store,
    places: Places,
    workers: int | None = None,
    shard: Shard = WHOLE,
    cluster: Cluster | None = None,
) -> Swept:
    """Perform what ``store`` lacks of a study: here, in ``workers`` processes, or on a ``cluster``.

    >>> conduct(study, Store(Path("results")), Places.of()).done
    30

    Whatever could be wrong with corpora, encoders or the store is said before any training.

    Raises:
        AlignScopeError: as `unfold` and the checks of `sweep` do, or if a worker was killed.
    """
    planned = unfold(study)
    own = shard.part(planned)
    missing = [run for run in own if run not in store]
    check_data(missing, places)
    check_store(planned, store, places)
    check_encoders(missing, places)
    store.put_plan(study, planned)
    work = partial(perform, places=places)
    with Reporter(done=len(own) - len(missing), total=len(own)) as reporter:
        if cluster is not None:
            return sweep(missing, perform_there, store, cluster, reporter)
        if workers is None:  # the steps of several processes would mix
            work = partial(work, progress=reporter.step)
            return sweep(missing, work, store, serial, reporter)
        return sweep(missing, work, store, partial(processes, workers=workers), reporter)
