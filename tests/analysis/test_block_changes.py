"""Changes of blocks: means by hand, and stability in planted worlds."""

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

from alignscope.analysis.block_changes import (
    SMALLEST_CHANGE,
    block_changes_table,
    stability_values,
)
from alignscope.analysis.random_effects import two_way_mean
from alignscope.results.schemas import BLOCK_CHANGES, CHANGES, to_frame

SEEDS, CORPORA = (1, 2, 3), ("a", "b", "c", "d")


def rows(
    output: dict[int, float],
    weight: dict[int, float] | None = None,
    noise: float = 0.2,
    **changes: Any,
) -> list[dict[str, Any]]:
    """Return rows with a planted change of each block, times a factor of each seed and corpus."""
    found = []
    for seed in SEEDS:
        for place, corpus in enumerate(CORPORA):
            for block, value in output.items():
                factor = 1 + 0.1 * seed + 0.05 * place
                found.append(
                    {"address": f"{seed}", "encoder": "enc", "task": "pos", "source": "s",
                     "setting": "", "window": "REF", "init": None, "adapters": None, "seed": seed,
                     "corpus": corpus, "block": block, "weight_change": (weight or output)[block],
                     "output_change": value * factor, "noise_weight_change": 0.05,
                     "noise_output_change": noise * factor, "sentences": 32, "tokens": 300}
                    | changes
                )  # fmt: skip
    return found


def frame(*parts: list[dict[str, Any]]) -> pl.DataFrame:
    return to_frame([row for part in parts for row in part], CHANGES)


def test_the_means_are_over_seeds_and_corpora() -> None:
    table = block_changes_table(frame(rows({0: 0.1, 1: 0.4}, {0: 0.03, 1: 0.06})))
    assert table.schema == BLOCK_CHANGES
    assert table["block"].to_list() == [0, 1]
    factors = 1 + 0.1 * np.array(SEEDS)[:, None] + 0.05 * np.arange(4)
    for row, output, weight in zip(table.rows(named=True), (0.1, 0.4), (0.03, 0.06), strict=True):
        expected = two_way_mean(output * factors)
        assert (row["seeds"], row["corpora"]) == (3, 4)
        found = [row[f"output_{name}"] for name in ("mean", "low", "high")]
        assert found == pytest.approx([expected.mean, expected.low, expected.high])
        assert row["log_ratio_mean"] == pytest.approx(math.log(output / 0.2))
        assert row["weight_mean"] == pytest.approx(weight)
        assert row["noise_output"] == pytest.approx(0.2 * factors.mean())
        assert row["noise_weight"] == pytest.approx(0.05)


def test_a_seed_counts_if_it_has_every_corpus_and_windows_do_not() -> None:
    whole = frame(rows({0: 0.1, 1: 0.4}))
    lacking = whole.filter((pl.col("seed") != 3) | (pl.col("corpus") != "b"))
    assert block_changes_table(lacking)["seeds"].to_list() == [2, 2]
    ablated = frame(rows({0: 0.9, 1: 0.9}, window="0-1", init="config"))
    assert block_changes_table(pl.concat([whole, ablated])).equals(block_changes_table(whole))


def test_settings_are_not_pooled() -> None:
    two = frame(rows({0: 0.1, 1: 0.4}), rows({0: 0.3, 1: 0.4}, setting="lr 1"))
    assert block_changes_table(two)["setting"].to_list() == ["", "", "lr 1", "lr 1"]
    assert len(stability_values(two)) == 2 * len(SEEDS) * len(CORPORA)


def test_upper_blocks_that_change_more_are_found_with_their_planted_size() -> None:
    output = {0: 0.1, 1: 0.1, 2: 0.4, 3: 0.4}
    weight = {0: 0.01, 1: 0.03, 2: 0.03, 3: 0.09}
    values = stability_values(frame(rows(output, weight)))
    assert values.select("seed", "corpus").rows() == [(s, c) for s in SEEDS for c in CORPORA]
    assert values["output"].to_numpy() == pytest.approx(math.log(4))
    assert values["weight"].to_numpy() == pytest.approx(math.log(3))


def test_noise_of_the_same_size_shows_nothing() -> None:
    values = stability_values(frame(rows(dict.fromkeys(range(6), 0.2))))
    assert values["output"].to_numpy() == pytest.approx(0)


def test_the_middle_of_an_odd_number_of_blocks_belongs_to_no_half() -> None:
    values = stability_values(frame(rows({0: 0.1, 1: 9.0, 2: 0.3})))
    assert values["output"].to_numpy() == pytest.approx(math.log(3))


def test_a_block_without_any_change_has_a_finite_logarithm() -> None:
    values = stability_values(frame(rows({0: 0.0, 1: 0.2})))
    factors = [1 + 0.1 * seed + 0.05 * place for seed in SEEDS for place in range(4)]
    expected = [math.log(0.2 * factor / SMALLEST_CHANGE) for factor in factors]
    assert values["output"].to_numpy() == pytest.approx(expected)
