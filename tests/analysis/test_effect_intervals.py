"""Effects with intervals, against arithmetic by hand."""

import numpy as np
import polars as pl
import pytest

from alignscope.analysis.effect_intervals import effects_table
from alignscope.analysis.multiple_testing import holm
from alignscope.analysis.random_effects import two_way_mean
from alignscope.results.schemas import EFFECTS
from tests.helpers.planted import RELATIONS, scores

LOW = {"own": 0.05, "de": 0.3, "fr": 0.4, "ja": 0.35, "chat": 0.1, "law": 0.12}


def effect(given: pl.DataFrame, window: str, corpus: str) -> np.ndarray:
    of_corpus = given.filter(corpus=corpus).sort("seed")
    both = (of_corpus.filter(window=name)["score"].to_numpy() for name in (window, "REF"))
    return np.subtract(*both)


def test_every_effect_is_the_two_way_mean_of_paired_differences() -> None:
    given = scores({"0-1": LOW, "2-3": {}})
    found = effects_table(given.sample(fraction=1, shuffle=True, seed=3))
    assert found.schema == EFFECTS
    assert found["window"].unique(maintain_order=True).to_list() == ["0-1", "2-3"]
    first = {row["on"]: row for row in found.filter(window="0-1").iter_rows(named=True)}
    assert list(first) == [
        *("source", "targets", "domains", "targets − source", "targets − domains"),
        *("chat", "law", "de", "fr", "ja"),
    ]
    each = {corpus: effect(given, "0-1", corpus) for corpus in RELATIONS}
    targets = np.stack([each["de"], each["fr"], each["ja"]], axis=1)
    domains = np.stack([each["chat"], each["law"]], axis=1)
    for on, values in {
        "source": each["own"][:, None],
        "targets": targets,
        "domains": domains,
        "targets − source": targets - each["own"][:, None],
        "targets − domains": targets - domains.mean(1, keepdims=True),
        "fr": each["fr"][:, None],
    }.items():
        expected = two_way_mean(values, beside=domains if on == "targets − domains" else None)
        row = first[on]
        assert (row["seeds"], row["corpora"]) == values.shape
        assert [row[name] for name in ("mean", "low", "high", "p")] == pytest.approx(
            [expected.mean, expected.low, expected.high, expected.p]
        )
    assert first["de"]["high"] < 0 < first["de"]["p"] < 0.05
    assert first["domains"]["high"] > 0  # two corpora cannot tell of others


def test_p_values_are_corrected_within_one_kind_of_effect() -> None:
    found = effects_table(scores({"0-1": LOW, "2-3": {}, "4-5": {"de": 0.01}}))
    for on in ("source", "targets − source"):
        own = found.filter(on=on)
        assert own["p_holm"].to_list() == holm(own["p"].to_list())
    single = found.filter(pl.col("on").is_in(["de", "fr", "ja", "chat", "law"]))
    assert len(single) == 15
    assert single["p_holm"].to_list() == holm(single["p"].to_list())


def test_a_seed_counts_in_means_if_it_has_every_corpus() -> None:
    given = scores({"0-1": LOW})
    partial = given.filter(~((pl.col("seed") == 2) & (pl.col("corpus") == "fr")))
    found = effects_table(partial)
    assert found.filter(on="targets")["seeds"].item() == 2
    assert found.filter(on="de")["seeds"].item() == 3
    assert found.filter(on="fr")["seeds"].item() == 2


def test_without_targets_domains_or_seeds_there_are_no_such_rows() -> None:
    given = scores({"0-1": LOW}, seeds=1)
    found = effects_table(given.filter(pl.col("relation") == "in-domain"))
    (row,) = found.rows(named=True)
    assert row["on"] == "source"
    assert row["mean"] == pytest.approx(effect(given, "0-1", "own").item())
    assert (row["low"], row["high"], row["p"], row["p_holm"]) == (None, None, None, None)
    assert effects_table(given.filter(window="REF")).is_empty()
