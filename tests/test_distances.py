"""Correlation with distance, against scipy and on tables of known truth."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import spearmanr

from alignscope.analysis.distances import correlation, distances_table
from alignscope.errors import DataError, StudyError
from alignscope.synthetic.distance import typological_distance
from alignscope.tables import DISTANCES, SCORES, frame


def row(language: str, score: float, seed: int = 1, window: str = "REF") -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(SCORES, 0)
    own = language == "vesti"
    return empty | {
        **{"address": "x", "encoder": "enc", "task": "pos", "source": "synthetic:vesti/news"},
        **{"window": window, "init": None, "adapters": None, "seed": seed},
        **{"corpus": f"synthetic:{language}/news", "split": "test", "language": language},
        **{"relation": "in-domain" if own else "cross-lingual", "metric": "accuracy"},
        **{"score": score, "majority": 0.1},
    }


TARGETS = ("dorun", "palura", "qadir", "ataru", "hanbe", "lianu", "malaku", "zoravi")


def table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return distances_table(frame(rows, SCORES), typological_distance)


def test_scores_that_fall_with_distance() -> None:
    rows = [row("vesti", 0.9)]
    for name in TARGETS:
        far = typological_distance("vesti", name)
        rows += [row(name, 0.7 - far, 1), row(name, 0.9 - far, 2), row(name, far, 1, "0-1")]
    found = table(rows)
    assert found.schema == pl.Schema(DISTANCES)
    (only,) = found.rows(named=True)
    assert only["spearman"] == pytest.approx(-1)
    assert (only["low"], only["high"]) == pytest.approx((-1, -1))
    assert only["targets"] == len(TARGETS)
    assert table(rows[::-1]).equals(found)


def test_it_is_spearmans_and_the_interval_is_around_it() -> None:
    draw = np.random.default_rng(1)
    for _ in range(5):
        pairs = draw.normal(size=(16, 2))
        pairs[:, 1] -= pairs[:, 0]
        pairs[3] = pairs[4]
        rho, low, high = correlation(pairs, seed=1)
        assert rho == pytest.approx(spearmanr(pairs[:, 0], pairs[:, 1]).statistic)
        assert low < rho < high <= 1
        assert correlation(pairs, seed=1) == (rho, low, high)
        assert correlation(pairs, seed=2) != (rho, low, high)


def test_unrelated_columns_have_an_interval_around_zero() -> None:
    draw = np.random.default_rng(2)
    hits = 0
    for _ in range(40):
        _, low, high = correlation(draw.normal(size=(16, 2)), seed=1)
        hits += low <= 0 <= high
    assert hits >= 33


def test_too_few_targets_are_refused() -> None:
    with pytest.raises(StudyError, match="3 targets cannot be correlated"):
        table([row("vesti", 0.9), *(row(name, 0.1 * i) for i, name in enumerate(TARGETS[:3]))])
    with pytest.raises(StudyError, match="differ in distance and score"):
        table([row("vesti", 0.9), *(row(name, 0.5) for name in TARGETS)])


def test_languages_without_a_description_are_refused() -> None:
    with pytest.raises(DataError, match="is not an embedded language"):
        table([row("vesti", 0.9), *(row(name, 0.5) for name in ("en", "de", "fr", "es"))])
