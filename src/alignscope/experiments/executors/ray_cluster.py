"""The executor that executes groups on a Ray cluster, with or without a shared disk."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from alignscope.config.registry import export_registrations, import_registrations
from alignscope.data.paths import DataPaths
from alignscope.errors import AlignScopeError
from alignscope.experiments.executors.executor import Work
from alignscope.experiments.grouping import Group
from alignscope.experiments.progress import RunProgress
from alignscope.experiments.remote import execute_shipped, files_to_ship
from alignscope.results.store import RunOutcome

Ship = Callable[[Group, DataPaths], Mapping[str, Path]]
"""Return the files of this machine that a group reads, by their names in a data folder."""


@dataclass(frozen=True)
class RayExecutor:
    """Execute groups in processes of a Ray cluster.

    .. code-block:: python

        run_study(study, store, paths, RayExecutor("auto", gpus=0.5))  # two groups share a GPU

    The files that a group reads travel through Ray's object store, once per machine, and outcomes
    come back to this machine, so that no shared disk is needed. AlignScope must be installed on
    every machine.

    Args:
        address: the address of a running cluster, or ``auto`` for the cluster that this machine
            belongs to. By default Ray is started on this machine.
        cpus: the cores of a group, which may be a fraction.
        gpus: the GPUs of a group, which may be a fraction.
        lockstep: the number of runs that are stacked at most; by default all with GPUs, and one
            without.
        retries: how often a group is executed again after its worker or machine was lost.
        ship: returns the files that a group reads.
    """

    address: str | None = None
    cpus: float = 1
    gpus: float = 0
    lockstep: int | None = None
    retries: int = 3
    ship: Ship = files_to_ship

    def group_size(self, pending: int) -> int:
        """Return ``lockstep``; otherwise all pending runs with GPUs, and one without.

        Without GPUs large groups would leave machines without work, whose number is not known.
        """
        return self.lockstep or (max(1, pending) if self.gpus else 1)

    def warm_up(self) -> AbstractContextManager[None]:
        """Do nothing, because Ray starts workers as they are needed."""
        return nullcontext()

    def execute(
        self, groups: Iterable[Group], work: Work, paths: DataPaths, progress: RunProgress
    ) -> Iterator[RunOutcome]:
        """Execute groups as the cluster has room for them; see `Executor.execute`.

        ``progress`` is not called.

        Raises:
            AlignScopeError: if Ray is not installed, there is no cluster, or a group is lost
                more often than ``retries`` allows.
        """
        ray = _import_ray()
        started = _connect(ray, self.address)
        try:
            yield from self._execute(ray, iter(groups), work, paths)
        finally:
            if started:
                ray.shutdown()

    def _execute(
        self, ray: Any, waiting: Iterator[Group], work: Work, paths: DataPaths
    ) -> Iterator[RunOutcome]:
        task = ray.remote(_execute_on_worker).options(
            num_cpus=self.cpus,
            num_gpus=self.gpus,
            max_retries=self.retries,
            num_returns="streaming",
        )
        share = _Share(max(1, int(self.cpus)), self.gpus, export_registrations())
        shared = ray.put((work, share))
        sent: dict[Path, Any] = {}
        in_flight: dict[Any, Group] = {}
        while True:
            while len(in_flight) < self._room(ray) and (group := next(waiting, None)):
                files = self.ship(group, paths)
                for path in files.values():
                    if path not in sent:
                        sent[path] = ray.put(path.read_bytes())
                contents = [sent[path] for path in files.values()]
                in_flight[task.remote(shared, group, list(files), *contents)] = group
            if not in_flight:
                return
            (stream, *_), _ = ray.wait(list(in_flight), num_returns=1)
            try:
                reference = next(stream)
            except StopIteration:
                del in_flight[stream]
            else:
                yield _receive(ray, reference, in_flight[stream])

    def _room(self, ray: Any) -> int:
        """Return one group more than the cluster holds, so that no worker waits for the next."""
        resources = ray.cluster_resources()
        limits = [resources.get("CPU", 0) / self.cpus] if self.cpus else []
        if self.gpus:
            limits.append(resources.get("GPU", 0) / self.gpus)
        return 1 + int(min(limits, default=1))


@dataclass(frozen=True)
class _Share:
    """The resources of a worker, and the tasks and measures that the user registered."""

    threads: int
    gpus: float
    registrations: bytes


def _import_ray() -> Any:
    try:
        import ray
    except ImportError:
        raise AlignScopeError(
            "The executor ray needs Ray, which is not installed. Install it with: "
            "pip install 'alignscope[ray]'"
        ) from None
    return ray


def _connect(ray: Any, address: str | None) -> bool:
    """Join the cluster or start one here; return whether this process has to stop it."""
    if ray.is_initialized():
        return False
    try:
        ray.init(address=address, log_to_driver=False, include_dashboard=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = f"at {address}" if address else "on this machine"
        raise AlignScopeError(f"There is no Ray cluster {where}: {error}") from None
    return True


def _receive(ray: Any, reference: Any, group: Group) -> RunOutcome:
    try:
        outcome: RunOutcome = ray.get(reference)
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError) as error:
        raise AlignScopeError(
            f"The worker of {group[0].label} died too many times, possibly out of memory "
            f"({type(error).__name__}). Finished runs are kept. Run the command again with "
            "more cores or GPUs per run."
        ) from None
    except ray.exceptions.RayTaskError as error:
        cause = error.cause if isinstance(error.cause, Exception) else error
        raise cause from None
    return outcome


def _execute_on_worker(
    shared: tuple[Work, _Share], group: Group, names: list[str], *contents: bytes
) -> Iterator[RunOutcome]:
    """Write the shipped files into a folder of this worker, and execute the group on them."""
    import torch

    work, share = shared
    import_registrations(share.registrations)
    torch.set_num_threads(share.threads)
    if torch.cuda.is_available() and 0 < share.gpus < 1:
        torch.cuda.set_per_process_memory_fraction(share.gpus)
    folder = Path(_worker_folder().name)
    for name, content in zip(names, contents, strict=True):
        path = folder / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    yield from execute_shipped(work, group, folder)


@cache
def _worker_folder() -> tempfile.TemporaryDirectory[str]:
    """Return a temporary folder that is deleted with this worker process."""
    return tempfile.TemporaryDirectory(prefix="alignscope-")
