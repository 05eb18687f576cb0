"""Claims: verdicts follow planted effects, and name what limits them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from alignscope.analysis.effect_estimates import estimate_effects
from alignscope.analysis.effect_intervals import effects_table
from alignscope.analysis.hypotheses import HYPOTHESES, Evidence, claims_table, verdict
from alignscope.analysis.multiple_testing import holm
from alignscope.config.study import Study, read_study
from alignscope.config.thresholds import HypothesisThresholds
from alignscope.errors import StudyError
from alignscope.results.schemas import CHANGES, CLAIMS, RUN_SIMILARITY, to_frame
from tests.helpers import ROOT
from tests.helpers.worlds import SOURCE, TARGETS, World, corpora

THRESHOLDS = HypothesisThresholds()


def planted(costs: dict[str, dict[str, float]], seeds: int = 5, **changes: object) -> pl.DataFrame:
    """Return scores in which a window costs targets (``xx``), or one corpus, so much."""

    def harm(rng: np.random.Generator, window: str, corpus: str) -> float:
        place = corpus if corpus in costs.get(window, {}) else "xx"
        is_target = corpus.removeprefix("ud:")[:2] != "en"
        mean = costs.get(window, {}).get(place, 0.0) if place != "xx" or is_target else 0.0
        return -mean + 0.005 * rng.normal()

    world = World(corpora(0.9, 0.85, 0.7), harm, windows=tuple(costs), seeds=seeds)
    return replace(world, **changes).study(np.random.default_rng(1))  # type: ignore[arg-type]


def verdicts(table: pl.DataFrame, column: str = "verdict") -> dict[str, str]:
    return dict(table.select("claim", column).rows())


def test_planted_effects_are_supported_in_both_readings() -> None:
    found = claims_table(planted({"0-1": {"xx": 0.2}, "4-5": {}}), None, THRESHOLDS)
    assert found.schema == CLAIMS
    expected = {"crucial": "supported", "harmless": "supported", "language": "supported"}
    assert verdicts(found) == verdicts(found, "fixed_verdict") == expected
    assert verdicts(found, "verdict_holm") == expected
    (crucial,) = found.filter(claim="crucial").to_dicts()
    assert crucial["statistic"].startswith(
        "effect of the lowest window, targets − source, same domain; on the targets alone −19"
    )
    assert (crucial["languages"], crucial["families"]) == (17, 8)
    assert "domain (ud:en_pud)" in crucial["notes"]
    assert "17 of 17 targets pass one by one" in found.filter(claim="harmless")["notes"].item()


def test_verdicts_flip_with_the_effects() -> None:
    costs = {"0-1": {"xx": 0.1, "ud:en_pud": 0.12, SOURCE: 0.1}, "4-5": {"xx": 0.1}}
    assert verdicts(claims_table(planted(costs), None, THRESHOLDS)) == {
        "crucial": "contradicted", "harmless": "contradicted", "language": "contradicted",
    }  # fmt: skip


def test_without_a_corpus_of_the_same_domain_language_and_domain_are_not_separated() -> None:
    given = planted({"0-1": {"xx": 0.2}, "4-5": {}}).filter(pl.col("corpus") != "ud:en_pud")
    found = claims_table(given, None, THRESHOLDS)
    assert verdicts(found) == {
        "crucial": "not separated from domain", "harmless": "supported",
        "language": "not separated from domain",
    }  # fmt: skip
    assert "Language and domain are not separated" in found.filter(claim="crucial")["notes"].item()
    assert found.filter(claim="language")["statistic"].item().endswith("targets − domains")


def test_targets_without_a_partner_are_named() -> None:
    given = planted({"0-1": {"xx": 0.2}, "4-5": {}}).with_columns(
        corpus=pl.col("corpus").replace("ud:is_pud", "ud:is_modern"),
        domain=pl.when(corpus="ud:is_pud").then(pl.lit("modern")).otherwise("domain"),
    )
    (crucial,) = claims_table(given, None, THRESHOLDS).filter(claim="crucial").to_dicts()
    assert crucial["languages"] == 16
    assert "no corpus in their domain: ud:is_modern." in crucial["notes"]


def test_the_same_harm_in_logits_depends_on_the_scale() -> None:
    def harm(rng: np.random.Generator, window: str, corpus: str) -> float:
        return -0.7 + 0.03 * rng.normal() if window == "0-1" else 0.0

    world = World(corpora(0.97, 0.95, 0.75), harm, noise=0.02, logit=True)
    found = claims_table(world.study(np.random.default_rng(4)), None, THRESHOLDS)
    assert verdicts(found)["crucial"] == "depends on the scale"
    (crucial,) = found.filter(claim="crucial").to_dicts()
    assert crucial["high"] < -0.02
    assert crucial["logits_low"] < 0 < crucial["logits_high"]


def test_a_ceiling_is_named() -> None:
    given = planted({"0-1": {"xx": 0.1}, "4-5": {}}, reference=corpora(0.999, 0.9, 0.7))
    found = claims_table(given, None, THRESHOLDS)
    assert "within a point of 100 on ud:en_ewt" in found.filter(claim="crucial")["notes"].item()


def test_a_window_that_helps_the_source_alone_is_not_crucial() -> None:
    given = planted({"0-1": {"ud:en_pud": -0.08}, "4-5": {}})
    found = claims_table(given, None, THRESHOLDS)
    assert verdicts(found)["crucial"] == "contradicted"


def test_the_judged_windows_are_planned_and_do_not_overlap() -> None:
    given = planted({"0-1": {"xx": 0.2}, "2-3": {"xx": 0.2}})
    key = (*given.select("encoder", "task", "source", "setting").row(0), "config")
    evidence = Evidence(planned={key: {"0-1", "2-3", "4-5"}})
    partial = claims_table(given, None, THRESHOLDS, evidence)
    assert set(partial["claim"]) == {"crucial", "language"}  # 4-5 is still missing
    assert set(partial["window"]) == {"0-1"}
    nested = planted({"0-1": {"xx": 0.2}, "0-5": {"xx": 0.2}})
    assert claims_table(nested, None, THRESHOLDS).is_empty()


def test_an_interval_that_covers_the_threshold_or_is_missing_is_undecided() -> None:
    assert verdict(-0.1, 0.1, 0.0, below=True) == "undecided"
    assert verdict(None, None, 0.0, below=False) == "undecided"
    assert verdict(0.1, 0.2, 0.0, below=False) == "supported"
    assert verdict(0.1, 0.2, 0.0, below=True) == "contradicted"
    one_seed = claims_table(planted({"0-1": {"xx": 0.2}, "2-3": {}}, seeds=1), None, THRESHOLDS)
    assert set(one_seed["verdict"]) == set(one_seed["fixed_verdict"]) == {"undecided"}


def test_targets_of_one_family_say_nothing_about_languages_like_these() -> None:
    romance = {f"ud:{language}_pud" for language in ("es", "fr", "it", "pt")}
    given = planted({"0-1": {"xx": 0.2}, "4-5": {}}).filter(
        pl.col("corpus").is_in(romance) | (pl.col("language") == "en")
    )
    (crucial,) = claims_table(given, None, THRESHOLDS).filter(claim="crucial").to_dicts()
    assert crucial["families"] == 1
    assert "one family" in crucial["notes"]
    assert crucial["fixed_verdict"] == "supported"


def test_verdicts_are_corrected_over_the_page() -> None:
    found = claims_table(planted({"0-1": {"xx": 0.05}, "4-5": {}}, noise=0.03), None, THRESHOLDS)
    assert found["p_holm"].to_list() == holm(found["p"].to_list())
    decided = ("supported", "contradicted")
    for row in found.to_dicts():
        kept = row["verdict"] if row["p_holm"] <= 0.05 or row["verdict"] not in decided else None
        assert row["verdict_holm"] == (kept or "undecided")


def test_an_undertrained_reference_is_named_beside_the_verdict() -> None:
    given = planted({"0-1": {"xx": 0.2}, "4-5": {}})
    flags = given.select("encoder", "task", "metric", "source", "setting").unique()
    reference = flags.with_columns(undertrained=True, reasons=pl.lit("The loss is not flat."))
    found = claims_table(given, None, THRESHOLDS, Evidence(reference=reference))
    assert found["undertrained"].all()
    assert found["notes"].str.ends_with("The loss is not flat.").all()
    assert claims_table(given, None, THRESHOLDS)["undertrained"].null_count() == len(found)


def test_hypotheses_without_measurements_have_no_row() -> None:
    given = planted({"0-1": {"xx": 0.2}, "2-3": {}})
    only = given.filter(pl.col("relation") != "cross-domain")
    assert set(verdicts(claims_table(only, None, THRESHOLDS))) == {"crucial", "harmless"}
    assert claims_table(given.filter(pl.col("window") != "2-3"), None, THRESHOLDS).is_empty()


@pytest.mark.parametrize("without_length", [False, True])
@pytest.mark.parametrize(("sign", "expected"), [(1, "supported"), (-1, "contradicted")])
def test_similarity_that_correlates_with_a_small_gap_is_supported(
    sign: int, expected: str, without_length: bool
) -> None:
    """Where it is known without sentence length, that value is judged, and the other is ignored."""
    costs = {f"ud:{name}_pud": 0.02 * rank for rank, name in enumerate(TARGETS)}
    reference = corpora(0.9, 0.85, 0.7) | {name: 0.8 - cost for name, cost in costs.items()}
    given = planted({"0-1": {}, "2-3": {}}, reference=reference, noise=0.0)
    rows = []
    for rank, (name, cost) in enumerate(costs.items()):
        row = {
            column: "x" if kind == pl.String else 0.0 if kind == pl.Float64 else 0
            for column, kind in RUN_SIMILARITY.items()
        }
        about = given.select("encoder", "task", "source", "setting").to_dicts()[0]
        near = 0.9 - sign * cost + 0.03 * (rank % 3)
        rows.append(
            row | about | {"window": "REF", "state": "pretrained", "corpus": "ud:en_pud",
            "target": name, "measure": "cka", "estimator": "debiased", "layer": 1,
            "value": 1 - near if without_length else near,
            "without_length": near if without_length else None, "after_norm": False}
        )  # fmt: skip
    found = claims_table(given, to_frame(rows, RUN_SIMILARITY), THRESHOLDS)
    assert verdicts(found)["related"] == expected
    (related,) = found.filter(claim="related").to_dicts()
    assert ("sentence length removed" in related["statistic"]) == without_length


def test_thresholds_are_in_the_study_and_do_not_change_its_runs(tmp_path: Path) -> None:
    text = '[training]\nlearning_rate = 1e-4\n[tasks.pos]\nsources = ["ud:en_ewt"]\n'
    plain, strict = tmp_path / "a.toml", tmp_path / "b.toml"
    plain.write_text(text)
    strict.write_text(text + "[claims]\ncrucial = 0.05\n")
    studies: list[Study] = [read_study(plain), read_study(strict)]
    assert studies[0].digest == studies[1].digest
    assert [study.claims.crucial for study in studies] == [0.02, 0.05]
    strict.write_text(text + "[claims]\ncrucal = 0.05\n")
    with pytest.raises(StudyError, match=r"claims.crucal is not a key.*crucial"):
        read_study(strict)


def test_every_hypothesis_is_documented() -> None:
    docs = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
    for claim in HYPOTHESES:
        assert f"`{claim.name}`" in docs


def test_estimates_are_those_of_the_table_of_effects() -> None:
    given = planted({"0-1": {"xx": 0.2}, "4-5": {}})
    effects = effects_table(estimate_effects(given))
    found = claims_table(given, None, THRESHOLDS)
    (row,) = effects.filter(window="4-5", on="targets").to_dicts()
    (claim,) = found.filter(claim="harmless").to_dicts()
    assert [claim[name] for name in ("value", "low", "high", "fixed", "logits")] == [
        row[name] for name in ("mean", "low", "high", "fixed", "logits")
    ]


def changes(output: float, weight: float, blocks: int = 6) -> pl.DataFrame:
    """Return changes of blocks whose logarithms rise so much from lower to upper half."""
    rng, rows = np.random.default_rng(3), []
    about = planted({"0-1": {}, "2-3": {}}).select("encoder", "task", "source", "setting")
    for seed in range(4):
        for block in range(blocks):
            upper = block >= blocks // 2
            weights = 0.1 * np.exp(weight * upper + 0.02 * rng.normal())
            for language in TARGETS:
                out = 0.2 * np.exp(output * upper + 0.02 * rng.normal())
                row = {
                    column: "x" if kind == pl.String else 0.0 if kind == pl.Float64 else 0
                    for column, kind in CHANGES.items()
                }
                rows.append(
                    row | about.row(0, named=True) | {
                        "window": "REF", "seed": seed, "corpus": f"ud:{language}_pud",
                        "block": block, "weight_change": weights, "output_change": out,
                        "noise_output_change": 0.2,
                    }
                )  # fmt: skip
    return to_frame(rows, CHANGES)


@pytest.mark.parametrize(
    ("output", "weight", "expected"),
    [
        (0.5, 0.5, "supported"), (-0.5, -0.5, "contradicted"), (0.0, 0.0, "contradicted"),
        (0.5, 0.0, "undecided"), (0.5, -0.5, "contradicted"), (0.0, 0.5, "contradicted"),
    ],
)  # fmt: skip
def test_blocks_are_stable_if_output_and_weights_change_less(
    output: float, weight: float, expected: str
) -> None:
    given = planted({"0-1": {}, "2-3": {}})
    found = claims_table(given, None, THRESHOLDS, Evidence(changes=changes(output, weight)))
    assert verdicts(found)["stable"] == expected
    (stable,) = found.filter(claim="stable").to_dicts()
    assert stable["value"] == pytest.approx(output, abs=0.05)
    assert (stable["languages"], stable["families"], stable["window"]) == (17, 8, None)
    assert "log of weight change" in stable["statistic"]
