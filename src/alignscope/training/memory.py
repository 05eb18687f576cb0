"""Memory: how much there is, how much a model needs to be trained, how much some work took."""

import ctypes
import gc
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from alignscope._util.cpu import available_cores
from alignscope.config.run import Precision
from alignscope.encoders.batching import Batch
from alignscope.encoders.precision import autocast, to_float32
from alignscope.tasks.task import Task
from alignscope.training.model import TaskModel

LARGE = 2**20
_MMAP_THRESHOLD = -3
GROUP = Path("/sys/fs/cgroup")
STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def available_memory(device: torch.device) -> int:
    """Bytes that this process may still take: its share, where several divide a machine."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        used, kept = torch.cuda.memory_allocated(device), torch.cuda.memory_reserved(device)
        own = torch.cuda.get_per_process_memory_fraction(device) * total
        return int(min(free + kept - used, own - used))
    share = torch.get_num_threads() / available_cores()
    return int(min(1.0, share) * min(_free_of_machine(), _free_of_group()))


def _free_of_machine() -> float:
    with suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        (free,) = (line for line in lines if line.startswith("MemAvailable:"))
        return 1024 * int(free.split()[1])
    return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


def _free_of_group() -> float:
    """What a container may still take, and infinity outside of one."""
    with suppress(OSError, ValueError):
        limit, used = ((GROUP / f"memory.{name}").read_text() for name in ("max", "current"))
        lines = (GROUP / "memory.stat").read_text().splitlines()
        (files,) = (line for line in lines if line.startswith("inactive_file "))
        return int(limit) - int(used) + int(files.split()[1])  # read files make room by themselves
    return float("inf")


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether an error says that there is no more memory, on a GPU or not."""
    said = ("not enough memory", "can't allocate memory", "out of memory", "ALLOC_FAILED")
    return isinstance(error, torch.OutOfMemoryError) or any(one in str(error) for one in said)


def release_memory() -> None:
    """Give back what nothing uses any more."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def return_freed_memory_to_os() -> None:
    """Have the system take back every large block when it is freed, where memory is tight.

    Otherwise the C library keeps freed blocks, which do not fit the next batch: 1.7 times of what
    is needed instead of 1.25, and a tenth less of time. It does nothing where that library is not
    glibc.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, LARGE)


class PeakMemory:
    """The most memory in use since it was made, above what was in use then.

    >>> peak = PeakMemory(torch.device("cpu"))
    >>> ...
    >>> peak.bytes()        # None where the system does not say
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._before: int | None = None
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            self._before = torch.cuda.memory_allocated(device)
            return
        with suppress(OSError):
            RESET.write_text("5")  # makes VmHWM what is in use now (Linux)
            self._before = _status("VmRSS")

    def bytes(self) -> int | None:
        """The peak so far."""
        if self._before is None:
            return None
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device) - self._before
        return _status("VmHWM") - self._before


def _status(name: str) -> int:
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return 1024 * int(line.split()[1])


@dataclass(frozen=True)
class MemoryEstimate:
    """The bytes that training one model takes."""

    weights: int
    optimiser: int
    """Gradients, AdamW's two moments, and the copy of the best epoch."""
    activations: int
    """What the backward pass of one batch needs."""

    @property
    def total(self) -> int:
        """All together."""
        return self.weights + self.optimiser + self.activations


def measure_memory(
    model: TaskModel, task: Task, batch: Batch, rows: int, precision: Precision, *, copies: bool
) -> MemoryEstimate:
    """Measure what a training step on a batch keeps, without taking it.

    Args:
        rows: of the word embeddings, that are trained (`vocabulary.ReadRows`)
        copies: whether there are epochs of which the best must be kept
    """
    table = model.encoder.get_input_embeddings().weight
    weights = sum(parameter.nbytes for parameter in model.parameters())
    read = table[0].nbytes * min(rows, len(table))
    trained = weights - table.nbytes + read
    activations = _kept_for_backward(model, task, batch, precision)
    cut = read if rows < len(table) else 0
    return MemoryEstimate(weights + cut, (4 if copies else 3) * trained, activations)


def _kept_for_backward(model: TaskModel, task: Task, batch: Batch, precision: Precision) -> int:
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, int] = {}

    def note(value: Tensor) -> Tensor:
        storage = value.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return value

    model.train()
    with (
        torch.random.fork_rng(),
        torch.autograd.graph.saved_tensors_hooks(note, lambda value: value),
        autocast(model.encoder, precision),
    ):
        loss = task.loss(to_float32(model(batch)), batch.gold, batch.mask)
    del loss
    return sum(kept.values())
