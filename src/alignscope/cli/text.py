"""The text that commands print: plans, costs, states and blocks."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import polars as pl

from alignscope._util.text import format_duration, format_size
from alignscope.analysis.domains import domain_notes
from alignscope.config.grid import setting_names
from alignscope.config.run import RunSpec
from alignscope.config.setting import short_settings
from alignscope.config.study import Study
from alignscope.report.tables.export import markdown

if TYPE_CHECKING:
    from alignscope import Encoder
    from alignscope.experiments.cost import CostEstimate


def describe_plan(study: Study, runs: list[RunSpec], pending: list[RunSpec]) -> str:
    """Return a table of the runs by task, source and setting, then their number and state."""
    waiting = {run.address for run in pending}
    settings = setting_names(runs)
    groups: dict[tuple[str, str, str, str], list[RunSpec]] = {}
    for run in runs:
        key = run.encoder.label, run.task, run.source, settings[run.setting]
        groups.setdefault(key, []).append(run)
    rows = [
        {
            "encoder": encoder,
            "task": task,
            "source": f"{source} (supervised)" if group[0].supervised else source,
            "setting": setting,
            "windows": ", ".join(_windows_of(group)),
            "seeds": str(len({run.seed for run in group})),
            "runs": str(len(group)),
            "done": str(sum(run.address not in waiting for run in group)),
            "evaluated on": f"{len(group[0].evaluated)} corpora",
        }
        for (encoder, task, source, setting), group in groups.items()
    ]
    done = len(runs) - len(pending)
    evaluations = sum(len(run.evaluated) for run in runs)
    return (
        markdown(_without_empty_setting(rows))
        + f"\n{study.name}: {len(runs)} runs with {evaluations} evaluations; "
        + f"{done} done, {len(pending)} pending"
    )


def describe_domains(study: Study) -> list[str]:
    """Return a note for each task that lacks a corpus of the source in the targets' domain."""
    return [f"Note: {note}" for note in domain_notes(study)]


def describe_cost(estimates: Sequence["CostEstimate"], workers: int) -> str:
    """Return a table of the pending runs by task, source and size, then what all of them cost."""
    sizes = short_settings((part.encoder, part.task, part.size) for part in estimates)
    rows = [
        {
            "encoder": part.encoder,
            "task": part.task,
            "source": part.source,
            "setting": sizes[part.size],
            "runs": str(part.runs),
            "stacked": str(part.lockstep),
            "time": format_duration(part.seconds / workers),
            "memory": format_size(part.memory),
        }
        for part in estimates
    ]
    seconds = sum(part.seconds for part in estimates) / workers
    memory = workers * max(part.memory for part in estimates)
    disk = sum(part.disk for part in estimates)
    processes = f" with {workers} processes" if workers > 1 else ""
    return (
        markdown(_without_empty_setting(rows))
        + f"\nEstimated from a few training steps on {estimates[0].device}: "
        + f"{format_duration(seconds)}"
        + f"{processes}, {format_size(memory)} of memory, {format_size(disk)} of disk."
    )


def _without_empty_setting(rows: Sequence[dict[str, str]]) -> pl.DataFrame:
    """Return rows as a table, without the column ``setting`` if nothing varies."""
    table = pl.DataFrame(rows)
    return table if any(table["setting"]) else table.drop("setting")


def _windows_of(runs: Iterable[RunSpec]) -> list[str]:
    """Return REF and the windows, with the init mode unless it is the encoder's own."""
    names = (
        "REF" if run.window is None
        else run.window if run.init_label == "config"
        else f"{run.window} ({run.init_label})"
        for run in runs
    )  # fmt: skip
    return list(dict.fromkeys(names))


def describe_status(runs: pl.DataFrame) -> str:
    """Return how many runs are done, failed and missing, and why runs failed."""
    counts = Counter(runs["status"])
    states = ", ".join(f"{counts[state]} {state}" for state in ("done", "failed", "missing"))
    lines = [f"{len(runs)} runs: {states}"]
    names = short_settings(runs.select("encoder", "task", "setting").unique().rows())
    for row in runs.filter(pl.col("status") == "failed").iter_rows(named=True):
        run = f"{row['task']} {row['source']} {row['window']} seed {row['seed']}"
        setting = names[row["setting"]]
        lines.append(f"failed: {run}{f', {setting}' if setting else ''}: {row['reason']}")
    return "\n".join(lines)


def describe_blocks(encoder: "Encoder") -> str:
    """Return the blocks of an encoder as a table, then the notes on it."""
    table = markdown(encoder.block_table())
    return "\n".join([encoder.name, "", table, *(f"- {note}" for note in encoder.caveats())])
