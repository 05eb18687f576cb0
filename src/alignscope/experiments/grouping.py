"""Groups of runs that are stacked, and the shard of a study that a machine executes."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch

from alignscope.config.run import EncoderSpec, RunSpec
from alignscope.errors import StackingError, StudyError
from alignscope.experiments.setup import build_stack

Group = tuple[RunSpec, ...]
"""Runs that execute together: one, or several that differ in their windows alone."""


@dataclass(frozen=True)
class Shard:
    """The part of a study for one of several machines: number ``number`` of ``of``, from 1."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read a shard such as ``2/8``.

        Raises:
            StudyError: if the text has another form, or there is no such shard.
        """
        match = re.fullmatch(r"([0-9]+)/([0-9]+)", text)
        shard = cls(*map(int, match.groups())) if match else None
        if shard is None or not 1 <= shard.number <= shard.of:
            raise StudyError(
                f"The shard {text} is not valid. Write for example 2/8 for the second of eight "
                "parts; 1/8 to 8/8 are allowed then."
            )
        return shard

    def select(self, runs: Sequence[RunSpec]) -> list[RunSpec]:
        """Return the runs of this shard in their order; every run is in exactly one shard.

        Runs that can be stacked stay together as far as shards of equal sizes allow.
        """
        keys = {run.address: _group_key(run) for run in runs}
        addresses = sorted(keys, key=lambda address: (keys[address], address))
        start, end = (len(addresses) * n // self.of for n in (self.number - 1, self.number))
        selected = set(addresses[start:end])
        return [run for run in runs if run.address in selected]


WHOLE_STUDY = Shard(1, 1)


def group_by_seed(runs: Iterable[RunSpec], most: int) -> list[Group]:
    """Group runs that differ in their windows alone, into groups of about equal sizes.

    With REF and four windows, two seeds and ``most=4``, the groups have 3, 2, 3 and 2 runs. Runs
    of one seed have the same batches and the same head, so that they can be stacked; runs of
    different seeds cannot.

    Args:
        runs: the runs.
        most: the largest size of a group.
    """
    by_key: dict[str, list[RunSpec]] = {}
    for run in runs:
        by_key.setdefault(_group_key(run), []).append(run)
    return [
        group
        for members in by_key.values()
        for group in _split_evenly(members, -(-len(members) // most))
    ]


def _group_key(run: RunSpec) -> str:
    """Return everything that the runs of a group have in common.

    The window of a stacked model is trained, and computed by the code of its blocks. A run whose
    window is frozen or skipped therefore has a group of its own.
    """
    common = run.model_dump_json(exclude={"window", "init", "adapters", "similarity", "freeze"})
    return f"{common} {run.address}" if run.trains_alone else common


def _split_evenly(runs: list[RunSpec], count: int) -> Iterator[Group]:
    """Split runs into ``count`` groups, the larger ones first."""
    for number in range(count):
        start, end = (-(-len(runs) * n // count) for n in (number, number + 1))
        yield tuple(runs[start:end])


def _ignore(line: str) -> None:
    pass


def group_for_stacking(
    runs: Iterable[RunSpec], most: int, report: Callable[[str], None] = _ignore
) -> list[Group]:
    """Group runs that can be stacked, ``most`` at a time.

    Args:
        runs: the runs.
        most: the largest size of a group.
        report: receives one line for every encoder that cannot be stacked, with the reason. The
            runs of such an encoder form groups of one.
    """
    by_encoder: dict[EncoderSpec, list[RunSpec]] = {}
    for run in runs:
        by_encoder.setdefault(run.encoder, []).append(run)
    groups: list[Group] = []
    for members in by_encoder.values():
        stacked = group_by_seed(members, most)
        try:
            if largest := max(stacked, key=len, default=()):
                build_stack(largest[:2], where=torch.device("cpu"))
        except StackingError as error:
            report(f"{error} Its runs are trained one by one.")
            stacked = group_by_seed(members, 1)
        groups += stacked
    return groups
