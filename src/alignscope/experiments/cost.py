"""What runs cost: told from their sizes and a few of their steps."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch

from alignscope.config.run import RunSpec
from alignscope.data.paths import DataPaths
from alignscope.data.sentence import Sentence
from alignscope.encoders.load import block_count
from alignscope.encoders.tokenization import WordTokenizer
from alignscope.errors import DataError, InsufficientMemoryError
from alignscope.experiments.grouping import Group
from alignscope.experiments.setup import (
    RunInputs,
    build_stack,
    estimate_memory,
    load_ablated_encoder,
    load_inputs,
    max_stack_size,
)
from alignscope.similarity.layers import similarity_by_layer
from alignscope.similarity.stages import load_parallel
from alignscope.tasks import TASKS
from alignscope.training.finetune import Progress, count_steps, time_steps
from alignscope.training.memory import is_out_of_memory

CALIBRATION_STEPS = 6
"""Steps after which a price is told, or all where they are fewer; the first sets things up."""
FORWARD_SHARE = 0.4
"""A batch that is only predicted, in the time of one that is learned from (measured: LOG.md)."""


@dataclass(frozen=True)
class Workload:
    """How much there is to do: optimisation steps, and batches that are only predicted."""

    steps: int
    predicted: float

    def seconds(self, per_step: float) -> float:
        """How long it takes at so many seconds a step."""
        return per_step * (self.steps + FORWARD_SHARE * self.predicted)


def count_work(inputs: RunInputs) -> Workload:
    """Count the work of a run: training, dev after every epoch, and every test split."""
    config, tokenizer = inputs.encoded.config, inputs.encoded.tokenizer
    tests = sum(_count_subwords(sentences, tokenizer) for sentences in inputs.tests.values())
    predicted = config.epochs * _count_subwords(inputs.data.dev, tokenizer) + tests
    steps = count_steps(inputs.encoded, inputs.data.train)
    return Workload(steps, predicted / config.tokens_per_batch)


def _count_subwords(sentences: Sequence[Sentence], tokenizer: WordTokenizer) -> int:
    return sum(len(chunk) for split in tokenizer.split(sentences) for chunk in split.chunks)


class StepTimer:
    """Progress that learns from the first steps how long all will take.

    >>> meter = StepTimer(size, progress)
    >>> fine_tune(model, task, source, subwords, training, seed=1, progress=meter)
    >>> meter.seconds
    61.2
    """

    def __init__(self, size: Workload, progress: Progress) -> None:
        self.size, self.progress = size, progress
        self.seconds: float | None = None
        """Told after a few steps; None before, and where there are too few of them."""
        self.per_step: float | None = None
        self._since = 0.0

    def __call__(self, step: int, steps: int) -> None:
        """Note a step and pass it on."""
        last = min(CALIBRATION_STEPS, steps)
        if step in (1, last):
            if torch.cuda.is_available():  # whose steps are not done when they are asked for
                torch.cuda.synchronize()
            now = time.monotonic()
            if step == last > 1:
                self.per_step = (now - self._since) / (last - 1)
                self.seconds = self.size.seconds(self.per_step)
            self._since = now
        self.progress(step, steps)


ROW_BYTES = {"scores": 290, "examples": 440, "similarity": 420, "checksums": 110, "rest": 2000}
"""Of a result on disk (measured on the demo)."""


@dataclass(frozen=True)
class Calibration:
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


def calibrate(group: Sequence[RunSpec], places: DataPaths) -> Calibration:
    """Take a few steps of runs that differ in their windows alone, to tell what they will cost.

    Raises:
        DataError, EncoderError: as `perform` does, or if there is but one step.
    """
    first, run = load_ablated_encoder(group[0]), group[0]
    inputs = load_inputs(run, first, places)
    stack = build_stack(group[: max_stack_size(group, first, inputs)], inputs.encoded.labels, first)
    memory = len(stack) * estimate_memory(stack.members[0], inputs).total
    try:
        ends = time_steps(
            stack, inputs.encoded, inputs.data, seed=run.seed, max_steps=CALIBRATION_STEPS
        )
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise InsufficientMemoryError(run.label) from error
    if len(ends) < 2:
        raise DataError(f"{run.source} gives one step of training, too few to tell a price from")
    per_step = (ends[-1] - ends[0]) / (len(ends) - 1)
    per_piece = per_step / len(stack) / run.training.tokens_per_batch
    seconds = count_work(inputs).seconds(per_step)
    return Calibration(len(stack), seconds, memory, per_piece, first.config.hidden_size)


@dataclass(frozen=True)
class CostEstimate:
    """The cost of runs that differ in windows and seeds alone."""

    encoder: str
    task: str
    source: str
    runs: int
    lockstep: int
    """Runs that are trained as one."""
    seconds: float
    """Of all of them, one group after another in this process."""
    memory: int
    """Bytes, of the runs that are trained as one."""
    disk: int
    """Bytes, of the results of all."""


def estimate_costs(groups: Sequence[Group], places: DataPaths) -> list[CostEstimate]:
    """Calibrate one group of every encoder, task and source, and count up the others.

    >>> [f"{one.task}: {one.seconds / 3600:.1f} h" for one in estimate_costs(groups, places)]
    ['pos: 1.2 h', 'parsing: 1.9 h']

    Raises:
        DataError, EncoderError: if a corpus or an encoder is not at hand.
    """
    alike: dict[tuple[str, str, str], list[Group]] = {}
    for group in groups:
        run = group[0]
        alike.setdefault((run.encoder.label, run.task, run.source), []).append(group)
    return [_estimate_group(same, places) for same in alike.values()]


def _estimate_group(groups: Sequence[Group], places: DataPaths) -> CostEstimate:
    largest = max(groups, key=len)
    runs = [run for group in groups for run in group]
    found = calibrate(largest, places)
    compared = next((run for run in runs if run.similarity is not None), None)
    comparing = 0.0
    if compared is not None:
        of_one = _similarity_seconds(compared, found.seconds_per_piece, found.width, places)
        comparing = of_one * sum(run.similarity is not None for run in runs)
    return CostEstimate(
        encoder=runs[0].encoder.label,
        task=runs[0].task,
        source=runs[0].source,
        runs=len(runs),
        lockstep=found.lockstep,
        seconds=found.seconds * len(runs) / found.lockstep + comparing,
        memory=found.memory,
        disk=sum(map(_result_bytes, runs)),
    )


def _similarity_seconds(
    run: RunSpec, seconds_per_piece: float, width: int, places: DataPaths
) -> float:
    """Seconds of the similarity of a run: reading its corpora, and comparing made-up vectors."""
    asked = run.similarity
    assert asked is not None
    corpora = load_parallel(run, places)
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
    return pairs * len(layers) * per_layer + 2 * FORWARD_SHARE * seconds_per_piece * words


def _layers(run: RunSpec) -> list[int]:
    """The layers that a run compares."""
    assert run.similarity is not None
    encoder = run.encoder
    count = _block_count(encoder.name, encoder.revision, encoder.remote_code)
    return run.similarity.layers_of(count + 1)


@cache
def _block_count(name: str, revision: str, remote_code: bool) -> int:
    return block_count(name, revision, remote_code=remote_code)


def _result_bytes(run: RunSpec) -> int:
    """Bytes of a result: every corpus in every metric, a sentence of each, and similarity."""
    asked, corpora = run.similarity, len(run.evaluated)
    rows = dict.fromkeys(("scores", "examples", "checksums"), corpora) | {"rest": 1}
    rows["scores"] *= len(TASKS[run.task].metrics)
    if asked is not None:
        layers = len(_layers(run))
        states = 3 if asked.drift else 2
        rows["similarity"] = states * len(asked.corpora) * layers * 3 * len(asked.measures) // 2
    return sum(ROW_BYTES[kind] * count for kind, count in rows.items())
