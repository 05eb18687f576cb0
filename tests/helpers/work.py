"""Work that is done at once, for sweeps and executors; spawned processes can import it."""

import os
import signal
import time
from collections.abc import Callable

from alignscope.config.run import RunSpec
from alignscope.errors import DivergedError
from alignscope.experiments.grouping import Group
from alignscope.results.store import RunFailure, RunOutcome, RunResult

Work = Callable[[RunSpec], RunResult]

DIVERGES, CRASHES, KILLED, SLOW, INTERRUPTS, NAPS = 13, 14, 15, 16, 17, 18
"""Seeds that do not go well, or not fast."""


def each(work: Work, group: Group) -> list[RunOutcome]:
    """Do the work of a group run by run, as `perform_together` does."""
    results: list[RunOutcome] = []
    for run in group:
        try:
            results.append(work(run))
        except DivergedError as error:
            results.append(RunFailure(run, str(error)))
    return results


def outcome(run: RunSpec) -> RunResult:
    """Make up what a run gives, as a function of the run."""
    epochs = [{"epoch": 1, "steps": 9, "loss": 0.1, "dev_score": 0.1 * run.seed}]
    return RunResult(run, [{"score": run.seed / 7}], epochs, {"seconds": 0.0, "data": {}})


def perform(run: RunSpec) -> RunResult:
    """Give an outcome, or do what the seed says."""
    if run.seed == DIVERGES:
        raise DivergedError(f"the loss is nan at step {run.seed} of 9")
    if run.seed == CRASHES:
        raise ZeroDivisionError
    if run.seed == KILLED:
        os.kill(os.getpid(), signal.SIGKILL)
    if run.seed == SLOW:
        time.sleep(1)
    if run.seed == INTERRUPTS:  # as a Ctrl-C does, in the midst of a long run
        time.sleep(1)
        os.kill(os.getppid(), signal.SIGINT)
    if run.seed in (INTERRUPTS, NAPS):
        time.sleep(60)
    return outcome(run)
