"""Lockstep: k runs that differ in their windows, stacked, and the same runs one by one.

    python benchmarks/lockstep.py [--shape embedded distil base] [--runs 2 5 7] [--data FOLDER]

The task is POS tagging, one epoch, on one thread per core or on a GPU. Each round times both ways
from loaded to trained models. The output contains medians of seconds, their ratio, and the
largest difference between the losses. If ``--runs`` exceeds the number of windows of an encoder,
windows are repeated with another seed of re-initialisation.
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
    """Return REF and ablated models with windows of two blocks."""
    members = [build_model(encoder_of(shape), TASKS["pos"], labels, seed=1)]
    windows = itertools.cycle(range(0, len(blocks(members[0].encoder)), 2))
    for number, low in zip(range(1, count), windows, strict=False):
        members.append(build_model(encoder_of(shape), TASKS["pos"], labels, seed=1))
        reinitialize_(members[-1].encoder, Window(low, low + 1), seed=number)
    return [model.to(DEVICE) for model in members]


def timed(
    stacks: Sequence[StackedModel], train: Sequence[Sentence], training: TrainingConfig
) -> tuple[float, list[float]]:
    """Return the seconds to train stacks one after another, and the loss of every model."""
    task, subwords = TASKS["pos"], WordTokenizer(load_tokenizer("embedded"), 64)
    encoded = EncodedTask(task, task.labels(train), subwords, training)
    data = TrainingData(train, train[:2])
    histories: list[TrainingHistory] = []
    start = time.perf_counter()
    for stack in stacks:
        histories += fine_tune_stacked(stack, encoded, data, seed=1)
    seconds = time.perf_counter() - start
    return seconds, [history.epochs[-1].loss for history in histories if history.error is None]


def row(
    shape: str, runs: int, train: Sequence[Sentence], training: TrainingConfig, rounds: int
) -> dict[str, object]:
    """Return one row of the table."""
    labels, one_by_one, lockstep, difference = TASKS["pos"].labels(train), [], [], 0.0
    for _ in range(rounds):
        separate = [StackedModel([model]) for model in models(shape, runs, labels)]
        seconds, expected = timed(separate, train, training)
        one_by_one.append(seconds)
        del separate
        seconds, losses = timed([StackedModel(models(shape, runs, labels))], train, training)
        lockstep.append(seconds)
        differences = [abs(a - b) for a, b in zip(expected, losses, strict=True)]
        difference = max(difference, *differences)
    ratio = statistics.median(a / b for a, b in zip(one_by_one, lockstep, strict=True))
    return {
        "shape": shape, "runs": runs, "one by one": statistics.median(one_by_one),
        "lockstep": statistics.median(lockstep), "ratio": ratio,
        "largest difference of losses": difference,
    }  # fmt: skip


def main() -> None:
    """Print a table of ratios and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", nargs="+", default=["embedded"])
    parser.add_argument("--runs", nargs="+", type=int, default=[2, 5])
    parser.add_argument("--sentences", type=int, default=500)
    parser.add_argument(
        "--tokens", type=int, default=512, help="Subwords per batch, padding included."
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, help="Number of threads. Default: one per core.")
    parser.add_argument("--precision", choices=["auto", "fp32", "bf16"], default="fp32")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path, help="JSON file to write.")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    training = TrainingConfig(
        epochs=1, tokens_per_batch=arguments.tokens, precision=arguments.precision
    )
    print(f"{DEVICE}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    table = []
    for shape, runs in itertools.product(arguments.shape, arguments.runs):
        train = sentences(arguments.data, arguments.sentences)
        table.append(row(shape, runs, train, training, arguments.rounds))
        print(
            ", ".join(
                f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in table[-1].items()
            ),
            flush=True,
        )
    if arguments.out:
        arguments.out.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
