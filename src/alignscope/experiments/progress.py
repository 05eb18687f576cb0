"""Progress with time left: a bar on a terminal, lines in a log."""

import sys
import time
from types import TracebackType
from typing import Self

from alignscope._util.text import format_duration
from alignscope.results.store import RunFailure, RunResult


def print_status(line: str) -> None:
    """Say something beside the results."""
    print(line, file=sys.stderr, flush=True)


class ProgressReporter:
    """Says how each run ended and how long the rest will take."""

    def __init__(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        self.missing = total - done
        self.ended = 0  # in this call, failed ones included
        self.start = time.monotonic()
        self.begun = False

    def __enter__(self) -> Self:
        return self

    def begin(self) -> None:
        """Say what there is to do; before, a mistake of the user is all that is said."""
        self.begun = True
        print_status(f"{self.total} runs, {self.done} done, {self.missing} to do")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self.begun:
            return
        took = format_duration(time.monotonic() - self.start)
        print_status(f"{self.done} of {self.total} runs done, {took}")

    def step(self, step: int, steps: int) -> None:
        """Show on a terminal how far the run at hand is."""
        if sys.stderr.isatty() and (step % 10 == 0 or step == steps):
            print(f"\r\033[Kstep {step} of {steps}", end="", file=sys.stderr, flush=True)

    def __call__(self, result: RunResult | RunFailure) -> None:
        """Report one run."""
        self.ended += 1
        if isinstance(result, RunFailure):
            said = f"failed: {result.reason}"
        else:
            self.done += 1
            said = _said(result)
        per_run = (time.monotonic() - self.start) / self.ended
        left = format_duration(per_run * (self.missing - self.ended))
        line = f"[{self.done}/{self.total}] {result.run.label}: {said}; about {left} left"
        clear = "\r\033[K" if sys.stderr.isatty() else ""
        print_status(clear + line)


def _said(outcome: RunResult) -> str:
    """The source's score in the task's first metric, and the time it took."""
    first = outcome.scores[0]
    score = f"{first['metric']} {100 * first['score']:.1f} on {first['corpus']}"
    return f"{score}, {format_duration(outcome.provenance['seconds'])}"


class StepBar:
    """Progress of one long training."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.start = time.monotonic()
        self.first: int | None = None
        self.shown = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if sys.stderr.isatty():
            print(file=sys.stderr)

    def __call__(self, step: int, steps: int, loss: float) -> None:
        """Show a step: in place on a terminal, every half minute in a log."""
        if self.first is None:  # the time this step took is not known
            self.first, self.start = step, time.monotonic()
            return
        terminal, now = sys.stderr.isatty(), time.monotonic()
        if step < steps and now - self.shown < (0.5 if terminal else 30):
            return
        self.shown = now
        left = (now - self.start) / (step - self.first) * (steps - step)
        line = (
            f"{self.name}: step {step}/{steps}, loss {loss:.3f}, about {format_duration(left)} left"
        )
        end = "\n" if not terminal else ""
        print(("\r\033[K" if terminal else "") + line, end=end, file=sys.stderr, flush=True)
