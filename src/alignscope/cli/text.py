"""What a study is going to do, and how far it is."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from alignscope._util.text import format_duration, format_size
from alignscope.config.run import RunSpec
from alignscope.config.study import Study
from alignscope.report.tables.export import markdown
from alignscope.results.store import ResultStore

if TYPE_CHECKING:
    from alignscope.experiments.cost import CostEstimate


def describe_plan(study: Study, runs: list[RunSpec], store: ResultStore) -> str:
    """A table of the fine-tunings by task and source, then their number and state."""
    groups: dict[tuple[str, str, str], list[RunSpec]] = {}
    for run in runs:
        groups.setdefault((run.encoder.label, run.task, run.source), []).append(run)
    rows = [
        {
            "encoder": encoder,
            "task": task,
            "source": source,
            "windows": ", ".join(_variants(group)),
            "seeds": str(len({run.seed for run in group})),
            "runs": str(len(group)),
            "done": str(sum(run in store for run in group)),
            "evaluated on": f"{len(group[0].evaluated)} corpora",
        }
        for (encoder, task, source), group in groups.items()
    ]
    done = sum(run in store for run in runs)
    measured = sum(len(run.evaluated) for run in runs)
    return (
        markdown(pl.DataFrame(rows))
        + f"\n{study.name}: {len(runs)} fine-tunings, {measured} evaluations; "
        + f"{done} done, {len(runs) - done} missing"
    )


def describe_price(quotes: Sequence["CostEstimate"], workers: int, device: str) -> str:
    """A table of what is missing by task and source, then what all of it takes."""
    rows = [
        {
            "encoder": one.encoder,
            "task": one.task,
            "source": one.source,
            "runs": str(one.runs),
            "trained as one": str(one.lockstep),
            "time": format_duration(one.seconds / workers),
            "memory": format_size(one.memory),
        }
        for one in quotes
    ]
    seconds, most = sum(one.seconds for one in quotes), max(one.memory for one in quotes)
    return (
        markdown(pl.DataFrame(rows))
        + f"\nestimated from a few steps of each on {device}: {format_duration(seconds / workers)}"
        + (f" in {workers} processes" if workers > 1 else "")
        + f", {format_size(workers * most)} of memory"
        + f", {format_size(sum(one.disk for one in quotes))} of disk"
    )


def _variants(runs: Iterable[RunSpec]) -> list[str]:
    """REF and the windows, with the init mode where it is not the encoder's own."""
    names = (
        "REF" if run.window is None
        else run.window if run.init == "config"
        else f"{run.window} ({run.init})"
        for run in runs
    )  # fmt: skip
    return list(dict.fromkeys(names))


def describe_status(runs: pl.DataFrame) -> str:
    """How many runs are done, failed and missing, and why those failed."""
    counts = Counter(runs["status"])
    lines = [", ".join(f"{counts[state]} {state}" for state in ("done", "failed", "missing"))]
    for row in runs.filter(pl.col("status") == "failed").iter_rows(named=True):
        where = f"{row['task']} {row['source']} {row['window']} seed {row['seed']}"
        lines.append(f"failed: {where}: {row['reason']}")
    return "\n".join(lines)


def describe_blocks(name: str, rows: Iterable[Any], notes: Iterable[str]) -> str:
    """The blocks of an encoder (dataclasses) as a table, and what there is to know beside it."""
    table = markdown(pl.DataFrame([asdict(row) for row in rows]))
    return "\n".join([name, "", table, *(f"- {note}" for note in notes)])
