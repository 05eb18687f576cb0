"""The spread over epochs, by hand."""

from typing import Any

import polars as pl
import pytest

from alignscope.analysis.epoch_spread import SINGLE_SEED_MARGIN, epoch_spread_table
from alignscope.results.schemas import EPOCH_SPREAD, EPOCHS, to_frame

DEV = {"REF": [0.5, 0.80, 0.82, 0.81], "0-1": [0.4, 0.60, 0.79, 0.80]}
TARGET = {"REF": [0.3, 0.50, 0.60, 0.40], "0-1": [0.1, 0.20, 0.45, 0.35]}
RELATIONS = {"s": "in-domain", "t1": "cross-lingual", "t2": "cross-lingual", "d": "cross-domain"}


def rows(seeds: tuple[int, ...] = (1, 2), wobble: float = 0.01) -> list[dict[str, Any]]:
    """Return four epochs of REF and a window; dev differs by ± wobble between two seeds."""
    found = []
    for window in DEV:
        for seed in seeds:
            for number in range(4):
                for corpus, relation in RELATIONS.items():
                    offset = {"s": 0.3, "t1": 0.0, "t2": 0.1, "d": 0.2}[corpus]
                    found.append(
                        {"address": f"{window} {seed}", "encoder": "enc", "task": "pos",
                         "source": "s", "setting": "", "window": window,
                         "init": None if window == "REF" else "config", "adapters": None,
                         "seed": seed, "metric": "accuracy", "epoch": number + 1, "steps": number,
                         "loss": 0.1, "dev_score": DEV[window][number] + wobble * (2 * seed - 3),
                         "corpus": corpus, "relation": relation,
                         "score": TARGET[window][number] + offset + 0.02 * seed}
                    )  # fmt: skip
    return found


def spread(found: list[dict[str, Any]], window: str, on: str) -> dict[str, Any]:
    table = epoch_spread_table(to_frame(found, EPOCHS))
    assert table.schema == EPOCH_SPREAD
    (row,) = table.filter(window=window, on=on).rows(named=True)
    return row


def test_scores_of_ref_vary_over_epochs_as_good_as_the_best() -> None:
    """Dev of epoch 2 is 0.02 below the best; the spread over seeds is 0.014 or 0.028."""
    narrow, wide = rows(), rows(wobble=0.02)
    row = spread(narrow, "REF", "targets")
    assert (row["first_epoch"], row["epochs"], row["seeds"]) == (3, 2, 2)
    assert [row["low"], row["high"]] == pytest.approx([0.40 + 0.08, 0.60 + 0.08])
    assert row["spread"] == pytest.approx(0.2)
    assert spread(wide, "REF", "targets")["first_epoch"] == 2
    assert spread(wide, "REF", "source")["high"] == pytest.approx(0.60 + 0.33)


def test_effects_vary_over_epochs_in_which_both_are_as_good_as_their_best() -> None:
    row = spread(rows(wobble=0.02), "0-1", "targets")
    assert row["first_epoch"] == 3
    assert [row["low"], row["high"]] == pytest.approx([-0.15, -0.05])
    assert row["spread"] == pytest.approx(0.1)


def test_one_seed_has_a_margin_of_one_point() -> None:
    assert SINGLE_SEED_MARGIN == 0.01
    assert spread(rows((1,)), "REF", "targets")["first_epoch"] == 3


def test_a_single_epoch_has_no_spread() -> None:
    last = [row for row in rows() if row["epoch"] == 4]
    row = spread(last, "REF", "targets")
    assert (row["epochs"], row["spread"]) == (1, None)


def test_an_effect_needs_its_ref_and_old_results_have_no_row() -> None:
    alone = [row for row in rows() if row["window"] != "REF"]
    assert epoch_spread_table(to_frame(alone, EPOCHS)).is_empty()
    old = [row | dict.fromkeys(("corpus", "relation", "score")) for row in rows()]
    assert epoch_spread_table(to_frame(old, EPOCHS)).is_empty()


def test_another_annotation_scheme_is_left_out() -> None:
    other = [
        row | {"corpus": "x", "relation": "cross-scheme", "score": 0.0}
        for row in rows()
        if row["corpus"] == "d"
    ]
    both = epoch_spread_table(to_frame([*rows(), *other], EPOCHS))
    assert both.equals(epoch_spread_table(to_frame(rows(), EPOCHS)))
    assert set(both["on"]) == {"source", "targets", "domains"}
    assert both.sort("window").equals(both.sort("window", maintain_order=True))
    assert isinstance(both, pl.DataFrame)
