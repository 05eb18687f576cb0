"""Intervals over sentences, against a bootstrap over sentences and simulated corpora."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from alignscope.analysis.effect_estimates import estimate_effects
from alignscope.analysis.effect_intervals import effects_table
from alignscope.analysis.sentence_intervals import sentence_errors
from alignscope.results.schemas import SCORES, to_frame
from tests.helpers.worlds import BLANK

CORPORA = {
    "ud:en_ewt": ("in-domain", "en", "ewt", 90),
    "ud:de_pud": ("cross-lingual", "de", "pud", 120),
    "ud:fr_pud": ("cross-lingual", "fr", "pud", 120),
    "ud:ja_gsd": ("cross-lingual", "ja", "gsd", 70),
}
SETTING = "lr 0.001, head lr 0.001, 3 epochs, all sentences"


def drawn(rng: np.random.Generator, shift: float) -> dict[str, np.ndarray]:
    """Return numerators and denominators of every corpus; PUD sentences are hard together."""
    hardness = rng.normal(0, 0.15, 120)
    counts = {}
    for corpus, (_, _, domain, sentences) in CORPORA.items():
        words = rng.integers(5, 30, sentences)
        level = hardness[:sentences] if domain == "pud" else rng.normal(0, 0.15, sentences)
        right = rng.binomial(words, np.clip(0.7 - shift + level, 0.02, 0.98))
        counts[corpus] = np.stack([right, words], axis=1)
    return counts


def outcome(window: str | None, counts: dict[str, np.ndarray]) -> Any:
    run = SimpleNamespace(
        encoder=SimpleNamespace(label="e"), task="pos", source="ud:en_ewt", setting=SETTING,
        init_label=None if window is None else "config", window=window,
    )  # fmt: skip
    return SimpleNamespace(run=run, sentence_counts=counts.get)


def scores(outcomes: list[Any], seed: int = 1) -> pl.DataFrame:
    rows = []
    for one in outcomes:
        for corpus, (relation, language, domain, _) in CORPORA.items():
            right, words = one.sentence_counts(corpus).sum(0)
            rows.append(
                BLANK | {
                    "encoder": "e", "task": "pos", "source": "ud:en_ewt", "metric": "accuracy",
                    "setting": SETTING, "window": one.run.window or "REF", "seed": seed,
                    "init": one.run.init_label, "corpus": corpus, "relation": relation,
                    "language": language, "domain": domain, "score": float(right / words),
                    "words": int(words),
                }
            )  # fmt: skip
    return to_frame(rows, SCORES)


def study(rng: np.random.Generator) -> tuple[list[Any], pl.DataFrame]:
    outcomes = [outcome(None, drawn(rng, 0.0)), outcome("0-1", drawn(rng, 0.1))]
    return outcomes, scores(outcomes)


def test_errors_agree_with_a_bootstrap_over_sentences() -> None:
    outcomes, table = study(np.random.default_rng(1))
    groups = estimate_effects(table)
    errors = sentence_errors(groups, outcomes, {"pos": "accuracy"})
    rng, means = np.random.default_rng(2), []
    for _ in range(1500):
        chosen = {size: rng.integers(0, size, size) for size in (70, 120)}  # PUD together
        effects = {}
        for corpus in ("ud:de_pud", "ud:fr_pud", "ud:ja_gsd"):
            both = [one.sentence_counts(corpus)[chosen[CORPORA[corpus][3]]] for one in outcomes]
            before, after = (right / words for right, words in (part.sum(0) for part in both))
            effects[corpus] = after - before
        means.append(np.mean(list(effects.values())))
    key = (groups[0].arrays.key, ("config", "0-1"), "targets")
    assert errors[key] == pytest.approx(np.std(means), rel=0.08)


def test_intervals_cover_the_effect_on_other_sentences() -> None:
    rng, covered = np.random.default_rng(3), []
    truth = np.mean([scores([outcome("0-1", drawn(rng, 0.1))])["score"][1:].mean() -
                     scores([outcome(None, drawn(rng, 0.0))])["score"][1:].mean()
                     for _ in range(150)])  # fmt: skip
    for _ in range(150):
        outcomes, table = study(rng)
        groups = estimate_effects(table)
        errors = sentence_errors(groups, outcomes, {"pos": "accuracy"})
        (row,) = effects_table(groups, errors).filter(on="targets").to_dicts()
        covered.append(row["sentences_low"] <= truth <= row["sentences_high"])
        assert row["low"] is row["seeds_low"] is None
    assert 0.89 <= np.mean(covered) <= 0.99


def test_studies_with_several_seeds_or_without_outcomes_have_none() -> None:
    outcomes, table = study(np.random.default_rng(4))
    several = pl.concat([table, table.with_columns(seed=pl.lit(2, pl.Int64))])
    assert sentence_errors(estimate_effects(several), outcomes, {"pos": "accuracy"}) == {}
    groups = estimate_effects(table)
    assert sentence_errors(groups, outcomes, {"pos": "las"}) == {}
    without = [outcome(one.run.window, {}) for one in outcomes]
    assert sentence_errors(groups, without, {"pos": "accuracy"}) == {}
    assert effects_table(groups)["sentences_low"].null_count() == len(effects_table(groups))
