"""Robustness: whether the verdicts on a hypothesis depend on the setting."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import polars as pl

from alignscope.analysis.verdicts import CONTRADICTED, SUPPORTED
from alignscope.config.setting import setting_order, short_settings
from alignscope.results.schemas import ROBUSTNESS, to_frame

_KEYS = ("encoder", "task", "metric", "source", "init", "window", "claim")


def robustness_table(claims: pl.DataFrame) -> pl.DataFrame:
    """Return the table ``robustness``: the verdicts of all settings on each hypothesis.

    Takes the table ``claims``, in which each setting has verdicts of its own. Nothing is tested
    anew: a setting counts with the verdict that a study of that setting alone has.
    """
    names = short_settings(claims.select("encoder", "task", "setting").unique().rows())
    rows = []
    for key, group in claims.group_by(_KEYS, maintain_order=True):
        ordered = sorted(group.rows(named=True), key=lambda row: setting_order(row["setting"]))
        counts = Counter(group["verdict"])
        texts = (_verdict_text(row, names[row["setting"]]) for row in ordered)
        rows.append(
            {
                **dict(zip(_KEYS, key, strict=True)),
                "says": group["says"][0],
                "settings": group["setting"].n_unique(),
                "supported": counts[SUPPORTED],
                "contradicted": counts[CONTRADICTED],
                "other": len(group) - counts[SUPPORTED] - counts[CONTRADICTED],
                "undertrained": group["undertrained"].sum(),
                "agree": len(counts) == 1,
                "lowest": group["value"].min(),
                "highest": group["value"].max(),
                "verdicts": "; ".join(texts),
            }
        )
    return to_frame(rows, ROBUSTNESS)


def _verdict_text(row: Mapping[str, Any], setting: str) -> str:
    verdict = f"{row['verdict']}{' (REF is under-trained)' if row['undertrained'] else ''}"
    return f"{setting}: {verdict}" if setting else verdict
