"""Intervals over seeds: arithmetic by hand, and the coverage of the interval."""

import random
from typing import Any

import polars as pl
import pytest
from scipy.stats import ttest_1samp

from alignscope.analysis.effect_intervals import effects_table
from alignscope.analysis.seed_intervals import ALL_SOURCES, TARGETS_SOURCE, student_interval
from alignscope.report.tables.export import export_table
from alignscope.results.schemas import EFFECTS, SCORES, to_frame

Row = dict[str, Any]

RELATIONS = {"own": "in-domain", "a": "cross-lingual", "b": "cross-lingual", "c": "cross-domain"}


def run_scores(source: str, seed: int, window: str, **scores: float) -> list[Row]:
    """Return the rows of one run, with a score per corpus."""
    empty: Row = dict.fromkeys(SCORES, 0) | {"setting": "setting", "domain": None}
    return [
        empty
        | {
            **{"address": "x", "encoder": "enc", "task": "pos", "source": source, "seed": seed},
            **{"window": window, "init": None if window == "REF" else "config", "adapters": None},
            **{"corpus": corpus, "split": "test", "language": corpus, "metric": "accuracy"},
            **{"relation": RELATIONS[corpus], "score": score, "majority": 0.1},
        }
        for corpus, score in scores.items()
    ]


def effects(rows: list[Row]) -> pl.DataFrame:
    return effects_table(to_frame(rows, SCORES))


STUDY = [
    *run_scores("s", 1, "REF", own=0.9, a=0.8, b=0.6),
    *run_scores("s", 1, "0-1", own=0.85, a=0.5, b=0.4),
    *run_scores("s", 2, "REF", own=0.8, a=0.7, b=0.5),
    *run_scores("s", 2, "0-1", own=0.8, a=0.4, b=0.4),
    *run_scores("t", 1, "REF", own=0.9, a=0.9, b=0.9),
    *run_scores("t", 1, "0-1", own=0.9, a=0.8, b=0.8),
]
MEANS = ["source", "targets", TARGETS_SOURCE]


def test_effects_are_paired_by_seed_and_averaged_over_sources() -> None:
    table = effects(STUDY)
    of_s = {row["on"]: row for row in table.filter(source="s").rows(named=True)}
    assert list(of_s) == [*MEANS, "a", "b"]
    by_seed = {"source": (-0.05, 0.0), "targets": (-0.25, -0.2), TARGETS_SOURCE: (-0.2, -0.2),
               "a": (-0.3, -0.3), "b": (-0.2, -0.1)}  # fmt: skip
    for on, values in by_seed.items():
        mean, low, high = student_interval(values)
        row = of_s[on]
        assert row["seeds"] == 2
        assert row["mean"] == pytest.approx(mean)
        assert (row["seeds_low"], row["seeds_high"]) == pytest.approx((low, high))
    of_all = table.filter(source=ALL_SOURCES)
    assert of_all["on"].to_list() == MEANS
    assert of_all["seeds"].to_list() == [1, 1, 1]  # seed 2 has no source t
    assert of_all["mean"].to_list() == pytest.approx([-0.025, -0.175, -0.15])


def test_a_single_seed_has_no_interval() -> None:
    of_t = effects(STUDY).filter(source="t")
    assert of_t.select("low", "high", "seeds_low", "seeds_high").null_count().row(0) == (5,) * 4


def test_source_all_has_only_the_interval_over_seeds() -> None:
    more = [row | {"seed": row["seed"] + 1} for row in STUDY if row["source"] == "t"]
    of_all = effects([*STUDY, *more]).filter(source=ALL_SOURCES)
    assert of_all["seeds"].to_list() == [2, 2, 2]
    assert of_all.select("corpora", "low", "high", "p", "p_holm").null_count().row(0) == (3,) * 5
    assert of_all.select("seeds_low", "seeds_high").null_count().row(0) == (0, 0)


def test_corpora_are_held_fixed() -> None:
    """The targets differ a lot from each other, the seeds do not: only one interval is wide."""
    rows = [
        row
        for seed in (1, 2, 3)
        for window, lost in (("REF", 0.0), ("0-1", 0.3))
        for row in run_scores("s", seed, window, own=0.9, a=0.9 - lost + 0.001 * seed, b=0.9)
    ]
    (row,) = effects(rows).filter(on="targets").rows(named=True)
    assert row["high"] - row["low"] > 1
    assert row["seeds_high"] - row["seeds_low"] < 0.01


def test_a_seed_counts_if_it_has_every_corpus() -> None:
    table = effects([row for row in STUDY if (row["seed"], row["corpus"]) != (2, "b")])
    of_s = {row["on"]: row for row in table.filter(source="s").rows(named=True)}
    assert [of_s[on]["seeds"] for on in ("targets", "a", "b")] == [1, 2, 1]
    assert [of_s[on]["seeds_low"] is None for on in ("targets", "a", "b")] == [True, False, True]


def test_other_domains_are_subtracted_within_a_seed() -> None:
    rows = [
        row
        for seed, cost in ((1, 0.1), (2, 0.2), (3, 0.4))
        for window, lost in (("REF", 0.0), ("0-1", cost))
        for row in run_scores("s", seed, window, a=0.9 - 2 * lost, b=0.9, c=0.8 - lost / 2)
    ]
    (row,) = effects(rows).filter(on="targets − domains").rows(named=True)
    mean, low, high = student_interval([-cost + cost / 2 for cost in (0.1, 0.2, 0.4)])
    assert row["mean"] == pytest.approx(mean)
    assert (row["seeds_low"], row["seeds_high"]) == pytest.approx((low, high))
    assert row["low"] is None  # a single domain has no variance over domains


def test_sources_of_a_seed_are_not_independent_observations() -> None:
    """The variance that the sources of a seed share, such as random blocks, widens the interval."""
    draw = random.Random(4)
    hits = 0
    for _ in range(300):
        rows = []
        for seed in range(5):
            shared = draw.gauss(0, 0.05)
            for source in ("s", "t", "u"):
                effect = -0.1 + shared + draw.gauss(0, 0.01)
                rows += run_scores(source, seed, "REF", own=0.9, a=0.8)
                rows += run_scores(source, seed, "0-1", own=0.9, a=0.8 + effect)
        (row,) = effects(rows).filter(source=ALL_SOURCES, on=TARGETS_SOURCE).rows(named=True)
        assert row["seeds"] == 5
        hits += row["seeds_low"] <= -0.1 <= row["seeds_high"]
    assert hits / 300 == pytest.approx(0.95, abs=0.035)


def test_a_single_source_has_no_mean_over_sources() -> None:
    table = effects([row for row in STUDY if row["source"] == "s"])
    assert set(table["source"]) == {"s"}


def test_a_source_without_targets_is_no_part_of_the_mean_over_sources() -> None:
    table = effects([row for row in STUDY if row["source"] == "s" or row["corpus"] == "own"])
    assert set(table["source"]) == {"s", "t"}


def test_a_run_without_its_reference_is_left_out() -> None:
    lonely = run_scores("s", 3, "0-1", own=0.1, a=0.1, b=0.1)
    assert effects([*STUDY, *lonely]).equals(effects(STUDY))


def test_the_order_of_rows_changes_nothing() -> None:
    shuffled = random.Random(1).sample(STUDY, len(STUDY))
    assert effects(shuffled).equals(effects(STUDY))


def test_windows_are_sorted_by_block() -> None:
    rows = [
        row
        for seed in (1, 2)
        for source in ("s", "t")
        for window in ("REF", "10-11", "2-3", "0-1")
        for row in run_scores(source, seed, window, own=0.5, a=0.5, b=0.25)
    ]
    for source in ("s", ALL_SOURCES):
        windows = effects(rows).filter(source=source)["window"].unique(maintain_order=True)
        assert windows.to_list() == ["0-1", "2-3", "10-11"]


def test_no_scores_are_an_empty_table() -> None:
    assert effects([]).schema == pl.Schema(EFFECTS)
    assert effects(run_scores("s", 1, "REF", own=0.5, a=0.5)).is_empty()


def test_the_interval_is_that_of_scipy() -> None:
    draw = random.Random(2)
    for count in (2, 5, 15):
        values = [draw.gauss(1, 2) for _ in range(count)]
        mean, low, high = student_interval(values)
        expected = ttest_1samp(values, 0).confidence_interval(0.95)
        assert mean == pytest.approx(sum(values) / count)
        assert (low, high) == pytest.approx((expected.low, expected.high))


def test_the_interval_covers_95_percent() -> None:
    draw = random.Random(3)
    hits = 0
    for _ in range(2000):
        _, low, high = student_interval([draw.gauss(0.3, 1) for _ in range(5)])
        assert low is not None
        assert high is not None
        hits += low <= 0.3 <= high
    assert hits / 2000 == pytest.approx(0.95, abs=0.015)


def test_people_see_both_intervals_in_points() -> None:
    text = export_table("effects", effects(STUDY), "md").decode()
    low, high = (100 * end for end in student_interval([-0.25, -0.2])[1:] if end is not None)
    assert f"[{low:+.1f}, {high:+.1f}]".replace("-", "−") in text
    assert "| −15.0 " in text  # targets − source over both sources, a single seed
    assert r"$-$22.5 [" in export_table("effects", effects(STUDY), "latex").decode()
