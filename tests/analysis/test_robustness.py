"""Verdicts are counted by setting."""

from collections import Counter
from typing import Any

import numpy as np
import polars as pl
import pytest

from alignscope.analysis.robustness import robustness_table
from alignscope.config.setting import setting_label
from alignscope.results.schemas import CLAIMS, ROBUSTNESS, to_frame

VERDICTS = ("supported", "contradicted", "undecided", "depends on the scale")
RATES = (5e-5, 5e-4, 3e-3)
KEYS = ["encoder", "task", "metric", "source", "init", "window", "claim"]


def claim(setting: str, verdict: str, value: float, **changes: Any) -> dict[str, Any]:
    row = dict.fromkeys(CLAIMS) | {
        **{"encoder": "enc", "task": "pos", "metric": "accuracy", "source": "s"},
        **{"setting": setting, "init": "config", "window": "0-1", "claim": "crucial"},
        **{"says": "it matters", "value": value, "verdict": verdict},
    }
    return row | changes


def table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return robustness_table(to_frame(rows, CLAIMS))


def test_a_row_counts_the_verdicts_and_names_those_of_each_setting() -> None:
    verdicts = ("contradicted", "undecided", "supported")
    rows = [
        claim(setting_label(rate, 1e-3, 3, size), verdict, -rate * size, undertrained=rate < 1e-4)
        for size in (2000, 500)
        for rate, verdict in zip(RATES, verdicts, strict=True)
    ]
    found = table(rows)
    assert found.schema == ROBUSTNESS
    assert found.row(0, named=True) == {
        **{"encoder": "enc", "task": "pos", "metric": "accuracy", "source": "s"},
        **{"init": "config", "window": "0-1", "claim": "crucial", "says": "it matters"},
        **{"settings": 6, "supported": 2, "contradicted": 2, "other": 2, "agree": False},
        "undertrained": 2,
        **{"lowest": pytest.approx(-6.0), "highest": pytest.approx(-0.025)},
        "verdicts": "lr 5e-5, 500 sentences: contradicted (REF is under-trained); "
        "lr 5e-5, 2000 sentences: contradicted (REF is under-trained); "
        "lr 0.0005, 500 sentences: undecided; lr 0.0005, 2000 sentences: undecided; "
        "lr 0.003, 500 sentences: supported; lr 0.003, 2000 sentences: supported",
    }


def test_one_setting_needs_no_name() -> None:
    found = table([claim(setting_label(0.1, 0.1, 1, None), "supported", 1.0)])
    row = found.row(0, named=True)
    assert (row["settings"], row["agree"], row["verdicts"]) == (1, True, "supported")


@pytest.mark.parametrize("seed", range(5))
def test_the_table_agrees_with_counting_by_hand(seed: int) -> None:
    draw = np.random.default_rng(seed)
    rows = [
        claim(
            setting_label(rate, 0.1, 2, None), str(draw.choice(VERDICTS)), draw.normal(),
            task=task, claim=name, init=None if name == "stable" else "config",
            window=None if name == "stable" else "0-1",
        )
        for task in ("pos", "ner")
        for name in ("crucial", "stable")
        for rate in RATES
        if draw.random() < 0.8
    ]  # fmt: skip
    draw.shuffle(rows)  # type: ignore[arg-type]
    found = {tuple(row[key] for key in KEYS): row for row in table(rows).rows(named=True)}
    assert found.keys() == {tuple(row[key] for key in KEYS) for row in rows}
    for key, row in found.items():
        own = [one for one in rows if tuple(one[name] for name in KEYS) == key]
        counts = Counter(one["verdict"] for one in own)
        values = [one["value"] for one in own]
        assert (row["settings"], row["agree"]) == (len(own), len(counts) == 1)
        assert (row["supported"], row["contradicted"]) == (
            counts["supported"],
            counts["contradicted"],
        )
        assert row["supported"] + row["contradicted"] + row["other"] == len(own)
        assert (row["lowest"], row["highest"]) == (min(values), max(values))


def test_no_claims_give_an_empty_table() -> None:
    assert table([]).schema == ROBUSTNESS
