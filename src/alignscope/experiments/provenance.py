"""How a result came about: what could not change its specification but may explain it."""

import functools
import platform
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from alignscope.config.run import RunSpec
from alignscope.data.paths import DataPaths
from alignscope.encoders.load import resolved_revision
from alignscope.encoders.precision import resolve_precision
from alignscope.experiments.inputs import input_checksums


class Stopwatch:
    """Seconds since the start, and of each named part, of runs that share them."""

    def __init__(self, runs: int = 1) -> None:
        self.started = datetime.now(UTC).isoformat(timespec="seconds")
        self.runs = runs
        self._last = time.monotonic()
        self._laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        """Name what was done since the last lap, for all runs."""
        self._laps[name] = self._since() / self.runs

    def laps_of_one(self, name: str) -> dict[str, float]:
        """Name what was done since the last lap for one run; return its laps: its share of each."""
        return {**self._laps, name: self._since()}

    def _since(self) -> float:
        now = time.monotonic()
        since, self._last = now - self._last, now
        return since


@dataclass(frozen=True)
class ResourceUse:
    """What runs in lockstep were thought to take, and the memory that they took."""

    seconds: float | None
    """Of training and evaluation, told after a few steps."""
    memory: int
    """Bytes: weights, optimiser, and what a batch leaves for the backward pass."""
    peak: int | None
    """Bytes in use at most; None where the system does not say."""


def provenance(
    run: RunSpec, encoder: PreTrainedModel, places: DataPaths, watch: Stopwatch, cost: ResourceUse
) -> dict[str, Any]:
    """Describe versions, machine, cost and data of a run of which similarity came last.

    Seconds and bytes are the run's share, where several were performed in lockstep.
    """
    laps = watch.laps_of_one("similarity")
    return {
        "alignscope": version("alignscope"),
        "commit": _commit(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("torch", "transformers", "tokenizers")},
        "device": _device(encoder),
        "threads": torch.get_num_threads(),
        "precision": resolve_precision(encoder, run.training.precision),
        "encoder": {
            "name": run.encoder.name,
            "revision": run.encoder.revision,
            "resolved": resolved_revision(encoder),
        },
        "started": watch.started,
        "lockstep": watch.runs,
        "seconds": round(sum(laps.values()), 3),
        "laps": {name: round(seconds, 3) for name, seconds in laps.items()},
        "memory": None if cost.peak is None else cost.peak // watch.runs,
        "estimated": {
            "seconds": None if cost.seconds is None else round(cost.seconds / watch.runs, 3),
            "memory": cost.memory // watch.runs,
        },
        "data": input_checksums(run, places),
    }


def _device(encoder: PreTrainedModel) -> str:
    if encoder.device.type == "cuda":
        return torch.cuda.get_device_name(encoder.device)
    return f"cpu ({platform.machine()})"


@functools.cache
def _commit() -> str | None:
    """The commit of this checkout, ``+`` if it was changed; None where it is not one."""
    folder = Path(__file__).parent
    try:
        git = ["git", "-C", str(folder)]
        # A checkout of something else around an installed package would name a foreign commit.
        tracked = subprocess.run([*git, "ls-files", "--error-unmatch", __file__], **_QUIET)
        if tracked.returncode:
            return None
        head: str = subprocess.run([*git, "rev-parse", "HEAD"], **_QUIET).stdout.strip()
        dirty = subprocess.run([*git, "status", "--porcelain", "-uno"], **_QUIET).stdout.strip()
    except OSError:
        return None
    return head + ("+" if dirty else "")


_QUIET: dict[str, Any] = {"capture_output": True, "text": True, "check": False}
