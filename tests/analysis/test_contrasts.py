"""Contrasts, against arithmetic by hand and an interval that covers as often as it says."""

import random
from typing import Any

import polars as pl
import pytest
from scipy.stats import ttest_1samp

from alignscope.analysis.contrasts import ALL, contrasts_table, interval
from alignscope.report.tables.export import export_table
from alignscope.results.schemas import CONTRASTS, SCORES, to_frame

Row = dict[str, Any]


def runs(source: str, seed: int, window: str, **scores: float) -> list[Row]:
    """The rows of one run: a score on the source and on two targets."""
    empty: Row = dict.fromkeys(SCORES, 0)
    relations = {"own": "in-domain", "a": "cross-lingual", "b": "cross-lingual"}
    return [
        empty
        | {
            **{"address": "x", "encoder": "enc", "task": "pos", "source": source, "seed": seed},
            **{"window": window, "init": None if window == "REF" else "config", "adapters": None},
            **{"corpus": corpus, "split": "test", "language": corpus, "metric": "accuracy"},
            **{"relation": relations[corpus], "score": score, "majority": 0.1},
        }
        for corpus, score in scores.items()
    ]


def contrasts(rows: list[Row]) -> pl.DataFrame:
    return contrasts_table(to_frame(rows, SCORES))


STUDY = [
    *runs("s", 1, "REF", own=0.9, a=0.8, b=0.6),
    *runs("s", 1, "0-1", own=0.85, a=0.5, b=0.4),
    *runs("s", 2, "REF", own=0.8, a=0.7, b=0.5),
    *runs("s", 2, "0-1", own=0.8, a=0.4, b=0.4),
    *runs("t", 1, "REF", own=0.9, a=0.9, b=0.9),
    *runs("t", 1, "0-1", own=0.9, a=0.8, b=0.8),
]


def test_effects_are_paired_and_their_mean_taken_over_sources() -> None:
    table = contrasts(STUDY)
    assert table["source"].to_list() == [ALL, "s", "t"]
    one = table.row(1, named=True)
    assert one["seeds"] == 2
    assert one["source_mean"] == pytest.approx((-0.05 + 0.0) / 2)
    assert one["targets_mean"] == pytest.approx((-0.25 + -0.2) / 2)
    assert one["contrast_mean"] == pytest.approx((-0.2 + -0.2) / 2)
    both, single = table.row(0, named=True), table.row(2, named=True)
    assert both["seeds"] == 1  # seed 2 has no source t
    assert both["contrast_mean"] == pytest.approx((-0.2 - 0.1) / 2)
    assert both["contrast_low"] is None
    assert (single["seeds"], single["contrast_low"], single["contrast_high"]) == (1, None, None)


def test_sources_are_no_independent_observations_of_a_seed() -> None:
    """What the seeds share, such as their random blocks, must not look like certainty."""
    draw = random.Random(4)
    hits = 0
    for _ in range(300):
        rows = []
        for seed in range(5):
            shared = draw.gauss(0, 0.05)
            for source in ("s", "t", "u"):
                effect = -0.1 + shared + draw.gauss(0, 0.01)
                rows += runs(source, seed, "REF", own=0.9, a=0.8)
                rows += runs(source, seed, "0-1", own=0.9, a=0.8 + effect)
        every = contrasts(rows).row(0, named=True)
        assert every["source"] == ALL
        assert every["seeds"] == 5
        hits += every["contrast_low"] <= -0.1 <= every["contrast_high"]
    assert hits / 300 == pytest.approx(0.95, abs=0.035)


def test_one_source_has_no_mean_over_sources() -> None:
    one = [row for row in STUDY if row["source"] == "s"]
    assert contrasts(one)["source"].to_list() == ["s"]


def test_a_run_without_its_reference_counts_nowhere() -> None:
    lonely = runs("s", 3, "0-1", own=0.1, a=0.1, b=0.1)
    assert contrasts([*STUDY, *lonely]).equals(contrasts(STUDY))


def test_the_order_of_rows_does_not_matter() -> None:
    shuffled = random.Random(1).sample(STUDY, len(STUDY))
    assert contrasts(shuffled).equals(contrasts(STUDY))


def test_windows_come_in_their_order() -> None:
    rows = [
        row
        for seed in (1, 2)
        for window in ("REF", "10-11", "2-3", "0-1")
        for row in runs("s", seed, window, own=0.5, a=0.5, b=0.25)
    ]
    table = contrasts(rows).filter(pl.col("source") == "s")
    assert table["window"].to_list() == ["0-1", "2-3", "10-11"]


def test_nothing_measured_is_an_empty_table() -> None:
    assert contrasts([]).schema == pl.Schema(CONTRASTS)
    assert contrasts(runs("s", 1, "REF", own=0.5, a=0.5)).is_empty()


def test_the_interval_is_students() -> None:
    draw = random.Random(2)
    for count in (2, 5, 15):
        values = [draw.gauss(1, 2) for _ in range(count)]
        mean, low, high = interval(values)
        expected = ttest_1samp(values, 0).confidence_interval(0.95)
        assert mean == pytest.approx(sum(values) / count)
        assert (low, high) == pytest.approx((expected.low, expected.high))


def test_the_interval_covers_as_often_as_it_says() -> None:
    draw = random.Random(3)
    hits = 0
    for _ in range(2000):
        _, low, high = interval([draw.gauss(0.3, 1) for _ in range(5)])
        assert low is not None
        assert high is not None
        hits += low <= 0.3 <= high
    assert hits / 2000 == pytest.approx(0.95, abs=0.015)


def test_people_see_points_with_intervals() -> None:
    text = export_table(contrasts(STUDY), "md").decode()
    assert "targets − source" in text
    low, high = (100 * end for end in interval([-0.2, -0.2 - 1e-12])[1:] if end is not None)
    assert f"−20.0 [{low:+.1f}, {high:+.1f}]".replace("-", "−") in text
    assert "| −10.0 " in text
    assert r"$-$20.0 [$-$20.0" in export_table(contrasts(STUDY), "latex").decode()
