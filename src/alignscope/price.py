"""What runs cost: told from their sizes and a few of their steps."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from alignscope.data.sentence import Sentence
from alignscope.study import Training
from alignscope.subwords import Subwords
from alignscope.training import Progress, Source, steps_of

CALIBRATION = 6
"""Steps after which a price is told, or all where they are fewer; the first sets things up."""
FORWARD = 0.4
"""A batch that is only predicted, in the time of one that is learned from (measured: LOG.md)."""


@dataclass(frozen=True)
class Size:
    """How much there is to do: optimisation steps, and batches that are only predicted."""

    steps: int
    predicted: float

    def seconds(self, per_step: float) -> float:
        """How long it takes at so many seconds a step."""
        return per_step * (self.steps + FORWARD * self.predicted)


def size_of(
    source: Source,
    gold: Mapping[str, Sequence[Sentence]],
    subwords: Subwords,
    training: Training,
) -> Size:
    """Count the work of a run: training, dev after every epoch, and every test split."""
    tests = sum(_pieces(sentences, subwords) for sentences in gold.values())
    read = training.epochs * _pieces(source.dev, subwords) + tests
    return Size(steps_of(source, subwords, training), read / training.batch_pieces)


def _pieces(sentences: Sequence[Sentence], subwords: Subwords) -> int:
    return sum(len(chunk) for pieces in subwords.split(sentences) for chunk in pieces.chunks)


class Meter:
    """Progress that learns from the first steps how long all will take.

    >>> meter = Meter(size, progress)
    >>> fine_tune(model, task, source, subwords, training, seed=1, progress=meter)
    >>> meter.seconds
    61.2
    """

    def __init__(self, size: Size, progress: Progress) -> None:
        self.size, self.progress = size, progress
        self.seconds: float | None = None
        """Told after a few steps; None before, and where there are too few of them."""
        self.per_step: float | None = None
        self._since = 0.0

    def __call__(self, step: int, steps: int) -> None:
        """Note a step and pass it on."""
        last = min(CALIBRATION, steps)
        if step in (1, last):
            if torch.cuda.is_available():  # whose steps are not done when they are asked for
                torch.cuda.synchronize()
            now = time.monotonic()
            if step == last > 1:
                self.per_step = (now - self._since) / (last - 1)
                self.seconds = self.size.seconds(self.per_step)
            self._since = now
        self.progress(step, steps)
