"""CKA of one encoder on parallel corpora: AlignScope and alternative libraries.

    pip install pytorch-cka==1.1.3 ckatorch==1.0.3 torch-cka==0.21
    python benchmarks/similarity.py [--layers 13] [--targets 17] [--sentences 1000] [--hidden 768]
    python benchmarks/similarity.py --sentences 10000 --layers 2 --targets 2
    python benchmarks/similarity.py --memory        # peak memory, one process per method
    python benchmarks/similarity.py --stream 100000

Each round times all methods on the same layers, one after the other, so that fluctuations of the
machine affect all equally. The output contains medians over the rounds, and medians of ratios to
AlignScope. Libraries that are not installed are skipped. Errors are differences from the textbook
formula in double precision.
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

import alignscope as al
from alignscope.similarity.layers import cka_by_layer, similarity_by_layer
from alignscope.similarity.measures.kernels import WIDTH
from alignscope.similarity.measures.streaming_cka import StreamingCka

Values = list[float]
Method = Callable[[Tensor, Sequence[Tensor]], Values]
"""Maps a source (layers, n, d) and its targets to one value per layer and target."""
STREAMED = 4096  # rows per chunk


def workload(layers: int, n: int, d: int, targets: int, seed: int) -> tuple[Tensor, list[Tensor]]:
    """Return a source and its targets (layers, n, d), with a shared part and independent noise."""
    draw = torch.Generator().manual_seed(seed)
    source = torch.randn(layers, n, d, generator=draw)
    mixing = torch.randn(d, d, generator=draw) / d**0.5
    shared = source @ mixing + 1
    return source, [shared + torch.randn(layers, n, d, generator=draw) for _ in range(targets)]


def alignscope(source: Tensor, targets: Sequence[Tensor]) -> Values:
    """Return debiased CKA; terms of one side are computed once."""
    values = cka_by_layer(source, dict(zip(map(str, count()), targets, strict=False)))
    return [value for of_layer in zip(*values.values(), strict=True) for value in of_layer]


def alignscope_rows(source: Tensor, targets: Sequence[Tensor]) -> Values:
    """Compute debiased and biased CKA, each with its interval and null band."""
    named = dict(zip(map(str, count()), targets, strict=False))
    similarity_by_layer(source, named, ["cka"])
    return []


def alignscope_arrays(source: Tensor, target: Tensor) -> float:
    """Return debiased CKA, and compute biased CKA, intervals and null bands."""
    table = al.similarity_of_arrays(source, target, ["cka"])
    return float(table.filter(estimator="debiased")["value"][0])


def pair_by_pair(measure: Callable[[Tensor, Tensor], float]) -> Method:
    """Return a method that compares each pair of layers separately."""

    def compare(source: Tensor, targets: Sequence[Tensor]) -> Values:
        return [measure(x, target[layer]) for layer, x in enumerate(source) for target in targets]

    return compare


def alignscope_stream(source: Tensor, target: Tensor) -> float:
    """Return debiased CKA from chunks of rows, in double."""
    return stream(zip(source.split(STREAMED), target.split(STREAMED), strict=True))


def stream(chunks: Iterable[tuple[Tensor, Tensor]]) -> float:
    """Return debiased CKA of pairs of chunks."""
    cka = StreamingCka()
    for x, y in chunks:
        cka.add(x, y)
    return cka.debiased


def bare_products(source: Tensor, targets: Sequence[Tensor]) -> Values:
    """Compute only the matrix products: the lower triangle of each kernel, or XᵀY."""
    for layer, x in enumerate(source):
        for side in (x, *(target[layer] for target in targets)):
            if len(x) <= 2 * x.shape[1]:
                for start in range(0, len(side), WIDTH):
                    side[start:] @ side[start : start + WIDTH].T
                continue
            side.T @ side
            if side is not x:
                x.T @ side
    return []


def pytorch_cka(source: Tensor, target: Tensor) -> float:
    """Return CKA by pytorch-cka 1.1.3."""
    from cka import cka_from_features

    return float(cka_from_features(source, target))


def pytorch_cka_layers(source: Tensor, targets: Sequence[Tensor]) -> Values:
    """Return CKA by pytorch-cka 1.1.3, all targets of a layer in one call."""
    from cka import cka_from_features

    return [
        float(value)
        for layer, x in enumerate(source)
        for value in cka_from_features(x, [target[layer] for target in targets])[0]
    ]


def ckatorch(source: Tensor, target: Tensor) -> float:
    """Return CKA by ckatorch 1.0.3, from arrays."""
    from ckatorch.core import cka_base

    return float(cka_base(source, target, unbiased=True))


def torch_cka(source: Tensor, target: Tensor) -> float:
    """Return CKA by torch_cka 0.21, which accepts models only: here identity models."""
    from torch_cka import CKA

    left, right = (nn.Sequential(nn.Identity()) for _ in range(2))
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        both = CKA(left, right, model1_layers=["0"], model2_layers=["0"], device="cpu")
        loaders = [DataLoader(TensorDataset(x), batch_size=len(x)) for x in (source, target)]
        both.compare(*loaders)
    return float(both.hsic_matrix[0, 0])


def textbook(source: Tensor, target: Tensor) -> float:
    """Return biased CKA as in Kornblith et al. 2019, with n × n kernels and centring matrices."""
    x, y = source.numpy(), target.numpy()
    h = np.eye(len(x)) - 1 / len(x)

    def hsic(a: np.ndarray, b: np.ndarray) -> float:
        return float(((h @ (a @ a.T) @ h) * (h @ (b @ b.T) @ h)).sum())

    return hsic(x, y) / (hsic(x, x) * hsic(y, y)) ** 0.5


def exact(source: Tensor, target: Tensor) -> float:
    """Return debiased CKA by equation 4 of Song et al. 2012, in double."""

    def kernel(side: Tensor) -> Tensor:
        rows = side.double() - side.double().mean(0)
        return (rows @ rows.T).fill_diagonal_(0)

    def hsic(k: Tensor, m: Tensor) -> float:
        n = len(k)
        rest = k.sum() * m.sum() / ((n - 1) * (n - 2)) - 2 * (k.sum(0) @ m.sum(0)) / (n - 2)
        return float((k * m).sum() + rest)

    k, m = kernel(source), kernel(target)
    return hsic(k, m) / (hsic(k, k) * hsic(m, m)) ** 0.5


METHODS: dict[str, Method] = {
    "AlignScope": alignscope,
    "bare matrix products": bare_products,
    "AlignScope, with intervals and nulls": alignscope_rows,
    "AlignScope, similarity_of_arrays": pair_by_pair(alignscope_arrays),
    "AlignScope, streaming": pair_by_pair(alignscope_stream),
    "pytorch-cka, a pair at a time": pair_by_pair(pytorch_cka),
    "pytorch-cka, a layer at a time": pytorch_cka_layers,
    "ckatorch": pair_by_pair(ckatorch),
    "torch_cka": pair_by_pair(torch_cka),
    "n × n textbook (biased)": pair_by_pair(textbook),
}
FEW = {
    "AlignScope, similarity_of_arrays", "AlignScope, streaming", "ckatorch", "torch_cka",
    "n × n textbook (biased)",
}  # fmt: skip
"""Methods with constant time per pair, timed on four pairs only (on one with many rows)."""
LARGE = 5000
"""Number of sentences above which the textbook method is skipped: minutes per pair."""


def timed_part(name: str, source: Tensor, targets: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """Return the part of the workload on which a method is timed."""
    if name in FEW:
        few = 4 if source.shape[1] <= LARGE else 1
        return source[:1], [target[:1] for target in targets[:few]]
    return source, targets


def feasible_methods(n: int) -> list[str]:
    """Return the methods that are feasible for n sentences."""
    return [name for name in METHODS if n <= LARGE or "textbook" not in name]


def compare_times(arguments: argparse.Namespace) -> None:
    """Print seconds per pair, ratios, and the largest error of each method."""
    n, d, layers = arguments.sentences, arguments.hidden, arguments.layers
    seconds: dict[str, list[float]] = {name: [] for name in feasible_methods(n)}
    errors: dict[str, float] = {}
    for turn in range(arguments.rounds + 1):
        source, targets = workload(layers, n, d, arguments.targets, turn)
        truth = [exact(source[0], target[0]) for target in targets[:4]] if n <= LARGE else []
        for name in list(seconds):
            part = timed_part(name, source, targets)
            try:
                start = time.perf_counter()
                values = METHODS[name](*part)
                spent = (time.perf_counter() - start) / (len(part[0]) * len(part[1]))
            except Exception as error:
                print(f"{name} is skipped: {type(error).__name__}: {error}")
                del seconds[name]
                continue
            if turn:  # the first warms up
                seconds[name].append(spent)
            if values and truth and "textbook" not in name:
                error_now = max(abs(a - b) for a, b in zip(values, truth, strict=False))
                errors[name] = max(errors.get(name, 0.0), error_now)
    reference = seconds["AlignScope"]
    pairs = f"{layers} layers × {len(targets)} targets, n = {n}, d = {d}"
    print(f"\n| {pairs} | ms per pair | time ÷ AlignScope's | largest error |")
    print("|---|---|---|---|")
    for name, spent in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(spent, reference, strict=True))
        error = f"{errors[name]:.0e}" if name in errors else ""
        print(f"| {name} | {1000 * statistics.median(spent):.1f} | {ratio:.2f} | {error} |")


def compare_memory(arguments: argparse.Namespace) -> None:
    """Print the peak memory of each method beyond the data, in one process per method."""
    size = f"n = {arguments.sentences}, d = {arguments.hidden}"
    print(f"\n| {size} | peak memory beyond the data, MiB |")
    print("|---|---|")
    for name in feasible_methods(arguments.sentences):
        command = [sys.executable, __file__, "--only", name, "--sentences", arguments.sentences]
        command += ["--hidden", arguments.hidden, "--layers", 1, "--targets", 2]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        print(f"| {name} | {done.stdout.strip() or 'failed: ' + done.stderr[-80:].strip()} |")


def peak(arguments: argparse.Namespace) -> None:
    """Print by how much one method raises the peak memory of this process."""
    small = workload(1, 64, 8, 1, 1)
    METHODS[arguments.only](*small)  # excludes imports and thread pools
    data = workload(1, arguments.sentences, arguments.hidden, arguments.targets, 1)
    before = resident()
    METHODS[arguments.only](*data)
    print(f"{(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024:.0f}")


def resident() -> int:
    """Return the resident KiB, and reset the peak, which includes the generation of the data."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # reset the peak
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def stream_many(arguments: argparse.Namespace) -> None:
    """Stream more rows than are ever in memory at once, and print the peak of the process."""
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
    print(
        f"{arguments.stream} rows of {d}: {value:.4f}, {spent:.1f} s, {peak_mib:.0f} MiB in total"
    )


def main() -> None:
    """Parse the command line and run one benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=13)
    parser.add_argument("--sentences", type=int, default=1000)
    parser.add_argument("--hidden", type=int, default=768)
    parser.add_argument("--targets", type=int, default=17)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--stream", type=int, metavar="N")
    parser.add_argument("--only", choices=list(METHODS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    task = (
        peak if arguments.only else stream_many if arguments.stream else
        compare_memory if arguments.memory else compare_times
    )  # fmt: skip
    task(arguments)


if __name__ == "__main__":
    main()
