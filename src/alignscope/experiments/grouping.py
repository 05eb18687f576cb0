"""Which runs are executed together, and which part of a study a machine executes."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch

from alignscope.config.run import EncoderSpec, RunSpec
from alignscope.errors import StackingError, StudyError
from alignscope.experiments.setup import build_stack


@dataclass(frozen=True)
class Shard:
    """A part of a study, for one of several machines: the ``number``-th of ``of``, from 1."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read ``2/8``.

        Raises:
            StudyError: if it is not so written, or there is no such part.
        """
        match = re.fullmatch(r"([0-9]+)/([0-9]+)", text)
        shard = cls(*map(int, match.groups())) if match else None
        if shard is None or not 1 <= shard.number <= shard.of:
            raise StudyError(f"shard {text} is not a part such as 2/8, of 1/8 to 8/8")
        return shard

    def select(self, runs: Sequence[RunSpec]) -> list[RunSpec]:
        """Return the runs of this part, in their order: each run is in one part.

        Runs that could be performed together stay together, as far as parts of equal sizes allow.
        """
        keys = {run.address: _group_key(run) for run in runs}
        dealt = sorted(keys, key=lambda address: (keys[address], address))
        first, end = (len(dealt) * n // self.of for n in (self.number - 1, self.number))
        own = set(dealt[first:end])
        return [run for run in runs if run.address in own]


WHOLE_STUDY = Shard(1, 1)

Group = tuple[RunSpec, ...]
"""Runs that are performed together: one, or several that differ in their windows alone."""


def group_by_seed(runs: Iterable[RunSpec], most: int) -> list[Group]:
    """Group runs that differ only in what was re-initialised, at most ``most``, of equal sizes.

    >>> [len(group) for group in group_by_seed(runs, most=4)]    # REF and four windows, two seeds
    [3, 2, 3, 2]

    Runs of one seed have the same batches and the same head, so that they can be trained in
    lockstep; those of another seed do not.
    """
    alike: dict[str, list[RunSpec]] = {}
    for run in runs:
        alike.setdefault(_group_key(run), []).append(run)
    return [
        group for same in alike.values() for group in _split_evenly(same, -(-len(same) // most))
    ]


def _group_key(run: RunSpec) -> str:
    """What runs of one group have in common."""
    return run.model_dump_json(exclude={"window", "init", "adapters", "similarity"})


def _split_evenly(runs: list[RunSpec], groups: int) -> Iterator[Group]:
    """Split into so many groups, the larger first."""
    for number in range(groups):
        start, end = (-(-len(runs) * n // groups) for n in (number, number + 1))
        yield tuple(runs[start:end])


def group_for_stacking(
    runs: Iterable[RunSpec], most: int, tell: Callable[[str], None] = lambda said: None
) -> list[Group]:
    """Group runs that can be performed in lockstep, ``most`` at a time.

    Where encoders cannot be stacked, ``tell`` is given one line that says so, and why.
    """
    by_encoder: dict[EncoderSpec, list[RunSpec]] = {}
    for run in runs:
        by_encoder.setdefault(run.encoder, []).append(run)
    found: list[Group] = []
    for own in by_encoder.values():
        groups = group_by_seed(own, most)
        try:
            if largest := max(groups, key=len, default=()):
                build_stack(largest[:2], where=torch.device("cpu"))
        except StackingError as error:
            tell(f"{error}; its runs are trained one by one")
            groups = group_by_seed(own, 1)
        found += groups
    return found
