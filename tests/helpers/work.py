"""Runs that take no time, for tests of sweeps and executors; worker processes can import them."""

import os
import signal
import time
from collections.abc import Callable, Iterator

from alignscope.config.run import RunSpec
from alignscope.data.paths import DataPaths
from alignscope.errors import DivergedError
from alignscope.experiments.grouping import Group
from alignscope.experiments.progress import RunProgress
from alignscope.results.store import RunFailure, RunOutcome, RunResult

Work = Callable[[RunSpec], RunResult]

DIVERGES, CRASHES, KILLED, SLOW, INTERRUPTS, NAPS = 13, 14, 15, 16, 17, 18
"""Seeds of runs that fail or take time."""


def execute_each(
    work: Work, group: Group, paths: DataPaths, progress: RunProgress
) -> Iterator[RunOutcome]:
    """Execute the runs of a group one by one, with the interface of `execute_runs`."""
    for run in group:
        try:
            yield work(run)
        except DivergedError as error:
            yield RunFailure(run, str(error))


def outcome(run: RunSpec) -> RunResult:
    """Return an invented result, a function of the specification."""
    epochs = [{"epoch": 1, "steps": 9, "loss": 0.1, "dev_score": 0.1 * run.seed}]
    return RunResult(run, [{"score": run.seed / 7}], epochs, {"seconds": 0.0, "data": {}})


def perform(run: RunSpec) -> RunResult:
    """Return an invented result, or fail as the seed determines."""
    if run.seed == DIVERGES:
        raise DivergedError(f"the loss is nan at step {run.seed} of 9")
    if run.seed == CRASHES:
        raise ZeroDivisionError
    if run.seed == KILLED:
        os.kill(os.getpid(), signal.SIGKILL)
    if run.seed == SLOW:
        time.sleep(1)
    if run.seed == INTERRUPTS:  # like Ctrl-C during a long run
        time.sleep(1)
        os.kill(os.getppid(), signal.SIGINT)
    if run.seed in (INTERRUPTS, NAPS):
        time.sleep(60)
    return outcome(run)
