"""Claims: they say what planted tables say, and flip when the truth is flipped."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from alignscope.analysis.hypotheses import HYPOTHESES, claims_table, verdict
from alignscope.config.study import HypothesisThresholds, Study, read_study
from alignscope.errors import StudyError
from alignscope.results.schemas import CLAIMS, RUN_SIMILARITY, to_frame
from tests.helpers import ROOT
from tests.helpers.planted import scores

LANGUAGES = ("de", "fr", "ja")
HARM = {"de": 0.3, "fr": 0.32, "ja": 0.28}
NOTHING: dict[str, float] = {}


def verdicts(table: pl.DataFrame) -> dict[str, str]:
    return dict(table.select("claim", "verdict").rows())


def similarity(
    by_layer: list[float], alike: dict[str, float] | None = None, seeds: int = 3
) -> pl.DataFrame:
    """Drift by layer, and how alike each language is to the source in the pretrained encoder."""
    draw = np.random.default_rng(1)
    rows: list[dict[str, Any]] = []
    for seed in range(seeds):
        run = {"address": "x", "encoder": "enc", "task": "pos", "source": "own", "window": "REF",
               "setting": "setting", "init": None, "adapters": None, "seed": seed,
               "split": "test"}  # fmt: skip
        about = {"unit": "sentence", "pooling": "mean", "after_norm": False, "measure": "cka"}
        for layer, value in enumerate(by_layer):
            for language in alike or dict.fromkeys(LANGUAGES, 0.5):
                corpus = f"ud:{language}_pud"
                same = dict.fromkeys(RUN_SIMILARITY, 0) | run | about | {"layer": layer}
                same |= {"estimator": "debiased", "corpus": corpus, "target": corpus}
                rows.append(same | {"state": "drift", "value": value + 0.001 * draw.normal()})
                near = (alike or {}).get(language, 0.5)
                rows.append(same | {"state": "pretrained", "corpus": "ud:own", "value": near})
    return to_frame(rows, RUN_SIMILARITY)


def test_planted_effects_are_supported() -> None:
    found = claims_table(
        scores({"0-1": HARM, "2-3": {}, "4-5": {}}, seeds=5),
        similarity([1, 0.99, 0.98, 0.7, 0.6]),
        HypothesisThresholds(),
    )
    assert found.schema == CLAIMS
    assert verdicts(found) == {
        "crucial": "supported", "harmless": "supported", "language": "supported",
        "stable": "supported",
    }  # fmt: skip
    strict = HypothesisThresholds(harmless=0, stable=0.9, crucial=0.29, language=0.5)
    assert verdicts(
        claims_table(scores({"0-1": HARM, "2-3": {}}, 5), similarity([1, 0.99, 0.7]), strict)
    ) == {
        "crucial": "undecided", "harmless": "undecided", "language": "contradicted",
        "stable": "contradicted",
    }  # fmt: skip


def test_verdicts_flip_with_the_effects() -> None:
    everywhere = dict.fromkeys(("own", "de", "fr", "ja", "chat", "law"), 0.3)
    found = verdicts(
        claims_table(
            scores({"0-1": everywhere, "2-3": {}, "4-5": HARM}, seeds=5),
            similarity([1, 0.6, 0.7, 0.98, 0.99]),
            HypothesisThresholds(crucial=0.2, language=0.2),
        )
    )
    assert found == {
        "crucial": "contradicted", "harmless": "contradicted", "language": "contradicted",
        "stable": "contradicted",
    }  # fmt: skip


@pytest.mark.parametrize(("sign", "expected"), [(1, "supported"), (-1, "contradicted")])
def test_similarity_that_correlates_with_a_small_gap_is_supported(sign: int, expected: str) -> None:
    names = [f"{a}{b}" for a in "abcdefgh" for b in "xy"]
    cost = {name: 0.02 * rank for rank, name in enumerate(names)}
    base = scores({"0-1": {}}, seeds=2)
    own = base.filter(relation="in-domain")
    targets = [
        own.with_columns(corpus=pl.lit(f"ud:{name}_pud"), language=pl.lit(name),
                         relation=pl.lit("cross-lingual"), score=pl.col("score") - cost[name])
        for name in names
    ]  # fmt: skip
    alike = {name: 0.9 - sign * cost[name] + 0.03 * (rank % 3) for rank, name in enumerate(names)}
    given = similarity([1, 1], alike, seeds=2)
    found = claims_table(pl.concat([own, *targets]), given, HypothesisThresholds())
    assert verdicts(found)["related"] == expected


def test_a_window_that_helps_the_source_alone_is_not_crucial() -> None:
    helps = scores({"0-1": {"own": -0.1}, "2-3": {}}, seeds=5)
    assert verdicts(claims_table(helps, None, HypothesisThresholds()))["crucial"] == "contradicted"


def test_the_judged_windows_are_planned_and_do_not_overlap() -> None:
    given = scores({"0-1": HARM, "2-3": HARM}, seeds=5)
    key = ("enc", "pos", "own", "setting", "config")
    partial = claims_table(given, None, HypothesisThresholds(), {key: {"0-1", "2-3", "4-5"}})
    assert set(partial["claim"]) == {"crucial", "language"}  # 4-5 is still missing
    assert set(partial["window"]) == {"0-1"}
    nested = scores({"0-1": HARM, "0-5": HARM}, seeds=5)
    assert claims_table(nested, None, HypothesisThresholds()).is_empty()


def test_an_interval_that_covers_the_threshold_or_is_missing_is_undecided() -> None:
    assert verdict(-0.1, 0.1, 0.0, below=True) == "undecided"
    assert verdict(None, None, 0.0, below=False) == "undecided"
    assert verdict(0.1, 0.2, 0.0, below=False) == "supported"
    assert verdict(0.1, 0.2, 0.0, below=True) == "contradicted"
    one_seed = claims_table(scores({"0-1": HARM, "2-3": {}}, seeds=1), None, HypothesisThresholds())
    assert set(one_seed["verdict"]) == {"undecided"}


def test_hypotheses_without_measurements_have_no_row() -> None:
    given = scores({"0-1": HARM, "2-3": {}}).filter(pl.col("relation") != "cross-domain")
    assert set(verdicts(claims_table(given, None, HypothesisThresholds()))) == {
        "crucial",
        "harmless",
    }
    assert claims_table(
        given.filter(pl.col("window") != "2-3"), None, HypothesisThresholds()
    ).is_empty()


def test_false_positives_are_as_rare_as_claimed() -> None:
    """At the threshold itself at most 2.5 % are supported, and at most 2.5 % contradicted."""
    draw, found = np.random.default_rng(5), []
    flat = scores({"0-1": {}, "2-3": {}}, seeds=4)
    for _ in range(200):
        noisy = flat.with_columns(score=pl.lit(draw.normal(0.8, 0.02, len(flat))))
        found.append(
            verdicts(claims_table(noisy, None, HypothesisThresholds(crucial=0)))["crucial"]
        )
    assert found.count("supported") <= 12
    assert found.count("contradicted") <= 12


def test_thresholds_are_in_the_study_and_do_not_change_its_runs(tmp_path: Path) -> None:
    text = '[tasks.pos]\nsources = ["ud:en_ewt"]\n'
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
