"""Lockstep: k runs that differ in their windows, stacked, and the same runs one by one.

    python benchmarks/lockstep.py [--shape embedded distil base] [--runs 2 5 7] [--data FOLDER]

The task is POS tagging, one epoch, on one thread per core or on a GPU. Each round times both ways
from loaded to trained models, including the copies that ``fine_tune`` trains. If a stack does not
fit in memory, ``fine_tune`` trains its models one by one, and the ratio is about 1. The output
contains medians of seconds, their ratio, and the largest difference between the losses. If
``--runs`` exceeds the number of windows of an encoder, windows are repeated with another seed of
re-initialisation.
"""

import argparse
import itertools
import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import torch

import alignscope as al
from finetune import DEVICE, MAX_LENGTH, encoder_of, sentences


def encoders_of(shape: str, count: int) -> list[al.Encoder]:
    """Return REF and ablated encoders with windows of two blocks."""
    reference = encoder_of(shape)
    windows = itertools.cycle(range(0, len(reference.blocks), 2))
    return [
        reference,
        *(
            al.reinitialize(reference, al.Window(low, low + 1), seed=number)
            for number, low in zip(range(1, count), windows, strict=False)
        ),
    ]


def timed(
    groups: Sequence[Sequence[al.Encoder]],
    train: Sequence[al.Sentence],
    training: al.TrainingConfig,
) -> tuple[float, list[float]]:
    """Return the seconds to train groups one after another, and the loss of every model."""
    losses: list[float] = []
    start = time.perf_counter()
    for group in groups:
        tuned = al.fine_tune(
            group, "pos", train, train[:2], config=training, seed=1, progress=False
        )
        losses += [model.history["loss"][-1] for model in tuned]
    return time.perf_counter() - start, losses


def row(
    shape: str, runs: int, train: Sequence[al.Sentence], training: al.TrainingConfig, rounds: int
) -> dict[str, object]:
    """Return one row of the table."""
    one_by_one, lockstep, difference = [], [], 0.0
    encoders = encoders_of(shape, runs)
    for _ in range(rounds):
        seconds, expected = timed([[encoder] for encoder in encoders], train, training)
        one_by_one.append(seconds)
        seconds, losses = timed([encoders], train, training)
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
    training = al.TrainingConfig(
        epochs=1, learning_rate=5e-5, tokens_per_batch=arguments.tokens,
        precision=arguments.precision, max_length=MAX_LENGTH,
    )  # fmt: skip
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
