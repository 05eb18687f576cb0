"""What a study found, in sentences."""

import math
from collections import Counter
from collections.abc import Iterator

import polars as pl
from scipy.special import stdtrit

from alignscope.analysis.results import PrimaryResults, StudyResults
from alignscope.config.registry import TASK_INFO
from alignscope.config.windows import Window
from alignscope.report.labels import (
    ResultGroup,
    corpus_label,
    format_p,
    format_points,
    result_groups,
)

LEAD = (
    "Blocks whose loss costs other languages much more than the source language align "
    "languages; where such blocks end, prediction begins."
)


def completion_note(found: StudyResults) -> str:
    """How much of a study is done."""
    counts = Counter(found.runs["status"])
    total, done = len(found.runs), counts["done"]
    if done == total:
        return f"All {total} runs are done."
    left = [f"{counts[state]} {state}" for state in ("failed", "missing") if counts[state]]
    return (
        f"{done} of {total} runs are done ({', '.join(left)}): what follows is of those that are "
        "done, and may change."
    )


def power_note(count: int) -> str:
    """Say how little so many target languages can tell of a correlation."""
    if count < 5:
        return "Correlations are over target languages, and take five at the least."
    t = float(stdtrit(count - 2, 0.975))
    least = t / math.sqrt(count - 2 + t**2)
    return (
        f"Correlations are over as many points as there are target languages: with {count}, only "
        f"those beyond about ±{least:.1f} are told from none. Read the intervals."
    )


def summarise(found: PrimaryResults) -> list[str]:
    """A sentence or two for each setting, then one on the claims."""
    said = [text for setting in result_groups(found.scores) for text in _of_setting(found, setting)]
    counts = Counter(found.claims["verdict"])
    if counts:
        counted = ", ".join(f"{counts[name]} {name}" for name in VERDICTS)
        said.append(f"Verdicts on the paper's claims: {counted}.")
    return said


VERDICTS = ("supported", "contradicted", "undecided")


def _of_setting(found: PrimaryResults, setting: ResultGroup) -> Iterator[str]:
    effects = setting.of(found.effects)
    inits = effects["init"].unique(maintain_order=True).to_list()
    for init in inits:
        whose = _named(setting) + (f", initialised by {init}" if len(inits) > 1 else "")
        table = effects.filter(init=init)
        told = (
            _windows_told(table),
            _missing(found, setting, init),
            _boundary(found, setting, init),
        )
        yield f"{whose}: {' '.join(filter(None, told))}"
    if not inits:
        planned = any(setting.owns(run) and run.window for run in found.planned)
        what = (
            "no window is done together with its REF yet" if planned else "no window was asked for"
        )
        yield f"{_named(setting)}: {what}."


def _named(setting: ResultGroup) -> str:
    task = TASK_INFO.title(setting.task)
    return f"{setting.encoder}, {task} from {corpus_label(setting.source)} ({setting.unit})"


def _windows_told(table: pl.DataFrame) -> str:
    """Which window costs the targets most, and whether that is told from none."""
    means = table.filter(on="targets").sort("mean")
    if means.is_empty():
        return "there are no targets to transfer to."
    worst, count = means.row(0, named=True), means.height
    targets = "the target" if worst["corpora"] == 1 else f"the {worst['corpora']} targets"
    of = "its one window" if count == 1 else f"of {count} windows"
    if worst["mean"] >= 0:
        return f"{of}, none costs {targets} anything in the mean."
    sure = worst["p_holm"]
    doubt = "" if sure is not None and sure <= 0.05 else (
        " A single seed cannot say how sure that is."
        if worst["seeds"] == 1
        else f" That is not told from none (p {format_p(sure)} by Holm)."
    )  # fmt: skip
    source = table.filter(on="source", window=worst["window"])
    own = f", the source {_change(source.row(0, named=True))}" if len(source) else ""
    seeds = f"{worst['seeds']} seed{'s' if worst['seeds'] > 1 else ''}"
    return (
        f"{of}, {worst['window']} costs most: without what it has learnt {targets} "
        f"{_change(worst)}{own} ({seeds}).{doubt}"
    )


def _missing(found: PrimaryResults, setting: ResultGroup, init: str) -> str:
    """The windows that were planned and of which nothing is known yet."""
    planned = {r.window for r in found.planned if setting.owns(r) and r.init == init and r.window}
    known = set(setting.of(found.effects).filter(init=init)["window"])
    missing = sorted(planned - known, key=lambda name: Window.parse(str(name)).first)
    return f"Not yet known: {', '.join(map(str, missing))}." if missing else ""


def _change(row: dict[str, float | None]) -> str:
    """``lose 15.2 format_points [10.3, 20.0]``."""
    mean, low, high = row["mean"] or 0.0, row["low"], row["high"]
    verb, sign = ("lose", -1) if mean < 0 else ("gain", 1)
    ends = sorted(sign * end for end in (low, high) if end is not None)
    between = f" [{', '.join(format_points(end, signed=False) for end in ends)}]" if ends else ""
    ending = "s" if row["corpora"] == 1 else ""
    return f"{verb}{ending} {format_points(abs(mean), signed=False)} points{between}"


def _boundary(found: StudyResults, setting: ResultGroup, init: str) -> str:
    rows = setting.of(found.boundaries).filter(init=init)
    if rows.is_empty():
        return ""
    row = rows.row(0, named=True)
    if row["block"] is None:
        return f"Where alignment ends cannot be told ({row['reason']})."
    return (
        f"Prediction begins at block {row['block']} (95 % of resamples: {row['low']} to "
        f"{row['high']})."
    )
