"""Tables that put the settings of a study side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from alignscope.analysis.constants import RUN_KEYS
from alignscope.analysis.results import PrimaryResults
from alignscope.report.groups import ResultGroup, result_groups
from alignscope.report.labels import format_points, format_points_ci
from alignscope.report.tables.tables import ReportTable, make_table
from alignscope.report.tables.text_frames import drop_constant_columns, text_frame
from alignscope.results.tables import REF

_SCORES = {"source": "in-domain", "targets": "cross-lingual"}


def settings_tables(results: PrimaryResults) -> Sequence[ReportTable]:
    """Return REF and effects, then verdicts, by setting; nothing for a study of one setting."""
    groups = result_groups(results)
    if not any(group.setting_name for group in groups):
        return ()
    data = results.robustness.filter(pl.col("settings") > 1)
    return (
        _by_setting(results, groups),
        make_table(results, "robustness", "Verdicts by setting", data),
    )


def robustness_sentence(results: PrimaryResults) -> str:
    """Return a sentence on how many claims have one verdict; empty text with one setting."""
    tested = results.robustness.filter(pl.col("settings") > 1)
    if tested.is_empty():
        return ""
    count, agree = len(tested), sum(tested["agree"])
    if count == 1:
        return (
            f"The 1 claim tested in several settings has {'one' if agree else 'no single'} verdict."
        )
    same = {0: "none has", 1: "1 has"}.get(agree, f"{agree} have")
    return f"Of {count} claims tested in several settings, {same} the same verdict in all of them."


def _by_setting(results: PrimaryResults, groups: Sequence[ResultGroup]) -> ReportTable:
    """Return a row for each group and init: REF's scores and the effects on the targets."""
    rows = [row for group in groups for row in _rows(results, group)]
    windows = list(dict.fromkeys(str(row["window"]) for row in rows if row["window"]))
    cells: dict[tuple[object, ...], dict[str, str]] = {}
    for row in rows:
        of_row = cells.setdefault((row["group"], row["init"]), _texts(row))
        if row["window"] is not None:
            effect = format_points_ci(row["mean"], row["low"], row["high"])
            of_row[f"{row['window']} on targets"] = effect
    scores = [f"REF on {place}" for place in _SCORES]
    effects = [f"{window} on targets" for window in windows]
    columns = ["encoder", "task", "source", "setting", *scores, "majority on targets", *effects,
               "metric", "init"]  # fmt: skip
    display = text_frame(
        [{name: of_row.get(name, "") for name in columns} for of_row in cells.values()], columns
    )
    data = pl.DataFrame(
        [{key: value for key, value in row.items() if key != "group"} for row in rows]
    )
    title = "REF's scores and effects on the targets in points, by setting"
    return ReportTable("settings", title, data, drop_constant_columns(display))


def _rows(results: PrimaryResults, group: ResultGroup) -> list[dict[str, Any]]:
    """Return a row for each window: REF's mean scores, and the effect on the targets."""
    reference = group.select(results.scores).filter(window=REF)
    means = {
        place: reference.filter(relation=relation)["score"].sort().mean()
        for place, relation in _SCORES.items()
    }
    majority = reference.filter(relation="cross-lingual").unique("corpus")["majority"].sort().mean()
    about = {
        "group": group,
        **{name: getattr(group, name) for name in RUN_KEYS},
        **{f"ref_{place}": mean for place, mean in means.items()},
        "majority_targets": majority,
    }
    effects = group.select(results.effects).filter(on="targets")
    names = {"mean": "fixed", "low": "seeds_low", "high": "seeds_high"}
    none: dict[str, Any] = dict.fromkeys(("init", "window", *names))
    found = [
        {"init": row["init"], "window": row["window"]}
        | {name: row[column] for name, column in names.items()}
        for row in effects.iter_rows(named=True)
    ]
    return [about | row for row in found or [none]]


def _texts(row: Mapping[str, Any]) -> dict[str, str]:
    group: ResultGroup = row["group"]
    scores = {f"REF on {place}": row[f"ref_{place}"] for place in _SCORES}
    scores["majority on targets"] = row["majority_targets"]
    return {
        "encoder": group.encoder_name,
        **{name: getattr(group, name) for name in ("task", "source", "metric")},
        "setting": group.setting_name,
        "init": row["init"] or "",
        **{
            name: "" if score is None else format_points(score, signed=False)
            for name, score in scores.items()
        },
    }
