"""Drift: means over the runs of REF, by hand."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from alignscope.analysis.drift import drift_table
from alignscope.analysis.random_effects import two_way_mean
from alignscope.results.schemas import DRIFT, RUN_SIMILARITY, to_frame

VALUES = {
    (1, "a"): 0.9, (1, "b"): 0.8, (2, "a"): 0.95, (2, "b"): 0.75, (3, "a"): 0.85, (3, "b"): 0.7,
}  # fmt: skip
"""The similarity of layer 0 before and after fine-tuning by seed and corpus; layer 1 has half."""


def row(seed: int, corpus: str, layer: int, **changes: Any) -> dict[str, Any]:
    return (
        dict.fromkeys(RUN_SIMILARITY, 0)
        | {"address": "x", "encoder": "enc", "task": "pos", "source": "s", "window": "REF"}
        | {"init": None, "adapters": None, "seed": seed, "state": "drift", "corpus": corpus}
        | {"split": "test", "unit": "sentence", "pooling": "mean", "target": corpus}
        | {"layer": layer, "after_norm": False, "measure": "cka", "estimator": "debiased"}
        | {"value": VALUES.get((seed, corpus), 0.5) / (1 + layer)}
        | changes
    )


REFERENCE = [row(seed, corpus, layer) for seed, corpus in VALUES for layer in (0, 1)]


def drift(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return drift_table(to_frame(rows, RUN_SIMILARITY))


def test_the_mean_is_over_seeds_and_corpora() -> None:
    table = drift(REFERENCE)
    assert table.schema == DRIFT
    assert table["layer"].to_list() == [0, 1]
    for found in table.rows(named=True):
        values = np.array([[0.9, 0.8], [0.95, 0.75], [0.85, 0.7]]) / (1 + found["layer"])
        expected = two_way_mean(values)
        assert (found["seeds"], found["corpora"]) == (3, 2)
        assert found["mean"] == pytest.approx(values.mean())
        assert [found["low"], found["high"]] == pytest.approx([expected.low, expected.high])


def test_runs_with_a_window_and_other_states_do_not_count() -> None:
    ablated = [
        row(seed, corpus, 0, window="0-1", init="config", value=0.1) for seed, corpus in VALUES
    ]
    more = [row(4, corpus, 0, window="0-1", init="config", value=0.1) for corpus in "ab"]
    other = [row(seed, corpus, 0, state="fine-tuned", value=0.2) for seed, corpus in VALUES]
    assert drift([*REFERENCE, *more]).equals(drift(REFERENCE))
    assert drift([*ablated, *REFERENCE, *other]).equals(drift(REFERENCE))


def test_noise_stands_beside_drift() -> None:
    """By hand as drift; results without noise have nulls."""
    noise = [row(seed, c, n, state="noise", value=v / 2) for (seed, c), v in VALUES.items()
             for n in (0, 1)]  # fmt: skip
    table = drift([*REFERENCE, *noise])
    for found in table.rows(named=True):
        expected = two_way_mean(np.array([[0.9, 0.8], [0.95, 0.75], [0.85, 0.7]]) / 2)
        ends = [found[f"noise_{name}"] for name in ("mean", "low", "high")]
        assert ends == pytest.approx([expected.mean, expected.low, expected.high])
    names = [name for name in DRIFT if name.startswith("noise_")]
    assert len(names) == 3
    assert table.drop(names).equals(drift(REFERENCE).drop(names))
    assert drift(REFERENCE).select(names).null_count().row(0) == (2, 2, 2)


def test_a_seed_counts_if_it_has_every_corpus() -> None:
    table = drift([*REFERENCE, row(4, "a", 0)])
    assert table["seeds"].to_list() == [3, 3]


def test_a_single_seed_has_no_interval() -> None:
    (found,) = drift([row(1, "a", 0), row(1, "b", 0)]).rows(named=True)
    assert found["mean"] == pytest.approx(0.85)
    assert (found["low"], found["high"]) == (None, None)
