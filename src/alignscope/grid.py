"""The grid of a study, unfolded into its runs."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from alignscope.comparison import StudySimilarity
from alignscope.data.corpus import parse_corpus
from alignscope.errors import StudyError
from alignscope.study import Encoder, Init, Run, Study, TaskGrid
from alignscope.window import Window, check, unfold_windows


@dataclass(frozen=True)
class Inspected:
    """What unfolding a study must know of an encoder: who it is and how many blocks it has."""

    identity: str
    blocks: int | None
    """None where it cannot be known yet (a hub that is not reached)."""


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

    def part(self, runs: Sequence[Run]) -> list[Run]:
        """Return the runs of this part, in their order: each run is in one part.

        Runs that could be performed together stay together, as far as parts of equal sizes allow.
        """
        keys = {run.address: _apart_from_windows(run) for run in runs}
        dealt = sorted(keys, key=lambda address: (keys[address], address))
        first, end = (len(dealt) * n // self.of for n in (self.number - 1, self.number))
        own = set(dealt[first:end])
        return [run for run in runs if run.address in own]


WHOLE = Shard(1, 1)

Group = tuple[Run, ...]
"""Runs that are performed together: one, or several that differ in their windows alone."""


def together(runs: Iterable[Run], most: int) -> list[Group]:
    """Group runs that differ only in what was re-initialised, at most ``most``, of equal sizes.

    >>> [len(group) for group in together(runs, most=4)]    # REF and four windows, two seeds
    [3, 2, 3, 2]

    Runs of one seed have the same batches and the same head, so that they can be trained in
    lockstep; those of another seed do not.
    """
    alike: dict[str, list[Run]] = {}
    for run in runs:
        alike.setdefault(_apart_from_windows(run), []).append(run)
    return [group for same in alike.values() for group in _dealt(same, -(-len(same) // most))]


def _apart_from_windows(run: Run) -> str:
    """What runs of one group have in common."""
    return run.model_dump_json(exclude={"window", "init", "adapters", "similarity"})


def _dealt(runs: list[Run], groups: int) -> Iterator[Group]:
    """Split into so many groups, the larger first."""
    for number in range(groups):
        start, end = (-(-len(runs) * n // groups) for n in (number, number + 1))
        yield tuple(runs[start:end])


def runs(study: Study, inspect: Callable[[Encoder], Inspected]) -> list[Run]:
    """Unfold a study into its runs, REF before its windows.

    >>> [run.window for run in runs(study, inspect)][:4]
    [None, '0-1', '2-3', '4-5']

    Raises:
        StudyError: if there is no encoder, or a window does not fit one.
    """
    if not study.encoders:
        raise StudyError(f"study {study.name} names no encoder; give one with --encoder")
    found = []
    for encoder in study.encoders:
        inspected = inspect(encoder)
        windows = _windows_of(study, encoder, inspected.blocks)
        for task, grid in study.tasks.items():
            for source in grid.sources:
                found += list(_runs_of(study, encoder, inspected, task, source, windows))
    return list({run.address: run for run in found}.values())


def _runs_of(
    study: Study,
    encoder: Encoder,
    inspected: Inspected,
    task: str,
    source: str,
    windows: list[Window],
) -> Iterator[Run]:
    grid = study.tasks[task]
    variants: list[tuple[Window | None, Init | None]] = [(None, None)]
    variants += [(window, init) for init in study.init for window in windows]
    for seed in study.seeds:
        for window, init in variants:
            yield Run(
                encoder=encoder,
                identity=inspected.identity,
                task=task,
                source=source,
                evaluated=_evaluated(source, grid),
                window=None if window is None else str(window),
                init=init,
                adapters=None if window is None else study.adapters,
                seed=seed,
                training=study.training_of(task),
                limits=study.limits_of(task),
                similarity=_similarity_of(study, window),
            )


def _similarity_of(study: Study, window: Window | None) -> StudySimilarity | None:
    asked = study.similarity
    return asked if asked is not None and (window is None or asked.runs == "all") else None


def _evaluated(source: str, grid: TaskGrid) -> tuple[str, ...]:
    """The source itself, every target, and the domains in the source's language."""
    language = parse_corpus(source).language
    domains = [name for name in grid.domains if parse_corpus(name).language == language]
    return tuple(dict.fromkeys([source, *grid.targets, *domains]))


def _windows_of(study: Study, encoder: Encoder, blocks: int | None) -> list[Window]:
    """The windows of a study for an encoder, in the order given."""
    found: list[Window] = []
    for text in study.windows:
        unfolded = unfold_windows(text, blocks)
        if unfolded is None:
            raise StudyError(
                f"window {text} needs the number of blocks of {encoder.name}, which cannot be "
                f"reached; list the windows instead, such as ['0-1', '2-3']"
            )
        found += unfolded
    if blocks is not None:
        for window in found:
            check(window, blocks, encoder.name)
    return found
