"""Lockstep: k runs that differ in their windows, trained as one, beside the same runs in turn.

    python benchmarks/lockstep.py [--shape embedded distil base] [--runs 2 5 7] [--data FOLDER]

POS tagging, one epoch, on as many threads as there are cores (or a GPU, where there is one). A
round times both, one after the other, from loaded models to trained ones; printed are medians of
seconds, their ratio, and the largest difference between the losses. ``--runs`` above the number of
windows that an encoder has repeats windows under another seed of re-initialisation.
"""

import argparse
import itertools
import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from alignscope.config.run import TrainingConfig
from alignscope.config.windows import Window
from alignscope.data.sentence import Sentence
from alignscope.encoders.blocks import blocks
from alignscope.encoders.load import load_tokenizer
from alignscope.encoders.reinitialize import reinitialize_
from alignscope.encoders.tokenization import WordTokenizer
from alignscope.tasks import TASKS
from alignscope.training.encoded_task import EncodedTask
from alignscope.training.finetune import TrainingData, fine_tune_stacked
from alignscope.training.loop import TrainingHistory
from alignscope.training.model import TaskModel, build_model
from alignscope.training.stacked.stack import StackedModel
from finetune import encoder_of, sentences

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def models(shape: str, count: int, labels: Sequence[str]) -> list[TaskModel]:
    """REF and its windows of two blocks."""
    found = [build_model(encoder_of(shape), TASKS["pos"], labels, seed=1)]
    windows = itertools.cycle(range(0, len(blocks(found[0].encoder)), 2))
    for number, low in zip(range(1, count), windows, strict=False):
        found.append(build_model(encoder_of(shape), TASKS["pos"], labels, seed=1))
        reinitialize_(found[-1].encoder, Window(low, low + 1), seed=number)
    return [model.to(DEVICE) for model in found]


def timed(
    stacks: Sequence[StackedModel], given: Sequence[Sentence], training: TrainingConfig
) -> tuple[float, list[float]]:
    """Seconds to train stacks one after another, and the loss of every model."""
    task, subwords = TASKS["pos"], WordTokenizer(load_tokenizer("embedded"), 64)
    encoded = EncodedTask(task, task.labels(given), subwords, training)
    data = TrainingData(given, given[:2])
    histories: list[TrainingHistory] = []
    start = time.perf_counter()
    for stack in stacks:
        histories += fine_tune_stacked(stack, encoded, data, seed=1)
    seconds = time.perf_counter() - start
    return seconds, [history.epochs[-1].loss for history in histories if history.error is None]


def row(
    shape: str, runs: int, given: Sequence[Sentence], training: TrainingConfig, rounds: int
) -> dict[str, object]:
    """One line of the table."""
    labels, turn, lockstep, off = TASKS["pos"].labels(given), [], [], 0.0
    for _ in range(rounds):
        alone = [StackedModel([model]) for model in models(shape, runs, labels)]
        seconds, expected = timed(alone, given, training)
        turn.append(seconds)
        del alone
        seconds, found = timed([StackedModel(models(shape, runs, labels))], given, training)
        lockstep.append(seconds)
        off = max(off, *(abs(a - b) for a, b in zip(expected, found, strict=True)))
    ratio = statistics.median(a / b for a, b in zip(turn, lockstep, strict=True))
    return {
        "shape": shape, "runs": runs, "in turn": statistics.median(turn),
        "lockstep": statistics.median(lockstep), "ratio": ratio, "losses differ by": off,
    }  # fmt: skip


def main() -> None:
    """Print a table of ratios, write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", nargs="+", default=["embedded"])
    parser.add_argument("--runs", nargs="+", type=int, default=[2, 5])
    parser.add_argument("--sentences", type=int, default=500)
    parser.add_argument("--pieces", type=int, default=512, help="padded sub-words a batch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, help="all cores if nothing is said")
    parser.add_argument("--precision", choices=["auto", "fp32", "bf16"], default="fp32")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path, help="a JSON file")
    asked = parser.parse_args()
    if asked.threads:
        torch.set_num_threads(asked.threads)
    training = TrainingConfig(epochs=1, tokens_per_batch=asked.pieces, precision=asked.precision)
    print(f"{DEVICE}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    table = []
    for shape, runs in itertools.product(asked.shape, asked.runs):
        given = sentences(asked.data, asked.sentences)
        table.append(row(shape, runs, given, training, asked.rounds))
        print(
            ", ".join(
                f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in table[-1].items()
            ),
            flush=True,
        )
    if asked.out:
        asked.out.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
