"""The time that a sweep still takes, estimated from the groups of runs that have ended."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Clock = Callable[[], float]
"""Seconds from any origin, such as `time.monotonic`."""

SETTLED = 1.0
"""Seconds without a further result after which the results of a group count.

Runs that are trained together end in the same instant. An estimate after the first of them would
attribute the time of all to one.
"""


@dataclass
class _Group:
    """Runs that started together, and how many of them have ended."""

    start: float
    size: int
    ended: int = 0
    last: float = 0.0

    def is_settled(self, now: float) -> bool:
        return self.ended == self.size or (self.ended > 0 and now - self.last >= SETTLED)


@dataclass(frozen=True)
class Estimate:
    """Seconds left; a lower bound as long as no run has ended."""

    seconds: float
    is_lower_bound: bool = False


class TimeLeft:
    """Estimate the time left of ``missing`` runs.

    >>> now = 0.0
    >>> left = TimeLeft(6, clock=lambda: now)
    >>> left.start(["a", "b", "c"])
    >>> now = 30.0
    >>> for run in "abc":
    ...     left.end(run)
    >>> left.estimate()
    Estimate(seconds=30.0, is_lower_bound=False)
    """

    def __init__(self, missing: int, clock: Clock = time.monotonic) -> None:
        self.missing, self.clock = missing, clock
        self._group_of: dict[str, _Group] = {}
        self._groups: list[_Group] = []
        self._most_at_once = 1
        self._training: _Training | None = None

    def start(self, runs: Iterable[str]) -> None:
        """Note that the runs with these addresses start now, together."""
        addresses = list(runs)
        group = _Group(self.clock(), len(addresses))
        self._groups.append(group)
        self._group_of |= dict.fromkeys(addresses, group)
        self._most_at_once = max(self._most_at_once, len(self._running()))
        self._training = None

    def end(self, run: str) -> None:
        """Note that a run has ended, with a result or without."""
        self.missing -= 1
        if group := self._group_of.get(run):
            group.ended, group.last = group.ended + 1, self.clock()

    def step(self, step: int, steps: int) -> None:
        """Note a step of the training of the only group that runs."""
        now = self.clock()
        if self._training is None or step <= self._training.last_step:
            self._training = _Training(now, step)
        self._training.last_step, self._training.steps, self._training.now = step, steps, now

    def of_training(self) -> float | None:
        """Return the seconds that the steps left will take; None before the second step."""
        training = self._training
        if training is None or training.per_step is None:
            return None
        return training.per_step * (training.steps - training.last_step)

    def estimate(self) -> Estimate | None:
        """Return the time left of all missing runs; None where nothing is known yet."""
        now = self.clock()
        known = [group for group in self._groups if group.is_settled(now)]
        if not known:
            return self._lower_bound(now)
        per_run = sum(group.last - group.start for group in known) / sum(g.ended for g in known)
        running = self._running()
        expected = [per_run * (group.size - group.ended) for group in running]
        elapsed = [now - (group.last if group.ended else group.start) for group in running]
        spent = sum(min(pair) for pair in zip(expected, elapsed, strict=True))
        at_once = len(running) or min(self._most_at_once, max(self.missing, 1))
        longest = max((e - s for e, s in zip(expected, elapsed, strict=True)), default=0.0)
        return Estimate(max((per_run * self.missing - spent) / at_once, longest, 0.0))

    def _running(self) -> list[_Group]:
        return [group for group in self._groups if group.ended < group.size]

    def _lower_bound(self, now: float) -> Estimate | None:
        """Extrapolate the steps of the first group, whose evaluation is yet to come."""
        left = self.of_training()
        if left is None or len(self._groups) != 1:
            return None
        (group,) = self._groups
        whole = now - group.start + left
        return Estimate(whole * self.missing / group.size - (now - group.start), True)


@dataclass
class _Training:
    """The steps of one training, from the first one that was noted."""

    start: float
    first_step: int
    last_step: int = -1
    steps: int = 0
    now: float = 0.0

    @property
    def per_step(self) -> float | None:
        count = self.last_step - self.first_step
        return (self.now - self.start) / count if count > 0 else None
