"""Describe a study and run it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alignscope.api.results import StudyResults, load_results
from alignscope.config import study as _study
from alignscope.config.run import RunSpec
from alignscope.config.study import read_study_as
from alignscope.data.paths import DataPaths
from alignscope.results.store import ResultStore

if TYPE_CHECKING:
    from alignscope.experiments.cost import CostEstimate
    from alignscope.experiments.executors import Executor
    from alignscope.experiments.grouping import Shard


class Study(_study.Study):
    """A grid of fine-tunings: encoders × tasks × sources × windows × seeds.

    >>> study = Study(
    ...     encoders=["embedded"], windows=["tiles:2"], seeds=[1, 2],
    ...     training={"learning_rate": 5e-4}, tasks={"pos": {"sources": ["synthetic:vesti/news"]}},
    ... )
    >>> len(study.expand())  # REF and four windows, two seeds
    10

    The arguments are the keys of a study file; `docs/studies.md` lists them.
    """

    @classmethod
    def from_toml(cls, path: str | Path) -> "Study":
        """Read a study file; its ``data`` folders are relative to the file.

        Raises:
            StudyError: if the file does not exist, or a key or value in it is not allowed.
        """
        study, folder = read_study_as(cls, Path(path)), Path(path).parent
        data = tuple(str(folder / name) for name in study.data)
        return study.model_copy(update={"data": data})

    def expand(self) -> list[RunSpec]:
        """Return the runs of the study, REF before its windows.

        Raises:
            StudyError: if a window does not fit an encoder, or a task is unknown.
            EncoderError: if an encoder does not exist.
        """
        from alignscope.experiments.study import expand_study

        return expand_study(self)

    def pending(self, store: str | Path = "results") -> list[RunSpec]:
        """Return the runs that ``store`` lacks.

        Raises:
            StudyError, EncoderError: as `expand` does.
        """
        opened = ResultStore(Path(store))
        return [run for run in self.expand() if run not in opened]

    def estimate(
        self,
        store: str | Path = "results",
        *,
        workers: int | None = None,
        lockstep: int | None = None,
        data: Sequence[str | Path] = (),
        offline: bool = False,
    ) -> "list[CostEstimate]":
        """Estimate the cost of the runs that ``store`` lacks, from a few training steps.

        Args:
            store: the folder of results.
            workers: the number of processes that will share this machine; by default one.
            lockstep: how many runs are stacked at most; by default as many as fit in memory.
            data: folders with corpora, searched before those in ``ALIGNSCOPE_DATA``.
            offline: whether to refuse corpora that are not on this machine.

        Returns:
            Seconds, bytes of memory and bytes on disk, for each encoder, task and source.

        Raises:
            AlignScopeError: if a corpus or an encoder is not what the study needs.
        """
        from alignscope.experiments.study import estimate_cost

        paths = DataPaths.of([*data, *self.data], download=not offline)
        return estimate_cost(self, ResultStore(Path(store)), paths, workers, lockstep)


def run_study(
    study: _study.Study,
    store: str | Path = "results",
    *,
    executor: "Executor | None" = None,
    shard: str = "1/1",
    data: Sequence[str | Path] = (),
    offline: bool = False,
) -> "StudyResults":
    """Execute the runs of a study that ``store`` lacks, and return all of its results.

    An interrupted study resumes: every run that has ended is in the store.

    Args:
        study: the study.
        store: the folder of results.
        executor: where runs execute: `SerialExecutor` (the default), `ProcessExecutor` or
            `RayExecutor`.
        shard: the part of the study that this machine executes, such as ``2/8``.
        data: folders with corpora, searched before those in ``ALIGNSCOPE_DATA``.
        offline: whether to refuse what is not on this machine instead of downloading it.

    Raises:
        AlignScopeError: if a corpus, an encoder or the store is not what the study needs; this is
            checked before any training.
    """
    from alignscope.experiments.grouping import Shard

    part = Shard.parse(shard)
    paths = DataPaths.of([*data, *study.data], download=not offline)
    return run_study_with_paths(study, store, paths, executor, part)


def run_study_with_paths(
    study: _study.Study,
    store: str | Path,
    paths: DataPaths,
    executor: "Executor | None" = None,
    shard: "Shard | None" = None,
) -> StudyResults:
    """Execute a study as `run_study` does, with all folders given and no environment variables.

    Raises:
        AlignScopeError: as `run_study` does.
    """
    from alignscope.experiments import study as experiments
    from alignscope.experiments.grouping import WHOLE_STUDY

    opened = ResultStore(Path(store))
    sweep = experiments.run_study(study, opened, paths, executor, shard or WHOLE_STUDY)
    results = load_results(store, study)
    results.sweep = sweep
    return results
