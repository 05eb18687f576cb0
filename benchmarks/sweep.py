"""A study on one and two worker processes, and on a Ray cluster of one and two nodes.

    python benchmarks/sweep.py [--sentences 2000] [--without-ray] [--out FILE]

POS tagging on the embedded languages: REF and four windows, two seeds, evaluated on five corpora.
The nodes of the cluster are imitated on this machine, one core each (``ray.cluster_utils``), so
that two of them are what two workers are, plus what Ray costs. Printed are seconds from the command
to the last result, starting of processes included, and the ratio to one process.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from alignscope.config.run import SplitLimits, TrainingConfig
from alignscope.config.study import Study
from alignscope.data.paths import DataPaths
from alignscope.experiments.executors.ray_cluster import RayExecutor
from alignscope.experiments.remote import files_to_ship
from alignscope.experiments.study import run_study
from alignscope.results.store import ResultStore


def study(sentences: int) -> Study:
    """Ten runs."""
    targets = [f"synthetic:{name}/news" for name in ("zoravi", "qadir", "belosh", "tamuz")]
    return Study(
        name="sweep",
        encoders=["embedded"],
        seeds=[1, 2],
        training=TrainingConfig(epochs=2, tokens_per_batch=512),
        limits=SplitLimits(train=sentences, dev=50, test=50),
        tasks={"pos": {"sources": ["synthetic:vesti/news"], "targets": targets}},
    )


def timed(asked: Study, **how: Any) -> float:
    """Seconds of a study on an empty store."""
    with tempfile.TemporaryDirectory() as folder:
        places = DataPaths((), Path(folder) / "cache", download=False)
        start = time.perf_counter()
        swept = run_study(asked, ResultStore(Path(folder) / "store"), places, **how)
        assert swept.done == 10
        return time.perf_counter() - start


def on_ray(asked: Study, nodes: int) -> float:
    """Seconds of a study on an imitated cluster that is already there."""
    import ray
    from ray.cluster_utils import Cluster as Imitated

    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
    made = Imitated(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        for _ in range(nodes):
            made.add_node(num_cpus=1)
        carry = partial(files_to_ship, places=DataPaths((), Path(), download=False))
        return timed(asked, cluster=RayExecutor(carry, made.address), lockstep=5)
    finally:
        ray.shutdown()
        made.shutdown()


def main() -> None:
    """Print a table of ratios, write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument("--without-ray", action="store_true")
    parser.add_argument("--out", type=Path, help="a JSON file")
    asked = parser.parse_args()
    given = study(asked.sentences)
    ways: dict[str, Callable[[], float]] = {
        "this process, one at a time": lambda: timed(given, lockstep=1),
        "this process, in lockstep": lambda: timed(given),
        "1 worker": lambda: timed(given, workers=1),
        "2 workers": lambda: timed(given, workers=2),
    }
    if not asked.without_ray:
        ways |= {f"Ray, {n} node{'s'[: n - 1]}": partial(on_ray, given, n) for n in (1, 2)}
    table: list[dict[str, object]] = []
    first = 0.0
    for name, way in ways.items():
        seconds = way()
        first = first or seconds
        table.append({"executor": name, "seconds": seconds, "ratio": first / seconds})
        print(f"{name:28} {seconds:6.1f} s, ratio {first / seconds:.2f}", flush=True)
    if asked.out:
        asked.out.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
