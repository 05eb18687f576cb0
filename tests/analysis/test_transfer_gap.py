"""Similarity and transfer gap: by hand, against libraries, and on simulated tables."""

from itertools import permutations
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm, pearsonr, rankdata, spearmanr

from alignscope.analysis.transfer_gap import (
    correlations,
    permutation_p,
    similarity_and_gap,
    transfer_gap_table,
)
from alignscope.results.columns import ADDED_ESTIMATES
from alignscope.results.schemas import GAPS, RUN_SIMILARITY, SCORES, to_frame

LANGUAGES = ("de", "fr", "ja", "zh", "tr", "fi", "hi", "ar")
SIMILARITY_OF = dict(zip(LANGUAGES, (0.9, 0.8, 0.3, 0.25, 0.4, 0.5, 0.45, 0.35), strict=True))


def tables(seeds: int = 2) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return scores that follow similarity at layer 1 and are unrelated to it at layer 0."""
    scores: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for seed in range(seeds):
        run = {"address": f"r{seed}", "encoder": "enc", "task": "pos", "source": "ud:en_ewt",
               "window": "REF", "setting": "setting", "init": None,
               "adapters": None, "seed": seed}  # fmt: skip
        for language in ("en", *LANGUAGES):
            is_source = language == "en"
            scores.append(
                dict.fromkeys(SCORES, 0)
                | {"domain": None}
                | run
                | {"corpus": f"ud:{language}_x", "language": language, "metric": "accuracy"}
                | {"split": "test", "relation": "in-domain" if is_source else "cross-lingual"}
                | {
                    "score": 0.95
                    if is_source
                    else 0.5 * SIMILARITY_OF[language] + 0.1 + 0.01 * seed
                }
            )
        for state in ("pretrained", "drift"):
            for rank, language in enumerate(LANGUAGES):
                for layer, value in enumerate(((rank * 3 % 8) / 8, SIMILARITY_OF[language])):
                    rows.append(
                        dict.fromkeys(RUN_SIMILARITY, 0)
                        | run
                        | {"state": state, "corpus": "ud:en_pud", "target": f"ud:{language}_pud"}
                        | {"split": "test", "unit": "sentence", "pooling": "mean"}
                        | {"layer": layer, "after_norm": False, "measure": "cka"}
                        | {"estimator": "debiased", "value": value + 0.001 * seed}
                        | dict.fromkeys(ADDED_ESTIMATES)
                    )
    return to_frame(scores, SCORES), to_frame(rows, RUN_SIMILARITY)


def distance(left: str, right: str) -> float:
    assert left == "en"
    return (0.1, 0.2, 0.9, 0.8, 0.7, 0.6, 0.5, 0.75)[LANGUAGES.index(right)]


def test_every_layer_has_a_correlation() -> None:
    found = transfer_gap_table(*tables(), distance)
    assert found.schema == GAPS
    assert found["layer"].to_list() == [0, 1]
    assert set(found["state"]) == {"pretrained"}
    unrelated, related = found.rows(named=True)
    assert related["targets"] == 8
    assert related["spearman"] == pytest.approx(-1)
    assert related["pearson"] == pytest.approx(-1)
    assert related["p"] < 0.001
    assert related["p_holm"] == pytest.approx(2 * related["p"])
    assert related["low"] is None
    expected = spearmanr(
        [(rank * 3 % 8) for rank in range(8)], [-SIMILARITY_OF[x] for x in LANGUAGES]
    )
    assert unrelated["spearman"] == pytest.approx(expected.statistic)
    assert unrelated["low"] < unrelated["spearman"] < unrelated["high"]
    assert unrelated["p"] > 0.05
    assert (related["families"], related["phylo"], related["phylo_low"]) == (6, -1, None)
    assert related["phylo_p_holm"] == pytest.approx(2 * related["phylo_p"])
    assert unrelated["phylo_low"] < unrelated["phylo"] < unrelated["phylo_high"]
    assert transfer_gap_table(*tables())["partial"].null_count() == 2


def test_a_language_without_a_gap_is_left_out_and_few_have_no_correlation() -> None:
    scores, similarity = tables()
    found = transfer_gap_table(scores.filter(pl.col("language") != "ja"), similarity)
    assert found["targets"].to_list() == [7, 7]
    few = transfer_gap_table(
        scores.filter(pl.col("language").is_in(["en", "de", "fr"])), similarity
    )
    assert few["spearman"].null_count() == 2


def test_partial_correlation_agrees_with_the_textbook() -> None:
    draw = np.random.default_rng(2)
    similarity, gap, away = draw.normal(size=(3, 12))
    found = correlations(similarity, gap, away.tolist())
    xy, xz, yz = (
        spearmanr(*pair).statistic for pair in ((similarity, gap), (similarity, away), (gap, away))
    )
    expected = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
    assert found["partial"] == pytest.approx(expected)
    assert found["spearman"] == pytest.approx(xy)
    assert found["pearson"] == pytest.approx(pearsonr(similarity, gap).statistic)
    # Fisher's interval with one language less, since the distance takes a degree of freedom.
    half = norm.ppf(0.975) * np.sqrt((1 + expected**2 / 2) / (12 - 1 - 3))
    ends = np.tanh(np.arctanh(expected) + np.array([-half, half]))
    assert [found["partial_low"], found["partial_high"]] == pytest.approx(ends.tolist())
    assert correlations(similarity, gap, [1.0] * 12)["partial"] is None
    assert correlations(similarity, gap, rankdata(similarity).tolist())["partial"] is None


def test_similarity_that_only_follows_distance_has_no_partial_correlation() -> None:
    draw = np.random.default_rng(3)
    partial, plain = [], []
    for _ in range(400):
        away = draw.normal(size=17)
        similarity, gap = -away + draw.normal(size=17), away + draw.normal(size=17)
        found = correlations(similarity, gap, away.tolist())
        partial.append(found["partial_p"])
        plain.append(found["p"])
    assert np.mean(np.array(plain, float) < 0.05) > 0.4
    assert np.mean(np.array(partial, float) < 0.05) < 0.085


def test_intervals_cover_the_true_correlation_and_p_values_are_uniform() -> None:
    draw = np.random.default_rng(4)
    rho, inside, p = 0.6, [], []
    truth = 6 / np.pi * np.arcsin(rho / 2)  # of normal variables (Pearson 1907)
    for _ in range(1000):
        x, noise = draw.normal(size=(2, 17))
        found = correlations(x, rho * x + np.sqrt(1 - rho**2) * noise)
        assert found["low"] is not None
        assert found["high"] is not None
        inside.append(found["low"] <= truth <= found["high"])
        p.append(permutation_p(rankdata(x), rankdata(noise)))
    assert 0.92 <= np.mean(inside) <= 0.98
    for level in (0.05, 0.25, 0.5, 0.75):
        assert np.mean(np.array(p) <= level) == pytest.approx(level, abs=0.04)


def test_all_pairings_of_few_values_are_tried() -> None:
    x, y = np.array([1.0, 4, 2, 3, 6]), np.array([2.0, 3, 1, 5, 4])
    each = [abs(np.corrcoef(x, y[list(order)])[0, 1]) for order in permutations(range(5))]
    seen = abs(np.corrcoef(x, y)[0, 1])
    assert permutation_p(x, y) == pytest.approx(np.mean(np.array(each) >= seen - 1e-12))


def test_similarity_without_length_stands_beside_the_plain_one() -> None:
    """The plain similarity follows the gap only because of length: without it, nothing is left."""
    scores, similarity = tables()
    unrelated = [(rank * 3 % 8) / 8 for rank in range(8)]
    by_target = dict(zip((f"ud:{x}_pud" for x in LANGUAGES), unrelated, strict=True))
    measured = similarity.with_columns(
        without_length=pl.col("target").replace_strict(by_target, return_dtype=pl.Float64)
    )
    found = transfer_gap_table(scores, measured).filter(layer=1)
    assert found["estimator"].to_list() == ["debiased", "without length"]
    plain, corrected = found["spearman"]
    assert plain == pytest.approx(-1)
    expected = spearmanr(unrelated, [-SIMILARITY_OF[x] for x in LANGUAGES]).statistic
    assert corrected == pytest.approx(expected)
    of_languages = similarity_and_gap(scores, measured).sort("language")
    corrected_of = dict(zip(LANGUAGES, unrelated, strict=True))
    assert of_languages["without_length"].to_list() == pytest.approx(
        [corrected_of[x] for x in sorted(LANGUAGES)]
    )
    layers = [rank * 3 % 8 / 8 + SIMILARITY_OF[x] for rank, x in enumerate(LANGUAGES)]
    values = dict(zip(LANGUAGES, layers, strict=True))
    assert of_languages["value"].to_list() == pytest.approx(
        [values[x] / 2 + 0.0005 for x in sorted(LANGUAGES)]
    )
    at_some_layers = measured.with_columns(
        without_length=pl.when(pl.col("layer") == 1).then("without_length")
    )
    assert similarity_and_gap(scores, at_some_layers)["without_length"].null_count() == 8
