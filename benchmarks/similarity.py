"""CKA of one encoder on parallel corpora: AlignScope beside what a user would pick instead.

    pip install pytorch-cka==1.1.3 ckatorch==1.0.3 torch-cka==0.21
    python benchmarks/similarity.py [--layers 13] [--targets 17] [--sentences 1000] [--hidden 768]
    python benchmarks/similarity.py --sentences 10000 --layers 2 --targets 2
    python benchmarks/similarity.py --memory        # peak memory, each way in a process of its own
    python benchmarks/similarity.py --stream 100000

Each round times every way on the same layers, one after the other, so that a slow moment of the
machine meets all alike; what is printed are medians over the rounds, and of ratios to AlignScope's.
A peer that is not installed is left out. Errors are against the textbook in double.
"""

import argparse
import contextlib
import io
import resource
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from alignscope.similarity.layers import cka_by_layer, similarity_by_layer
from alignscope.similarity.measures.kernels import WIDTH
from alignscope.similarity.measures.streaming_cka import StreamingCka

Values = list[float]
Way = Callable[[Tensor, Sequence[Tensor]], Values]
"""From a source (layers, n, d) and its targets to a value per layer and target, layer by layer."""
STREAMED = 4096  # rows a chunk


def workload(layers: int, n: int, d: int, targets: int, seed: int) -> tuple[Tensor, list[Tensor]]:
    """A source and its targets (layers, n, d): something shared, something of their own."""
    draw = torch.Generator().manual_seed(seed)
    source = torch.randn(layers, n, d, generator=draw)
    turn = torch.randn(d, d, generator=draw) / d**0.5
    shared = source @ turn + 1
    return source, [shared + torch.randn(layers, n, d, generator=draw) for _ in range(targets)]


def alignscope(source: Tensor, targets: Sequence[Tensor]) -> Values:
    """Debiased CKA, what concerns one side computed once."""
    found = cka_by_layer(source, dict(zip(map(str, count()), targets, strict=False)))
    return [value for of_layer in zip(*found.values(), strict=True) for value in of_layer]


def alignscope_rows(source: Tensor, targets: Sequence[Tensor]) -> Values:
    """Debiased and biased CKA, each with its interval and its null band."""
    named = dict(zip(map(str, count()), targets, strict=False))
    similarity_by_layer(source, named, ["cka"])
    return []


def pair_by_pair(measure: Callable[[Tensor, Tensor], float]) -> Way:
    """Every pair of layers by itself, as a loop does it."""

    def way(source: Tensor, targets: Sequence[Tensor]) -> Values:
        return [
            measure(one, target[layer]) for layer, one in enumerate(source) for target in targets
        ]

    return way


def alignscope_stream(source: Tensor, target: Tensor) -> float:
    """Chunks of rows, in double."""
    return stream(zip(source.split(STREAMED), target.split(STREAMED), strict=True))


def stream(chunks: Iterable[tuple[Tensor, Tensor]]) -> float:
    """Debiased CKA of pairs of chunks."""
    found = StreamingCka()
    for one, other in chunks:
        found.add(one, other)
    return found.debiased


def bare_products(source: Tensor, targets: Sequence[Tensor]) -> Values:
    """Nothing but the matrix products: the lower triangle of every side's kernel, or XᵀY."""
    for layer, one in enumerate(source):
        for side in (one, *(target[layer] for target in targets)):
            if len(one) <= 2 * one.shape[1]:
                for start in range(0, len(side), WIDTH):
                    side[start:] @ side[start : start + WIDTH].T
                continue
            side.T @ side
            if side is not one:
                one.T @ side
    return []


def pytorch_cka(source: Tensor, target: Tensor) -> float:
    """pytorch-cka 1.1.3."""
    from cka import cka_from_features

    return float(cka_from_features(source, target))


def pytorch_cka_layers(source: Tensor, targets: Sequence[Tensor]) -> Values:
    """pytorch-cka 1.1.3, all targets of a layer in one call."""
    from cka import cka_from_features

    return [
        float(value)
        for layer, one in enumerate(source)
        for value in cka_from_features(one, [target[layer] for target in targets])[0]
    ]


def ckatorch(source: Tensor, target: Tensor) -> float:
    """ckatorch 1.0.3, its function of arrays."""
    from ckatorch.core import cka_base

    return float(cka_base(source, target, unbiased=True))


def torch_cka(source: Tensor, target: Tensor) -> float:
    """torch_cka 0.21: it takes models only, so each side passes through one that does nothing."""
    from torch_cka import CKA

    one, other = (nn.Sequential(nn.Identity()) for _ in range(2))
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        both = CKA(one, other, model1_layers=["0"], model2_layers=["0"], device="cpu")
        loaders = [DataLoader(TensorDataset(x), batch_size=len(x)) for x in (source, target)]
        both.compare(*loaders)
    return float(both.hsic_matrix[0, 0])


def textbook(source: Tensor, target: Tensor) -> float:
    """Kornblith et al. 2019 word by word, n × n kernels and centring matrices, biased."""
    x, y = source.numpy(), target.numpy()
    h = np.eye(len(x)) - 1 / len(x)

    def hsic(one: np.ndarray, other: np.ndarray) -> float:
        return float(((h @ (one @ one.T) @ h) * (h @ (other @ other.T) @ h)).sum())

    return hsic(x, y) / (hsic(x, x) * hsic(y, y)) ** 0.5


def exact(source: Tensor, target: Tensor) -> float:
    """Song et al. 2012, equation 4, in double."""

    def kernel(side: Tensor) -> Tensor:
        rows = side.double() - side.double().mean(0)
        return (rows @ rows.T).fill_diagonal_(0)

    def hsic(k: Tensor, m: Tensor) -> float:
        n = len(k)
        rest = k.sum() * m.sum() / ((n - 1) * (n - 2)) - 2 * (k.sum(0) @ m.sum(0)) / (n - 2)
        return float((k * m).sum() + rest)

    k, m = kernel(source), kernel(target)
    return hsic(k, m) / (hsic(k, k) * hsic(m, m)) ** 0.5


WAYS: dict[str, Way] = {
    "AlignScope": alignscope,
    "bare matrix products": bare_products,
    "AlignScope, with intervals and nulls": alignscope_rows,
    "AlignScope, streaming": pair_by_pair(alignscope_stream),
    "pytorch-cka, a pair at a time": pair_by_pair(pytorch_cka),
    "pytorch-cka, a layer at a time": pytorch_cka_layers,
    "ckatorch": pair_by_pair(ckatorch),
    "torch_cka": pair_by_pair(torch_cka),
    "n × n textbook (biased)": pair_by_pair(textbook),
}
FEW = {"AlignScope, streaming", "ckatorch", "torch_cka", "n × n textbook (biased)"}
"""Ways that take the same time for every pair, and are timed on four (many rows: one)."""
LARGE = 5000
"""Sentences above which the textbook would take minutes a pair, and is left out."""


def part_for(name: str, source: Tensor, targets: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """What a way is timed on."""
    if name in FEW:
        few = 4 if source.shape[1] <= LARGE else 1
        return source[:1], [target[:1] for target in targets[:few]]
    return source, targets


def possible(n: int) -> list[str]:
    """The ways that n sentences can be compared in."""
    return [name for name in WAYS if n <= LARGE or "textbook" not in name]


def compare_times(arguments: argparse.Namespace) -> None:
    """Print seconds per pair, ratios, and the largest error of each way."""
    n, d, layers = arguments.sentences, arguments.hidden, arguments.layers
    seconds: dict[str, list[float]] = {name: [] for name in possible(n)}
    errors: dict[str, float] = {}
    for turn in range(arguments.rounds + 1):
        source, targets = workload(layers, n, d, arguments.targets, turn)
        truth = [exact(source[0], target[0]) for target in targets[:4]] if n <= LARGE else []
        for name in list(seconds):
            part = part_for(name, source, targets)
            try:
                start = time.perf_counter()
                values = WAYS[name](*part)
                spent = (time.perf_counter() - start) / (len(part[0]) * len(part[1]))
            except Exception as error:
                print(f"{name} is left out: {type(error).__name__}: {error}")
                del seconds[name]
                continue
            if turn:  # the first warms up
                seconds[name].append(spent)
            if values and truth and "textbook" not in name:
                wrong = max(abs(a - b) for a, b in zip(values, truth, strict=False))
                errors[name] = max(errors.get(name, 0.0), wrong)
    own = seconds["AlignScope"]
    pairs = f"{layers} layers × {len(targets)} targets, n = {n}, d = {d}"
    print(f"\n| {pairs} | ms a pair | time ÷ AlignScope's | largest error |")
    print("|---|---|---|---|")
    for name, spent in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(spent, own, strict=True))
        error = f"{errors[name]:.0e}" if name in errors else ""
        print(f"| {name} | {1000 * statistics.median(spent):.1f} | {ratio:.2f} | {error} |")


def compare_memory(arguments: argparse.Namespace) -> None:
    """Print the peak memory of each way beyond the data, each in a process of its own."""
    about = f"n = {arguments.sentences}, d = {arguments.hidden}"
    print(f"\n| {about} | peak memory beyond the data, MiB |")
    print("|---|---|")
    for name in possible(arguments.sentences):
        command = [sys.executable, __file__, "--only", name, "--sentences", arguments.sentences]
        command += ["--hidden", arguments.hidden, "--layers", 1, "--targets", 2]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        print(f"| {name} | {done.stdout.strip() or 'not possible: ' + done.stderr[-80:].strip()} |")


def peak(arguments: argparse.Namespace) -> None:
    """Print by how much one way raises the peak memory of this process."""
    small = workload(1, 64, 8, 1, 1)
    WAYS[arguments.only](*small)  # imports and thread pools are no part of it
    data = workload(1, arguments.sentences, arguments.hidden, arguments.targets, 1)
    before = resident()
    WAYS[arguments.only](*data)
    print(f"{(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024:.0f}")


def resident() -> int:
    """KiB in memory now; the peak so far would count what making the data took."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # forget the peak
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def stream_many(arguments: argparse.Namespace) -> None:
    """Stream rows that are never all in memory, and print the peak of the whole process."""
    draw, d = torch.Generator().manual_seed(1), arguments.hidden
    start = time.perf_counter()

    def chunks() -> Iterator[tuple[Tensor, Tensor]]:
        for start in range(0, arguments.stream, STREAMED):
            count = min(STREAMED, arguments.stream - start)
            rows = torch.randn(count, d, generator=draw)
            yield rows, rows + torch.randn(count, d, generator=draw)

    value = stream(chunks())
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    spent = time.perf_counter() - start
    print(f"{arguments.stream} rows of {d}: {value:.4f}, {spent:.1f} s, {peak_mib:.0f} MiB in all")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=13)
    parser.add_argument("--sentences", type=int, default=1000)
    parser.add_argument("--hidden", type=int, default=768)
    parser.add_argument("--targets", type=int, default=17)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--stream", type=int, metavar="N")
    parser.add_argument("--only", choices=list(WAYS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    task = (
        peak if arguments.only else stream_many if arguments.stream else
        compare_memory if arguments.memory else compare_times
    )  # fmt: skip
    task(arguments)


if __name__ == "__main__":
    main()
