"""Progress of studies and of pretraining on standard error.

A terminal gets bars that are redrawn in place. A log file, a batch job or a terminal without cursor
control gets plain lines, one at least every half minute. Output never raises: a study does not end
because its terminal was closed or the disk of its log is full.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, Self

from rich.console import RenderableType
from rich.text import Text

from alignscope._util.text import format_duration
from alignscope.config.grid import run_label
from alignscope.config.registry import TASK_INFO
from alignscope.config.run import RunSpec
from alignscope.experiments.progress_display import Bar, ProgressDisplay, print_status
from alignscope.experiments.time_left import Clock, TimeLeft
from alignscope.results.store import RunFailure, RunOutcome, RunResult

GROUPS_SHOWN = 4
"""Groups of runs that are named on a terminal at once."""


class RunProgress(Protocol):
    """Callbacks of the execution of a group of runs."""

    def phase(self, name: str) -> None:
        """Report what happens from now on, such as ``loading`` or ``evaluating ud:de_pud``."""

    def step(self, step: int, steps: int) -> None:
        """Report that ``step`` of ``steps`` training steps are done."""

    def done(self, result: RunOutcome) -> None:
        """Report how a run ended."""


class SilentProgress:
    """Report nothing; for worker processes, whose parent reports."""

    def phase(self, name: str) -> None:
        """Do nothing."""

    def step(self, step: int, steps: int) -> None:
        """Do nothing."""

    def done(self, result: RunOutcome) -> None:
        """Do nothing."""


class ProgressReporter(ProgressDisplay):
    """Progress of a sweep: the runs that are done, those at work, and the time left.

    Args:
        done: Number of runs whose results were there before.
        total: Number of runs of the study, or of this machine's part of it.
        clock: Source of the time in seconds.
        settings: The short name of every setting, empty if the study has one.
    """

    def __init__(
        self,
        done: int,
        total: int,
        clock: Clock = time.monotonic,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(clock)
        self._settings = settings or {}
        self.completed, self.total = done, total
        self.left = TimeLeft(total - done, clock)
        self._begun = False
        self._groups: list[_RunningGroup] = []
        self._phase, self._phase_start = "", clock()
        self._step: tuple[int, int] | None = None

    def __enter__(self) -> Self:
        if self.left.missing:
            self.open()
        return self

    def begin(self) -> None:
        """Report what is to do. Before, no line is printed, so that an error stands alone."""
        self._begun = True
        todo = self.total - self.completed
        self.line(f"{self.total} runs, {self.completed} done, {todo} pending")

    def close(self) -> None:
        """Remove the bars and report how far the study is."""
        super().close()
        if self._begun:
            self._begun = False
            print_status(f"{self.completed} of {self.total} runs done after {self.elapsed()}.")

    def started(self, group: Sequence[RunSpec]) -> None:
        """Report runs that start now and are trained together."""
        with self._guarded():
            self.left.start(run.address for run in group)
            self._groups.append(_RunningGroup(group, self._settings.get(group[0].setting, "")))
            # Workers in other processes report no phases; in this one, the next phase follows.
            self._phase, self._step = "", None

    def phase(self, name: str) -> None:
        """Report what happens from now on, such as ``loading`` or ``evaluating ud:de_pud``."""
        with self._guarded():
            self._phase, self._phase_start, self._step = name, self.clock(), None

    def step(self, step: int, steps: int) -> None:
        """Report that ``step`` of ``steps`` training steps are done."""
        with self._guarded():
            self._phase = "training"
            self._step = (step, steps)
            self.left.step(step, steps)

    def done(self, result: RunOutcome) -> None:
        """Report how a run ended."""
        with self._guarded():
            self.left.end(result.run.address)
            for group in self._groups:
                group.waiting.discard(result.run.address)
            self._groups = [group for group in self._groups if group.waiting]
            if not self._groups:
                self._phase, self._step = "", None
            if isinstance(result, RunResult):
                self.completed += 1
            label = run_label(result.run, self._settings)
            self.line(f"[{self.completed}/{self.total}] {label}: {_outcome(result)}")

    __call__ = done

    def bars(self) -> Iterator[RenderableType]:
        """Return a bar of the runs, the names of those at work, and a bar of their steps."""
        with self._lock:
            if self._begun:
                yield Bar(self.completed, self.total, self._state())
            for group in self._groups[:GROUPS_SHOWN]:
                yield Text(group.label, no_wrap=True, overflow="ellipsis")
            if len(self._groups) > GROUPS_SHOWN:
                yield Text(f"and {len(self._groups) - GROUPS_SHOWN} groups more")
            if self._step:
                yield Bar(*self._step, self._step_state(), label=self._phase)
            elif self._phase:
                since = format_duration(self.clock() - self._phase_start)
                yield Text(f"{self._phase}, {since}", no_wrap=True, overflow="ellipsis")

    def log_line(self) -> str | None:
        """Return the number of runs done, the time left and what happens now."""
        with self._lock:
            now = [f"{len(self._groups)} groups of runs at work"] if len(self._groups) > 1 else []
            if len(self._groups) == 1:
                now = [self._groups[0].label]
            if self._step:
                now.append(", ".join([self._phase, *self._step_state()]))
            elif self._phase:
                now.append(self._phase)
            return "; ".join([", ".join(self._state()), *now])

    def _state(self) -> list[str]:
        left = self.left.estimate()
        if left and left.seconds < 1:  # late
            left = None
        at = "over" if left and left.is_lower_bound else "about"
        return [
            f"{self.completed}/{self.total} runs",
            f"{self.elapsed()} elapsed",
            *([f"{at} {format_duration(left.seconds)} left"] if left else []),
        ]

    def _step_state(self) -> list[str]:
        step, steps = self._step or (0, 0)
        left = self.left.of_training()
        about = [] if left is None or step == steps else [f"about {format_duration(left)} left"]
        return [f"step {step}/{steps}", *about]


class _RunningGroup:
    """Runs that are trained together and have not all ended."""

    def __init__(self, group: Sequence[RunSpec], setting: str) -> None:
        run = group[0]
        self.waiting = {run.address for run in group}
        windows = dict.fromkeys("REF" if run.window is None else run.window for run in group)
        where = f"{run.task} {run.source}{f', {setting},' if setting else ''} seed {run.seed}"
        self.label = f"{where}: {', '.join(windows)}"


def _outcome(result: RunOutcome) -> str:
    """The source's score in the task's first metric and the run's time, or why the run failed."""
    if isinstance(result, RunFailure):
        return f"failed: {result.reason}"
    first = result.scores[0]  # on the source
    task, metric = result.run.task, first["metric"]
    title = TASK_INFO[task].metrics.get(metric, metric) if task in TASK_INFO else metric
    score = f"{title} {100 * first['score']:.1f} % on the source"
    return f"{score}, {format_duration(result.provenance['seconds'])}"


class StepBar(ProgressDisplay):
    """Progress of one long training, such as a pretraining."""

    def __init__(self, name: str, clock: Clock = time.monotonic) -> None:
        super().__init__(clock)
        self.name = name
        self.left = TimeLeft(1, clock)
        self._state: tuple[int, int, float | None] | None = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __call__(self, step: int, steps: int, loss: float | None = None) -> None:
        """Report a step and its loss, if the loss is known."""
        with self._guarded():
            self._state = (step, steps, loss)
            self.left.step(step, steps)
        if step == steps:
            last = "" if loss is None else f", loss {loss:.3f}"
            self.line(f"{self.name}: {steps} steps done after {self.elapsed()}{last}.")

    def bars(self) -> Iterator[RenderableType]:
        """Return one bar of the steps."""
        with self._lock:
            if self._state:
                yield Bar(*self._state[:2], self._parts(), label=self.name)

    def log_line(self) -> str | None:
        """Return step, loss and time left."""
        with self._lock:
            return f"{self.name}: {', '.join(self._parts())}" if self._state else None

    def _parts(self) -> list[str]:
        step, steps, loss = self._state or (0, 0, None)
        left = self.left.of_training()
        about = [] if left is None else [f"about {format_duration(left)} left"]
        known = [] if loss is None else [f"loss {loss:.3f}"]
        return [f"step {step}/{steps}", *known, *about]
