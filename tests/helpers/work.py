"""Work that is done at once, for sweeps and executors; spawned processes can import it."""

import os
import signal
import time
from collections.abc import Callable

from alignscope.config.run import Run
from alignscope.errors import DivergedError
from alignscope.experiments.grouping import Group
from alignscope.results.store import Failure, Outcome, Result

Work = Callable[[Run], Outcome]

DIVERGES, CRASHES, KILLED, SLOW, INTERRUPTS, NAPS = 13, 14, 15, 16, 17, 18
"""Seeds that do not go well, or not fast."""


def each(work: Work, group: Group) -> list[Result]:
    """Do the work of a group run by run, as `perform_together` does."""
    results: list[Result] = []
    for run in group:
        try:
            results.append(work(run))
        except DivergedError as error:
            results.append(Failure(run, str(error)))
    return results


def outcome(run: Run) -> Outcome:
    """Make up what a run gives, as a function of the run."""
    epochs = [{"epoch": 1, "steps": 9, "loss": 0.1, "dev_score": 0.1 * run.seed}]
    return Outcome(run, [{"score": run.seed / 7}], epochs, {"seconds": 0.0, "data": {}})


def perform(run: Run) -> Outcome:
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
