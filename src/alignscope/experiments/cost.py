"""The cost of runs, estimated from their sizes and a few training steps."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import torch

from alignscope.config.run import RunSpec
from alignscope.data.paths import DataPaths
from alignscope.data.sentence import Sentence
from alignscope.encoders.device import device_name
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
from alignscope.training.finetune import Progress, count_steps, synchronized_time, time_steps
from alignscope.training.memory import is_out_of_memory

CALIBRATION_STEPS = 6
"""Steps from which time is estimated, or all steps if there are fewer. The first is left out, since
it also sets things up."""
FORWARD_SHARE = 0.4
"""The time of predicting a batch, as a fraction of a training step on it (measured: LOG.md)."""


@dataclass(frozen=True)
class Workload:
    """The work of a run: training steps, and batches that are only predicted."""

    steps: int
    predicted_batches: float

    def seconds(self, per_step: float) -> float:
        """Return the seconds of all work, given those of one training step."""
        return per_step * (self.steps + FORWARD_SHARE * self.predicted_batches)


def count_work(inputs: RunInputs) -> Workload:
    """Count the work of a run: training, and dev and every test split after every epoch."""
    config, tokenizer = inputs.encoded.config, inputs.encoded.tokenizer
    tests = sum(_count_subwords(sentences, tokenizer) for sentences in inputs.tests.values())
    predicted = config.epochs * (_count_subwords(inputs.data.dev, tokenizer) + tests)
    steps = count_steps(inputs.encoded, inputs.data.train)
    return Workload(steps, predicted / config.tokens_per_batch)


def _count_subwords(sentences: Sequence[Sentence], tokenizer: WordTokenizer) -> int:
    return sum(len(chunk) for split in tokenizer.split(sentences) for chunk in split.chunks)


class StepTimer:
    """A progress callback that estimates the time of all work from the first steps.

    .. code-block:: python

        timer = StepTimer(count_work(inputs), progress.step)
        fine_tune(model, encoded, data, seed=1, progress=timer)
        timer.seconds  # 61.2
    """

    def __init__(self, workload: Workload, progress: Progress) -> None:
        self.workload, self.progress = workload, progress
        self.seconds: float | None = None
        """The estimate; None during the first steps, and if there is a single step."""
        self._first_end = 0.0

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave out the time of other work between two steps."""
        start = synchronized_time()
        yield
        self._first_end += synchronized_time() - start

    def __call__(self, step: int, steps: int) -> None:
        """Record a step, and pass it on."""
        last = min(CALIBRATION_STEPS, steps)
        if step == 1:
            self._first_end = synchronized_time()
        elif step == last:
            per_step = (synchronized_time() - self._first_end) / (last - 1)
            self.seconds = self.workload.seconds(per_step)
        self.progress(step, steps)


ROW_BYTES = {
    "scores": 290, "examples": 440, "similarity": 870, "checksums": 110, "rest": 2000,
    "epochs": 50, "changes": 260, "counts": 90,
}  # fmt: skip
"""Bytes of a row of each table in a stored result, and of everything else in it (measured on the
demo)."""
COUNT_BYTES = 1.7
"""Bytes of the counts of a test sentence."""
UNLIMITED = 1000
"""Test sentences of a corpus that has no limit, for the estimate of the disk space: as in PUD."""


@dataclass(frozen=True)
class Calibration:
    """Measurements of the first steps of stacked runs."""

    lockstep: int
    """The number of runs that fit in memory."""
    seconds: float
    """The estimated seconds of these runs together, without similarity."""
    memory: int
    """The estimated bytes of these runs together."""
    seconds_per_subword: float
    """Training time of one run."""
    width: int
    """The hidden size of the encoder."""


def calibrate(group: Sequence[RunSpec], paths: DataPaths) -> Calibration:
    """Take a few training steps of a group to estimate what all of its steps cost.

    Args:
        group: runs that differ in their windows alone.
        paths: folders with corpora.

    Raises:
        DataError: if a corpus is missing, or there is a single step.
        EncoderError: if the encoder is not what the runs need.
        InsufficientMemoryError: if the steps run out of memory.
    """
    run, first = group[0], load_ablated_encoder(group[0])
    inputs = load_inputs(run, first, paths)
    size = max_stack_size(group, first, inputs)
    stack = build_stack(group[:size], inputs.encoded.labels, first)
    memory = size * estimate_memory(stack.members[0], inputs).total
    try:
        ends = time_steps(
            stack, inputs.encoded, inputs.data, seed=run.seed, max_steps=CALIBRATION_STEPS
        )
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise InsufficientMemoryError(run.label) from error
    if len(ends) < 2:
        raise DataError(
            f"{run.source} yields a single training step, too few to estimate the cost. Use more "
            "sentences, or plan without an estimate (--no-price)."
        )
    per_step = (ends[-1] - ends[0]) / (len(ends) - 1)
    return Calibration(
        lockstep=size,
        seconds=count_work(inputs).seconds(per_step),
        memory=memory,
        seconds_per_subword=per_step / size / run.training.tokens_per_batch,
        width=first.config.hidden_size,
    )


@dataclass(frozen=True)
class CostEstimate:
    """The estimated cost of runs that differ in windows, seeds and learning rates alone."""

    encoder: str
    task: str
    source: str
    runs: int
    lockstep: int
    """The number of runs that are stacked."""
    seconds: float
    """Seconds of all runs, one group after another in one process."""
    memory: int
    """Bytes of the runs that are stacked."""
    disk: int
    """Bytes of all results."""
    size: str
    """The epochs and training sentences of a run, such as ``4 epochs, 2000 sentences``."""
    device: str
    """The device on which the cost was estimated."""


def estimate_costs(groups: Sequence[Group], paths: DataPaths) -> list[CostEstimate]:
    """Calibrate one group of every encoder, task, source and size, and extrapolate to the others.

    Runs that differ in learning rates alone cost the same.

    .. code-block:: python

        for cost in estimate_costs(groups, paths):
            print(f"{cost.task}: {cost.seconds / 3600:.1f} h")

    Raises:
        DataError, EncoderError, InsufficientMemoryError: as `calibrate` does.
    """
    comparable: dict[tuple[str, str, str, str], list[Group]] = {}
    for group in groups:
        run = group[0]
        key = run.encoder.label, run.task, run.source, run.size
        comparable.setdefault(key, []).append(group)
    return [_estimate_cost(members, paths) for members in comparable.values()]


def _estimate_cost(groups: Sequence[Group], paths: DataPaths) -> CostEstimate:
    """Estimate comparable groups; runs that train alone take longer than those of a stack."""
    runs = [run for group in groups for run in group]
    alone, stacked = (
        [group for group in groups if group[0].trains_alone is expected]
        for expected in (True, False)
    )
    parts = [
        (sum(map(len, part)), calibrate(max(part, key=len), paths))
        for part in (stacked, alone)
        if part
    ]
    calibration = parts[0][1]
    compared = [run for run in runs if run.similarity is not None]
    similarity_seconds = 0.0
    if compared:
        similarity_seconds = len(compared) * _similarity_seconds(compared[0], calibration, paths)
    return CostEstimate(
        encoder=runs[0].encoder.label,
        task=runs[0].task,
        source=runs[0].source,
        runs=len(runs),
        lockstep=calibration.lockstep,
        seconds=similarity_seconds
        + sum(part.seconds * count / part.lockstep for count, part in parts),
        memory=max(part.memory for _, part in parts),
        disk=sum(map(_result_bytes, runs)),
        size=runs[0].size,
        device=device_name(),
    )


def _similarity_seconds(run: RunSpec, calibration: Calibration, paths: DataPaths) -> float:
    """Estimate the seconds of a run's similarity: reading its corpora, and comparing layers.

    One comparison is timed on random vectors of the right size.
    """
    config = run.similarity
    assert config is not None
    corpora = load_parallel(config, run.source, paths)
    rows = len(next(iter(corpora.values())))
    vectors = torch.randn(2, 2, rows, calibration.width)
    similarity_by_layer(vectors[0], {"": vectors[1]}, config.measures)  # warm-up
    start = time.monotonic()
    similarity_by_layer(vectors[0], {"": vectors[1]}, config.measures)
    per_layer = (time.monotonic() - start) / 2
    states = 2 if run.window is None else 1
    # Drift compares the pretrained encoder with the fine-tuned one and, for REF, with noise.
    pairs = states * (len(corpora) - 1) + (states * len(corpora) if config.drift else 0)
    words = sum(len(sentence) for corpus in corpora.values() for sentence in corpus)
    encoders = 1 + states if config.drift else states
    reading = encoders * FORWARD_SHARE * calibration.seconds_per_subword * words
    return pairs * len(_compared_layers(run)) * per_layer + reading


def _compared_layers(run: RunSpec) -> list[int]:
    assert run.similarity is not None
    encoder = run.encoder
    count = _block_count(encoder.name, encoder.revision, encoder.remote_code)
    return run.similarity.layers_of(count + 1)


@cache
def _block_count(name: str, revision: str, remote_code: bool) -> int:
    return block_count(name, revision, remote_code=remote_code)


def _result_bytes(run: RunSpec) -> int:
    """Estimate the bytes of a stored result from its numbers of corpora, metrics and layers."""
    config, corpora = run.similarity, len(run.evaluated)
    rows = dict.fromkeys(("scores", "examples", "checksums", "counts"), corpora) | {"rest": 1}
    rows["scores"] *= len(TASKS[run.task].metrics)
    rows["epochs"] = run.training.epochs * corpora
    if config is not None:
        layers = len(_compared_layers(run))
        states = 3 if config.drift else 2
        per_state = len(config.corpora) * layers
        rows["similarity"] = states * per_state * 3 * len(config.measures) // 2
        if config.drift and run.window is None:
            rows["similarity"] += 2 * per_state  # of noise, in one measure
            rows["changes"] = per_state
    counts = int(COUNT_BYTES * corpora * (run.limits.test or UNLIMITED))
    return counts + sum(ROW_BYTES[table] * count for table, count in rows.items())
