"""What a study will cost on this machine: a few steps of one of its runs, counted up for all."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch

from alignscope.data.places import Places
from alignscope.encoders.load import block_count
from alignscope.errors import DataError, MemoryShortError
from alignscope.grid import Group
from alignscope.memory import out_of_memory
from alignscope.prepare import encoder_of, fitting, footprint_of, setting_of, stack_of
from alignscope.price import CALIBRATION, FORWARD, Meter, size_of
from alignscope.report.plan import Quote
from alignscope.similarity.by_layer import similarity_by_layer
from alignscope.similarity.states import parallel_of
from alignscope.study import Run
from alignscope.tasks import TASKS
from alignscope.training import fine_tune_together

ROW_BYTES = {"scores": 290, "examples": 440, "similarity": 420, "checksums": 110, "rest": 2000}
"""Of a result on disk (measured on the demo)."""


@dataclass(frozen=True)
class Sample:
    """What the first steps of runs in lockstep say of all their steps."""

    lockstep: int
    """How many runs there is memory for at a time."""
    seconds: float
    """Of these runs together, without similarity."""
    memory: int
    """Bytes of these runs together."""
    seconds_per_piece: float
    """Of one run, to learn from a sub-word."""
    width: int
    """The encoder's hidden size."""


class _EnoughError(Exception):
    """The first steps have been taken."""


def sample(group: Sequence[Run], places: Places) -> Sample:
    """Take a few steps of runs that differ in their windows alone, to tell what they will cost.

    Raises:
        DataError, EncoderError: as `perform` does, or if there is but one step.
    """
    first, run = encoder_of(group[0]), group[0]
    setting = setting_of(run, first, places)
    stack = stack_of(group[: fitting(group, first, setting)], setting.source.labels, first)
    memory = len(stack) * footprint_of(run, stack.members[0], setting).total

    def stop(step: int, steps: int) -> None:
        if step >= CALIBRATION:
            raise _EnoughError

    meter = Meter(size_of(setting.source, setting.gold, setting.subwords, run.training), stop)
    given = stack, setting.task, setting.source, setting.subwords, run.training
    try:
        fine_tune_together(*given, seed=run.seed, progress=meter)
    except _EnoughError:
        pass
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        raise MemoryShortError(run.label) from error
    if meter.per_step is None or meter.seconds is None:
        raise DataError(f"{run.source} gives one step of training, too few to tell a price from")
    per_piece = meter.per_step / len(stack) / run.training.batch_pieces
    return Sample(len(stack), meter.seconds, memory, per_piece, first.config.hidden_size)


def quote(groups: Sequence[Group], places: Places) -> list[Quote]:
    """Calibrate one group of every encoder, task and source, and count up the others.

    >>> [f"{one.task}: {one.seconds / 3600:.1f} h" for one in quote(groups, places)]
    ['pos: 1.2 h', 'parsing: 1.9 h']

    Raises:
        DataError, EncoderError: if a corpus or an encoder is not at hand.
    """
    alike: dict[tuple[str, str, str], list[Group]] = {}
    for group in groups:
        run = group[0]
        alike.setdefault((run.encoder.label, run.task, run.source), []).append(group)
    return [_quote(same, places) for same in alike.values()]


def _quote(groups: Sequence[Group], places: Places) -> Quote:
    largest = max(groups, key=len)
    runs = [run for group in groups for run in group]
    found = sample(largest, places)
    compared = next((run for run in runs if run.similarity is not None), None)
    comparing = 0.0
    if compared is not None:
        of_one = _comparing(compared, found.seconds_per_piece, found.width, places)
        comparing = of_one * sum(run.similarity is not None for run in runs)
    return Quote(
        encoder=runs[0].encoder.label,
        task=runs[0].task,
        source=runs[0].source,
        runs=len(runs),
        lockstep=found.lockstep,
        seconds=found.seconds * len(runs) / found.lockstep + comparing,
        memory=found.memory,
        disk=sum(map(_disk, runs)),
    )


def _comparing(run: Run, seconds_per_piece: float, width: int, places: Places) -> float:
    """Seconds of the similarity of a run: reading its corpora, and comparing made-up vectors."""
    asked = run.similarity
    assert asked is not None
    corpora = parallel_of(run, places)
    layers = _layers(run)
    rows = len(next(iter(corpora.values())))
    vectors = torch.randn(2, 2, rows, width)
    similarity_by_layer(vectors[0], {"": vectors[1]}, asked.measures)
    start = time.monotonic()
    similarity_by_layer(vectors[0], {"": vectors[1]}, asked.measures)
    per_layer = (time.monotonic() - start) / 2
    states = 2 if run.window is None else 1
    pairs = states * (len(corpora) - 1) + (len(corpora) if asked.drift else 0)
    words = sum(len(sentence) for corpus in corpora.values() for sentence in corpus)
    return pairs * len(layers) * per_layer + 2 * FORWARD * seconds_per_piece * words


def _layers(run: Run) -> list[int]:
    """The layers that a run compares."""
    assert run.similarity is not None
    encoder = run.encoder
    count = _block_count(encoder.name, encoder.revision, encoder.remote_code)
    return run.similarity.layers_of(count + 1)


@cache
def _block_count(name: str, revision: str, remote_code: bool) -> int:
    return block_count(name, revision, remote_code=remote_code)


def _disk(run: Run) -> int:
    """Bytes of a result: every corpus in every metric, a sentence of each, and similarity."""
    asked, corpora = run.similarity, len(run.evaluated)
    rows = dict.fromkeys(("scores", "examples", "checksums"), corpora) | {"rest": 1}
    rows["scores"] *= len(TASKS[run.task].metrics)
    if asked is not None:
        layers = len(_layers(run))
        states = 3 if asked.drift else 2
        rows["similarity"] = states * len(asked.corpora) * layers * 3 * len(asked.measures) // 2
    return sum(ROW_BYTES[kind] * count for kind, count in rows.items())
