"""Effects with intervals, against arithmetic by hand."""

import numpy as np
import polars as pl
import pytest
from scipy.special import logit

from alignscope.analysis.effect_estimates import estimate_effects
from alignscope.analysis.effect_intervals import ALL_SOURCES, effects_table
from alignscope.analysis.genealogy import Lineage
from alignscope.analysis.moderation import VarianceEstimate, moderate_variances
from alignscope.analysis.multiple_testing import holm
from alignscope.analysis.random_effects import two_way_mean
from alignscope.errors import StoreError
from alignscope.results.schemas import EFFECTS
from tests.helpers.worlds import SOURCE, World

REFERENCE = {
    SOURCE: 0.9, "ud:en_gum": 0.85, "ud:en_pud": 0.84, "ud:en_lines": 0.8,
    "ud:de_pud": 0.7, "ud:de_gsd": 0.72, "ud:sv_pud": 0.68, "ud:fr_pud": 0.66, "ud:ja_pud": 0.5,
}  # fmt: skip
TARGETS = ("ud:de_pud", "ud:de_gsd", "ud:sv_pud", "ud:fr_pud", "ud:ja_pud")
PUD = ("ud:de_pud", "ud:sv_pud", "ud:fr_pud", "ud:ja_pud")


def study(seeds: int = 3, noise: float = 0.01) -> pl.DataFrame:
    """Return scores of three windows with unlike effects."""

    def harm(rng: np.random.Generator, window: str, corpus: str) -> float:
        scale = {"0-1": 0.2, "2-3": 0.05, "4-5": 0.0}[window]
        return -scale * (1.0 if corpus in TARGETS else 0.3) + 0.02 * rng.normal()

    world = World(REFERENCE, harm, windows=("0-1", "2-3", "4-5"), seeds=seeds, noise=noise)
    return world.study(np.random.default_rng(2))


def table(scores: pl.DataFrame) -> pl.DataFrame:
    return effects_table(estimate_effects(scores))


def effects(scores: pl.DataFrame, window: str, corpus: str, logits: bool = False) -> np.ndarray:
    """Return the effects of a window on a corpus by seed."""
    of_corpus = scores.filter(corpus=corpus).sort("seed")
    both = [of_corpus.filter(window=name)["score"].to_numpy() for name in (window, "REF")]
    words = of_corpus["words"][0]
    if logits:
        both = [logit((score * words + 0.5) / (words + 1)) for score in both]
    return np.subtract(*both)


def by_family(scores: pl.DataFrame, window: str, **options: bool) -> np.ndarray:
    """Return the mean over the families Indo-European and Japonic, of shape (seeds, 2)."""
    of = {name: effects(scores, window, name, **options) for name in TARGETS}
    german = (of["ud:de_pud"] + of["ud:de_gsd"]) / 2
    germanic = (german + of["ud:sv_pud"]) / 2
    return np.stack([(germanic + of["ud:fr_pud"]) / 2, of["ud:ja_pud"]], axis=1)


def over_languages(scores: pl.DataFrame, window: str) -> np.ndarray:
    """Return the mean over the four languages, of shape (seeds, 1)."""
    of = {name: effects(scores, window, name) for name in TARGETS}
    german = (of["ud:de_pud"] + of["ud:de_gsd"]) / 2
    return (german + of["ud:sv_pud"] + of["ud:fr_pud"] + of["ud:ja_pud"])[:, None] / 4


def moderated(values: list[np.ndarray]) -> list[VarianceEstimate]:
    return moderate_variances(
        [VarianceEstimate(of.mean(1).var(ddof=1), len(of) - 1) for of in values]
    )


def test_the_two_readings_of_targets_by_hand() -> None:
    scores = study()
    found = table(scores.sample(fraction=1, shuffle=True, seed=3))
    assert found.schema == EFFECTS
    windows = ["0-1", "2-3", "4-5"]
    assert found["window"].unique(maintain_order=True).to_list() == windows
    assert list(dict.fromkeys(found.filter(window="0-1")["on"])) == [
        "source", "targets", "domains", "targets − source", "targets − source, same domain",
        "targets − domains", "ud:en_gum", "ud:en_lines", "ud:en_pud",
        *sorted(TARGETS),
    ]  # fmt: skip
    families = [by_family(scores, window) for window in windows]
    fixed = [over_languages(scores, window) for window in windows]
    for place, window in enumerate(windows):
        (row,) = found.filter(window=window, on="targets").to_dicts()
        expected = two_way_mean(families[place], moderated(families)[place])
        assert [row[name] for name in ("mean", "low", "high", "p")] == pytest.approx(
            [expected.mean, expected.low, expected.high, expected.p]
        )
        of_these = two_way_mean(fixed[place], moderated(fixed)[place])
        assert [row[name] for name in ("fixed", "seeds_low", "seeds_high")] == pytest.approx(
            [of_these.mean, of_these.low, of_these.high]
        )
        counts = [row[name] for name in ("seeds", "corpora", "languages", "families")]
        assert counts == [3, 5, 4, 2]


def test_logits_and_shares_by_hand() -> None:
    scores = study()
    found = table(scores)
    (row,) = found.filter(window="0-1", on="targets").to_dicts()
    assert row["logits"] == pytest.approx(by_family(scores, "0-1", logits=True).mean())
    assert row["logits_low"] < row["logits"] < row["logits_high"] < 0
    headroom = scores.filter(window="REF").group_by("corpus").agg(pl.mean("score"))
    above = {name: score - 0.2 for name, score in headroom.rows()}
    mean_above = np.mean([above[name] for name in TARGETS])
    assert row["share"] == pytest.approx(row["mean"] / mean_above)
    (single,) = found.filter(window="0-1", on="ud:ja_pud").to_dicts()
    assert single["share"] == pytest.approx(single["mean"] / above["ud:ja_pud"])
    hopeless = table(scores.with_columns(majority=pl.lit(0.68)))
    assert hopeless.filter(on="targets")["share"].null_count() == 3


def test_targets_are_compared_with_the_source_language_in_their_domain() -> None:
    scores = study(seeds=5)
    found = table(scores).filter(on="targets − source, same domain")
    partner = effects(scores, "0-1", "ud:en_pud")
    of = {name: effects(scores, "0-1", name) - partner for name in PUD}
    germanic = (of["ud:de_pud"] + of["ud:sv_pud"]) / 2
    expected = np.stack([(germanic + of["ud:fr_pud"]) / 2, of["ud:ja_pud"]], axis=1)
    (row,) = found.filter(window="0-1").to_dicts()
    assert row["mean"] == pytest.approx(expected.mean())
    assert row["fixed"] == pytest.approx(np.mean(list(of.values())))
    assert row["corpora"] == 4  # de_gsd has no partner
    alone = table(scores.filter(pl.col("corpus") != "ud:en_pud"))
    assert alone.filter(on="targets − source, same domain").is_empty()


def test_the_noise_of_a_single_partner_widens_the_interval() -> None:
    """Its variance is that of the source language's other corpora, here of no genus with three."""
    scores = study(seeds=5)
    found = table(scores).filter(on="targets − source, same domain", window="0-1")
    (row,) = found.to_dicts()
    others = [effects(scores, "0-1", name).mean() for name in (SOURCE, "ud:en_gum", "ud:en_lines")]
    without = table(scores.filter(~pl.col("corpus").is_in(["ud:en_gum", "ud:en_lines"]))).filter(
        on="targets − source, same domain", window="0-1"
    )
    (narrow,) = without.to_dicts()
    assert np.var(others, ddof=1) > 0
    assert row["high"] - row["low"] != pytest.approx(narrow["high"] - narrow["low"], rel=0.01)


def test_p_values_are_corrected_within_one_kind_of_effect() -> None:
    found = table(study())
    for on in ("source", "targets − source"):
        of_kind = found.filter(on=on)
        assert of_kind["p_holm"].to_list() == holm(of_kind["p"].to_list())
    single = found.filter(pl.col("on").str.starts_with("ud:"))
    assert len(single) == 24
    assert single["p_holm"].to_list() == holm(single["p"].to_list())


def test_a_seed_counts_in_means_if_it_has_every_corpus() -> None:
    scores = study()
    partial = scores.filter(~((pl.col("seed") == 2) & (pl.col("corpus") == "ud:fr_pud")))
    found = table(partial)
    assert set(found.filter(on="targets")["seeds"]) == {2}
    assert set(found.filter(on="ud:de_pud")["seeds"]) == {3}
    assert set(found.filter(on="ud:fr_pud")["seeds"]) == {2}


def test_a_single_domain_is_no_sample() -> None:
    found = table(study().filter(~pl.col("corpus").is_in(["ud:en_gum", "ud:en_lines"])))
    (row,) = found.filter(window="0-1", on="targets − domains").to_dicts()
    assert (row["low"], row["high"], row["p"]) == (None, None, None)
    assert row["seeds_low"] < row["fixed"] < row["seeds_high"]


def test_a_single_seed_has_effects_without_intervals() -> None:
    found = table(study(seeds=1))
    assert found["mean"].null_count() == found["fixed"].null_count() == 0
    for name in ("low", "high", "p", "p_holm", "seeds_low", "logits_low", "share_high"):
        assert found[name].null_count() == len(found)


def test_without_windows_there_is_no_row() -> None:
    assert table(study().filter(window="REF")).is_empty()
    source = table(study().filter(relation="in-domain"))
    assert set(source["on"]) == {"source"}


def test_the_mean_over_sources_is_one_observation_per_seed() -> None:
    first = study(seeds=4)
    second = first.with_columns(
        source=pl.lit("ud:en_gum"),
        score=pl.col("score") + 0.01 * pl.col("seed") * (pl.col("window") == "0-1"),
    )
    found = table(pl.concat([first, second])).filter(source=ALL_SOURCES, on="targets")
    shift = 0.01 * np.arange(4)
    values = {
        window: over_languages(first, window) + (shift[:, None] / 2 if window == "0-1" else 0)
        for window in ("0-1", "2-3", "4-5")
    }
    expected = two_way_mean(values["0-1"], moderated(list(values.values()))[0])
    (row,) = found.filter(window="0-1").to_dicts()
    assert [row[name] for name in ("mean", "seeds_low", "seeds_high")] == pytest.approx(
        [expected.mean, expected.low, expected.high]
    )
    assert (row["low"], row["p"], row["corpora"]) == (None, None, None)
    assert table(first).filter(source=ALL_SOURCES).is_empty()


def test_a_genealogy_changes_the_reading_of_languages_like_these() -> None:
    scores = study()
    one = effects_table(estimate_effects(scores, lambda _: Lineage("one", "one")))
    assert set(one.filter(on="targets")["families"]) == {1}
    builtin = table(scores).filter(on="targets")
    assert one.filter(on="targets")["fixed"].to_list() == builtin["fixed"].to_list()


def test_two_results_of_one_run_are_refused() -> None:
    scores = study()
    with pytest.raises(StoreError, match=r"Two results have the window 0-1 and seed 0"):
        table(pl.concat([scores, scores.filter(window="0-1", seed=0)]))
