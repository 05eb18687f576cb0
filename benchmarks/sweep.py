"""A study on one and two worker processes, and on a Ray cluster of one and two nodes.

    python benchmarks/sweep.py [--sentences 2000] [--without-ray] [--out FILE]

The study is POS tagging on the synthetic languages: REF and four windows, two seeds, five
evaluated corpora. ``ray.cluster_utils`` simulates the nodes on this machine, one core each: two
nodes equal two workers plus the overhead of Ray. The output contains the seconds from start to
last result, process start included, and the ratio to one process.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import alignscope as al

Executor = al.SerialExecutor | al.ProcessExecutor | al.RayExecutor


def make_study(sentences: int) -> al.Study:
    """Return a study of ten runs."""
    targets = [f"synthetic:{name}/news" for name in ("zoravi", "qadir", "belosh", "tamuz")]
    return al.Study(
        name="sweep",
        encoders=["embedded"],
        seeds=[1, 2],
        training=al.TrainingConfig(epochs=2, learning_rate=5e-5, tokens_per_batch=512),
        limits={"train": sentences, "dev": 50, "test": 50},
        tasks={"pos": {"sources": ["synthetic:vesti/news"], "targets": targets}},
    )


def timed(study: al.Study, executor: Executor) -> float:
    """Return the seconds of a study on an empty store."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        results = al.run_study(study, Path(folder) / "store", executor=executor, offline=True)
        seconds = time.perf_counter() - start
        assert results.runs.filter(status="done").height == 10
        return seconds


def on_ray(study: al.Study, nodes: int) -> float:
    """Return the seconds of a study on a simulated cluster that is already running."""
    import ray
    from ray.cluster_utils import Cluster as SimulatedCluster

    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
    simulated = SimulatedCluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        for _ in range(nodes):
            simulated.add_node(num_cpus=1)
        return timed(study, al.RayExecutor(simulated.address, lockstep=5))
    finally:
        ray.shutdown()
        simulated.shutdown()


def main() -> None:
    """Print a table of ratios and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument("--without-ray", action="store_true")
    parser.add_argument("--out", type=Path, help="JSON file to write.")
    arguments = parser.parse_args()
    study = make_study(arguments.sentences)
    executors: dict[str, Callable[[], float]] = {
        "this process, one at a time": lambda: timed(study, al.SerialExecutor(lockstep=1)),
        "this process, in lockstep": lambda: timed(study, al.SerialExecutor()),
        "1 worker": lambda: timed(study, al.ProcessExecutor(1)),
        "2 workers": lambda: timed(study, al.ProcessExecutor(2)),
    }
    if not arguments.without_ray:
        executors |= {f"Ray, {n} node{'s'[: n - 1]}": partial(on_ray, study, n) for n in (1, 2)}
    table: list[dict[str, object]] = []
    first = 0.0
    for name, execute in executors.items():
        seconds = execute()
        first = first or seconds
        table.append({"executor": name, "seconds": seconds, "ratio": first / seconds})
        print(f"{name:28} {seconds:6.1f} s, ratio {first / seconds:.2f}", flush=True)
    if arguments.out:
        arguments.out.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
