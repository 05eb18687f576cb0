"""The provenance of a result: versions, machine, time, memory and data.

Nothing here is part of a run's specification, but it may explain a difference between results.
"""

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
    """The seconds of each phase of runs that share them."""

    def __init__(self, runs: int = 1) -> None:
        self.started = datetime.now(UTC).isoformat(timespec="seconds")
        self.runs = runs
        self._last = time.monotonic()
        self._laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        """End a phase that all runs share; the seconds of a phase that comes again add up."""
        self._laps[name] = self._laps.get(name, 0.0) + self._elapsed() / self.runs

    def laps_of_one(self, name: str) -> dict[str, float]:
        """End a phase of a single run; return its seconds in every phase, shared ones divided."""
        return {**self._laps, name: self._elapsed()}

    def _elapsed(self) -> float:
        now = time.monotonic()
        elapsed, self._last = now - self._last, now
        return elapsed


@dataclass(frozen=True)
class ResourceUse:
    """The time and memory of stacked runs, estimated and measured."""

    watch: Stopwatch
    estimated_seconds: float | None
    """Seconds of training and evaluation, estimated from the first steps; None with too few."""
    estimated_memory: int
    """Bytes of weights, optimizer and activations."""
    peak_memory: int | None
    """Measured peak in bytes; None if the system does not report it."""


def provenance(
    run: RunSpec,
    encoder: PreTrainedModel,
    paths: DataPaths,
    use: ResourceUse,
    strength: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Describe versions, machine, resources and data of a run, after its last phase, similarity.

    Seconds and bytes are the run's share if several were stacked.

    Args:
        run: the specification.
        encoder: the fine-tuned encoder.
        paths: folders with corpora.
        use: time and memory of the run.
        strength: how hard the window was hit (`measure_strengths`); None for REF.
    """
    watch = use.watch
    laps = watch.laps_of_one("similarity")
    seconds, peak = use.estimated_seconds, use.peak_memory
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
        "laps": {name: round(lap, 3) for name, lap in laps.items()},
        "memory": None if peak is None else peak // watch.runs,
        "estimated": {
            "seconds": None if seconds is None else round(seconds / watch.runs, 3),
            "memory": use.estimated_memory // watch.runs,
        },
        "data": input_checksums(run, paths),
        **({} if strength is None else {"strength": strength}),
    }


def _device(encoder: PreTrainedModel) -> str:
    if encoder.device.type == "cuda":
        return torch.cuda.get_device_name(encoder.device)
    return f"cpu ({platform.machine()})"


@functools.cache
def _commit() -> str | None:
    """Return the commit of this checkout, with ``+`` if files were changed; None outside of one."""
    folder = Path(__file__).parent
    try:
        git = ["git", "-C", str(folder)]
        # An installed package may lie inside the checkout of another project.
        tracked = subprocess.run([*git, "ls-files", "--error-unmatch", __file__], **_QUIET)
        if tracked.returncode:
            return None
        head: str = subprocess.run([*git, "rev-parse", "HEAD"], **_QUIET).stdout.strip()
        dirty = subprocess.run([*git, "status", "--porcelain", "-uno"], **_QUIET).stdout.strip()
    except OSError:
        return None
    return head + ("+" if dirty else "")


_QUIET: dict[str, Any] = {"capture_output": True, "text": True, "check": False}
