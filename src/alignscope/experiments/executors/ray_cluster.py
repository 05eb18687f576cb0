"""Runs on a Ray cluster: one machine or many, with or without a disk they share."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from alignscope.config.registry import export_registrations, import_registrations
from alignscope.errors import AlignScopeError
from alignscope.experiments.grouping import Group
from alignscope.results.store import RunOutcome

Carry = Callable[[Group], Mapping[str, Path]]
"""What runs need of this machine's disk: files here, by their names there."""
WorkThere = Callable[[Group, Path], list[RunOutcome]]
"""Perform runs with the files that were carried into a folder."""


@dataclass(frozen=True)
class RayExecutor:
    """An executor whose workers are processes of a Ray cluster.

    >>> executor = RayExecutor(carry=files_of, gpus=0.5)     # two runs share a GPU
    >>> sweep(together(runs), perform_there, store, executor)

    ``address`` is that of a running cluster (``auto`` for the one this machine is part of); without
    one, Ray is started on this machine. ``cpus`` and ``gpus`` are what a group of runs takes, and
    may be fractions. The files of ``carry`` go through Ray's object store, each once a machine, and
    results come back here: no disk is shared. Runs whose worker or machine is lost are performed
    again, up to ``retries`` times. Every machine must have AlignScope installed.
    """

    carry: Carry
    address: str | None = None
    cpus: float = 1
    gpus: float = 0
    retries: int = 3

    def __call__(self, groups: Iterable[Group], work: WorkThere) -> Iterator[list[RunOutcome]]:
        """Perform groups as the cluster has room for them; results in the order they end.

        Raises:
            AlignScopeError: if Ray is not installed or not reached, or a run is lost too often.
        """
        ray = _ray()
        started = _connect(ray, self.address)
        try:
            yield from self._perform(ray, iter(groups), work)
        finally:
            if started:
                ray.shutdown()

    def _perform(
        self, ray: Any, waiting: Iterator[Group], work: WorkThere
    ) -> Iterator[list[RunOutcome]]:
        task = ray.remote(_attempt).options(
            num_cpus=self.cpus, num_gpus=self.gpus, max_retries=self.retries
        )
        shared, share = ray.put(work), (max(1, int(self.cpus)), self.gpus)
        registrations = export_registrations()
        sent: dict[Path, Any] = {}
        flying: dict[Any, Group] = {}
        while True:
            while len(flying) < self._room(ray) and (group := next(waiting, None)):
                files = self.carry(group)
                for path in files.values():
                    if path not in sent:
                        sent[path] = ray.put(path.read_bytes())
                contents = [sent[path] for path in files.values()]
                flying[task.remote(shared, group, share, registrations, list(files), *contents)] = (
                    group
                )
            if not flying:
                return
            (ended, *_), _ = ray.wait(list(flying), num_returns=1)
            yield _result(ray, ended, flying.pop(ended))

    def _room(self, ray: Any) -> int:
        """How many groups the cluster holds at once, and one more, so that it need not wait."""
        there = ray.cluster_resources()
        limits = [there.get("CPU", 0) / self.cpus] if self.cpus else []
        if self.gpus:
            limits.append(there.get("GPU", 0) / self.gpus)
        return 1 + int(min(limits, default=1))


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise AlignScopeError(
            "the executor ray needs Ray, which is not installed: pip install 'alignscope[ray]'"
        ) from None
    return ray


def _connect(ray: Any, address: str | None) -> bool:
    """Join the cluster, or start one here; whether it is ours to end."""
    if ray.is_initialized():
        return False
    try:
        ray.init(address=address, log_to_driver=False, include_dashboard=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = f"at {address}" if address else "on this machine"
        raise AlignScopeError(f"there is no Ray cluster {where}: {error}") from None
    return True


def _result(ray: Any, ended: Any, group: Group) -> list[RunOutcome]:
    try:
        result: list[RunOutcome] = ray.get(ended)
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError) as error:
        raise AlignScopeError(
            f"{group[0].label} was lost with its worker too often, perhaps for want of memory; "
            f"finished runs are kept: {type(error).__name__}"
        ) from None
    except ray.exceptions.RayTaskError as error:
        cause = error.cause if isinstance(error.cause, Exception) else error
        raise cause from None
    return result


def _attempt(
    work: WorkThere,
    group: Group,
    share: tuple[int, float],
    registrations: bytes,
    names: list[str],
    *contents: bytes,
) -> list[RunOutcome]:
    """Perform runs on a worker, with the files that came along."""
    import torch

    threads, gpus = share
    torch.set_num_threads(threads)
    import_registrations(registrations)
    if torch.cuda.is_available() and 0 < gpus < 1:
        torch.cuda.set_per_process_memory_fraction(gpus)
    folder = Path(_own_folder().name)
    for name, content in zip(names, contents, strict=True):
        path = folder / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return work(group, folder)


@cache
def _own_folder() -> tempfile.TemporaryDirectory[str]:
    """The folder of a worker process; gone with it."""
    return tempfile.TemporaryDirectory(prefix="alignscope-")
