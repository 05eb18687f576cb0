"""Correlation with distance, against scipy and on tables of known truth."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import spearmanr

from alignscope.analysis.correlation import correlation
from alignscope.analysis.distance_correlation import distances_table
from alignscope.data.synthetic.distance import typological_distance
from alignscope.errors import DataError
from alignscope.results.schemas import DISTANCES, SCORES, to_frame


def row(language: str, score: float, seed: int = 1, window: str = "REF") -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(SCORES, 0) | {"setting": "setting", "domain": None}
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
    return distances_table(to_frame(rows, SCORES), typological_distance)


def test_scores_that_fall_with_distance_correlate_negatively() -> None:
    rows = [row("vesti", 0.9)]
    for name in TARGETS:
        far = typological_distance("vesti", name)
        rows += [row(name, 0.7 - far, 1), row(name, 0.9 - far, 2), row(name, far, 1, "0-1")]
    found = table(rows)
    assert found.schema == pl.Schema(DISTANCES)
    (only,) = found.rows(named=True)
    assert only["spearman"] == -1
    assert (only["low"], only["high"]) == (None, None)
    assert only["targets"] == len(TARGETS)
    assert table(rows[::-1]).equals(found)


def test_the_correlation_is_spearmans_with_the_interval_of_bonett_and_wright() -> None:
    draw = np.random.default_rng(1)
    for _ in range(5):
        left, right = draw.normal(size=(2, 16))
        right = (right - left).tolist()
        left[3] = left[4]
        rho, low, high = correlation(left.tolist(), right)
        assert rho == pytest.approx(spearmanr(left, right).statistic)
        z, half = np.arctanh(rho), 1.959964 * np.sqrt((1 + rho**2 / 2) / 13)
        assert (low, high) == pytest.approx((np.tanh(z - half), np.tanh(z + half)))


def test_the_interval_covers_the_true_correlation() -> None:
    draw = np.random.default_rng(2)
    truth = 6 / np.pi * np.arcsin(-0.6 / 2)  # Spearman's of a normal pair whose Pearson's is -0.6
    hits = 0
    for _ in range(1000):
        left, other = draw.normal(size=(2, 16))
        _, low, high = correlation(left.tolist(), (-0.6 * left + 0.8 * other).tolist())
        assert low is not None
        assert high is not None
        hits += low <= truth <= high
    assert hits / 1000 == pytest.approx(0.95, abs=0.025)


@pytest.mark.parametrize(
    "scores", [[0.1, 0.2, 0.3, 0.4], [0.5] * 8], ids=["too few", "all the same"]
)
def test_undefined_correlations_are_null_and_other_rows_are_kept(
    scores: list[float],
) -> None:
    named = zip(TARGETS, scores, strict=False)
    poor = [row("vesti", 0.9), *(row(*one) for one in named)]
    fine = [row("vesti", 0.9), *(row(name, 0.1 * i) for i, name in enumerate(TARGETS))]
    found = table([{**one, "task": "ner"} for one in poor] + fine)
    assert found["task"].to_list() == ["ner", "pos"]
    columns = ("targets", "spearman", "low", "high", "phylo", "phylo_low", "phylo_p")
    assert found.select(columns).row(0) == (len(scores), *[None] * 6)
    assert None not in found.row(1)


def test_languages_without_a_description_are_refused() -> None:
    with pytest.raises(DataError, match="is not a synthetic language"):
        table([row("vesti", 0.9), *(row(name, 0.5) for name in ("en", "de", "fr", "es"))])
