"""The summary, compared with the same arithmetic on dictionaries."""

import random
from collections import defaultdict
from itertools import product
from statistics import fmean, stdev
from typing import Any

import polars as pl
import pytest

from alignscope.analysis.summary import summary_table
from alignscope.results.schemas import SCORES, SUMMARY, to_frame

WINDOWS = ("0-1", "2-3", "4", "10-11")
CORPORA = {
    "en": {"ud:en_a": "in-domain", "ud:en_b": "cross-domain", "ud:en_c": "cross-domain"},
    "de": {"ud:de_a": "in-domain"},
}
TARGETS = {"en": ("ud:de_x", "ud:fr_x"), "de": ("ud:en_x", "ud:fr_x", "ud:ja_x")}
GROUP = ("encoder", "task", "metric", "source", "setting")
PLACES = {"source": "in-domain", "targets": "cross-lingual", "domains": "cross-domain"}

Row = dict[str, Any]


def score(window: str = "REF", init: str | None = None, seed: int = 1, **changes: Any) -> Row:
    row: Row = dict.fromkeys(SCORES, 0) | {"setting": "few", "domain": None}
    row |= {
        **{"address": "a", "encoder": "enc", "task": "pos", "source": "ud:en_a"},
        **{"window": window, "init": init, "adapters": None, "seed": seed},
        **{"corpus": "ud:en_a", "split": "test", "language": "en", "relation": "in-domain"},
        **{"metric": "accuracy", "score": 0.5, "majority": 0.25},
    }
    assert changes.keys() <= row.keys()
    return row | changes


def table(rows: list[Row]) -> list[Row]:
    return summary_table(to_frame(rows, SCORES)).rows(named=True)


def draw_scores(seed: int) -> list[Row]:
    """Return the scores of a study in which some runs are missing, also of REF."""
    draw = random.Random(seed)
    rows = []
    inits = draw.choice([("config",), ("config", "torch-default")])
    settings = draw.choice([("few",), ("few", "many")])
    for encoder in ("enc", "other")[: draw.randint(1, 2)]:
        for task, metrics in (("pos", ["accuracy"]), ("parsing", ["las", "uas"])):
            for language in CORPORA:
                source = f"ud:{language}_a"
                corpora = CORPORA[language] | dict.fromkeys(TARGETS[language], "cross-lingual")
                for number in range(1, draw.randint(2, 5)):
                    variants = [("REF", None)] + [(w, i) for i in inits for w in WINDOWS]
                    for (window, init), setting in product(variants, settings):
                        if draw.random() < 0.2:
                            continue
                        rows += [
                            score(
                                window,
                                init,
                                number,
                                **{"encoder": encoder, "task": task, "source": source},
                                setting=setting,
                                **{"corpus": corpus, "relation": relation, "metric": metric},
                                score=draw.random(),
                                majority=len(corpus + metric) / 100,
                            )
                            for corpus, relation in corpora.items()
                            for metric in metrics
                        ]
    draw.shuffle(rows)
    return rows


def by_hand(rows: list[Row]) -> dict[tuple[Any, ...], Row]:
    """Return the same table, keyed by `GROUP`, init and window."""
    reference = {}
    for row in rows:
        if row["window"] == "REF":
            reference[pair(row)] = row["score"]
    values: dict[tuple[Any, ...], Any] = defaultdict(lambda: defaultdict(lambda: defaultdict(dict)))
    for row in rows:
        grid = tuple(row[name] for name in GROUP)
        place = next(name for name, relation in PLACES.items() if relation == row["relation"])
        if row["window"] == "REF":
            values[*grid, None, "REF"][place][row["seed"]][row["corpus"]] = row["score"]
            values[*grid, None, "majority"][place][0][row["corpus"]] = row["majority"]
        elif pair(row) in reference:
            effect = row["score"] - reference[pair(row)]
            values[*grid, row["init"], row["window"]][place][row["seed"]][row["corpus"]] = effect
    return {key: summary(places) for key, places in values.items()}


def pair(row: Row) -> tuple[Any, ...]:
    return tuple(row[key] for key in (*GROUP, "seed", "corpus"))


def summary(places: dict[str, dict[int, dict[str, float]]]) -> Row:
    found: Row = {"seeds": len({seed for seeds in places.values() for seed in seeds})}
    for place in PLACES:
        means = [fmean(corpora.values()) for corpora in places.get(place, {}).values()]
        found[f"{place}_mean"] = fmean(means) if means else None
        found[f"{place}_std"] = stdev(means) if len(means) > 1 else None
        found[f"{place}_corpora"] = max(map(len, places[place].values())) if means else None
    return found


@pytest.mark.parametrize("seed", range(12))
def test_the_summary_agrees_with_arithmetic_on_dictionaries(seed: int) -> None:
    rows = draw_scores(seed)
    expected = by_hand(rows)
    found = {}
    for row in table(rows):
        key = tuple(row.pop(name) for name in (*GROUP, "init"))
        found[*key, row.pop("window")] = row
    assert found.keys() == expected.keys()
    for key, row in found.items():
        assert row == pytest.approx(expected[key], abs=1e-12), key


@pytest.mark.parametrize("seed", range(3))
def test_the_summary_is_the_same_to_the_last_bit_in_any_order(seed: int) -> None:
    """The order of rows and the number of threads change no sum."""
    rows = draw_scores(seed)
    first = summary_table(to_frame(rows, SCORES)).write_csv()
    for _ in range(20):
        random.Random(seed).shuffle(rows)
        assert summary_table(to_frame(rows, SCORES)).write_csv() == first


def test_the_columns_are_those_of_the_schema() -> None:
    assert summary_table(to_frame(draw_scores(1), SCORES)).schema == pl.Schema(SUMMARY)


def test_no_scores_have_no_rows() -> None:
    empty = summary_table(to_frame([], SCORES))
    assert empty.height == 0
    assert empty.schema == pl.Schema(SUMMARY)


def test_without_ref_there_is_no_effect() -> None:
    assert table([score("0-1", "config"), score("2-3", "config")]) == []


def test_an_effect_is_paired_by_seed() -> None:
    """Seed 2 has no REF, seed 3 no window: neither counts, not even in an average."""
    rows = [
        *(score(seed=1, score=0.9), score("0-1", "config", seed=1, score=0.6)),
        *(score("0-1", "config", seed=2, score=0.0), score(seed=3, score=0.1)),
    ]
    found = {row["window"]: row for row in table(rows)}
    assert found["0-1"]["source_mean"] == pytest.approx(-0.3)
    assert (found["0-1"]["seeds"], found["0-1"]["source_std"]) == (1, None)
    assert (found["REF"]["seeds"], found["REF"]["source_mean"]) == (2, 0.5)


def test_standard_deviation_is_over_seeds_with_n_minus_1() -> None:
    rows = [
        *(score(seed=1, score=0.4), score(seed=2, score=0.6)),
        *(score("0-1", "config", seed=1, score=0.3), score("0-1", "config", seed=2, score=0.1)),
    ]
    found = {row["window"]: row for row in table(rows)}
    assert found["REF"]["source_std"] == pytest.approx(0.2 / 2**0.5)
    assert found["0-1"]["source_mean"] == pytest.approx(-0.3)
    assert found["0-1"]["source_std"] == pytest.approx(0.4 / 2**0.5)


def test_corpora_have_equal_weight_whatever_their_number_of_words() -> None:
    """A mean over corpora within each seed, then over seeds."""
    rows = [
        score(seed=seed, corpus=corpus, relation="cross-lingual", score=value, words=words)
        for seed, corpus, value, words in (
            *((1, "ud:de_x", 0.2, 1000), (1, "ud:fr_x", 0.8, 1)),
            (2, "ud:de_x", 0.9, 1000),
        )
    ]
    found = {row["window"]: row for row in table(rows)}["REF"]
    assert found["targets_mean"] == pytest.approx((0.5 + 0.9) / 2)
    assert found["targets_corpora"] == 2
    assert found["source_mean"] is None


def test_the_majority_baseline_has_no_seeds() -> None:
    rows = [score(seed=seed, majority=0.25) for seed in (1, 2, 3)]
    found = {row["window"]: row for row in table(rows)}["majority"]
    assert (found["source_mean"], found["source_std"], found["init"]) == (0.25, None, None)
    assert found["seeds"] == 1


def test_rows_are_sorted_by_block() -> None:
    windows = ["10-11", "2-3", "REF", "0-1", "1", "0-10", "0-5", "0"]
    rows = [score(window, None if window == "REF" else "config") for window in windows]
    expected = ["majority", "REF", "0", "0-1", "0-5", "0-10", "1", "2-3", "10-11"]
    assert [row["window"] for row in table(rows)] == expected


def test_inits_have_rows_of_their_own_and_share_ref() -> None:
    rows = [
        score(score=0.9),
        score("0-1", "torch-default", score=0.2),
        score("0-1", "config", score=0.5),
    ]
    found = [(row["init"], row["window"], row["source_mean"]) for row in table(rows)]
    assert found == [
        (None, "majority", 0.25),
        (None, "REF", 0.9),
        ("config", "0-1", pytest.approx(-0.4)),
        ("torch-default", "0-1", pytest.approx(-0.7)),
    ]


def test_two_results_of_one_ref_are_an_error() -> None:
    with pytest.raises(pl.exceptions.ComputeError):
        table([score(), score(), score("0-1", "config")])
