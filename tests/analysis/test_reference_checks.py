"""What is wrong with REF: each reason is found where it is planted, and nowhere else."""

from typing import Any

import polars as pl
import pytest

from alignscope.analysis.reference_checks import reference_table
from alignscope.results.schemas import EPOCHS, REFERENCE, SCORES, to_frame

FLAT = {"dev": [0.5, 0.80, 0.801], "loss": [2.0, 0.5, 0.45]}
RELATIONS = {"ud:en_s": "in-domain", "ud:de_t": "cross-lingual", "ud:fr_t": "cross-lingual"}


def run(seed: int, window: str = "REF", **more: Any) -> dict[str, Any]:
    init = None if window == "REF" else "config"
    about = {"address": f"{window} {seed}", "encoder": "enc", "task": "pos", "source": "ud:en_s"}
    return about | {"setting": "", "window": window, "init": init, "adapters": None, "seed": seed,
                    "metric": "accuracy"} | more  # fmt: skip


def check(
    dev: list[float] = FLAT["dev"],
    loss: list[float] = FLAT["loss"],
    score: dict[str, float] | None = None,
    seeds: tuple[int, ...] = (1, 2),
    wobble: float = 0.01,
    **more: Any,
) -> dict[str, Any]:
    """Return the row of a group whose dev scores differ by ± wobble between two seeds."""
    means = {"ud:en_s": 0.9, "ud:de_t": 0.6, "ud:fr_t": 0.5} | (score or {})
    scores = [
        dict.fromkeys(SCORES, 0)
        | run(seed, **more)
        | {"corpus": corpus, "split": "test", "language": corpus[3:5], "domain": None}
        | {"relation": RELATIONS[corpus], "score": value, "majority": 0.3}
        | {"sentences": 25, "words": 400}
        for seed in seeds
        for corpus, value in means.items()
    ]
    epochs = [
        run(seed, **more)
        | {"epoch": number, "steps": number, "loss": of_epoch, "corpus": corpus, "score": 0.5}
        | {"dev_score": value + wobble * (2 * seed - 3), "relation": RELATIONS[corpus]}
        for seed in seeds
        for number, (value, of_epoch) in enumerate(zip(dev, loss, strict=True), start=1)
        for corpus in means
    ]
    table = reference_table(to_frame(scores, SCORES), to_frame(epochs, EPOCHS))
    assert table.schema == REFERENCE
    (row,) = table.rows(named=True)
    return row


def test_a_ref_that_has_levelled_off_has_no_flag() -> None:
    row = check()
    assert (row["undertrained"], row["reasons"], row["no_better"]) == (False, "", "")
    assert (row["ceiling"], row["ceiling_corpora"], row["seeds"]) == (False, "", 2)
    assert [row["source_mean"], row["targets_mean"]] == pytest.approx([0.9, 0.55])


@pytest.mark.parametrize(
    ("wobble", "rise", "flagged"), [(0.01, 0.02, True), (0.02, 0.02, False), (0.0, 0.003, True),
                                    (0.0, 0.001, False)]
)  # fmt: skip
def test_a_dev_score_that_still_rises_more_than_the_seeds_differ(
    wobble: float, rise: float, flagged: bool
) -> None:
    """Two seeds at ± wobble have a standard deviation of 1.41 × wobble."""
    row = check(dev=[0.5, 0.8, 0.8 + rise], wobble=wobble)
    assert row["undertrained"] == flagged
    assert ("still rose by" in row["reasons"]) == flagged


def test_the_reason_names_rise_and_spread_in_points() -> None:
    assert check(dev=[0.5, 0.8, 0.85])["reasons"] == (
        "REF's dev score still rose by 5.0 points in the last epoch, more than 1.4, its spread "
        "over seeds."
    )
    assert check(dev=[0.5, 0.8, 0.85], seeds=(1,))["reasons"] == (
        "REF's dev score still rose by 5.0 points in the last epoch, more than one point."
    )
    assert not check(dev=[0.5, 0.8, 0.809], seeds=(1,))["undertrained"]


@pytest.mark.parametrize(
    ("loss", "flagged"),
    [
        ([2.0, 0.8, 0.6], True),  # 25 % less, 10 % of the first
        ([2.0, 0.5, 0.45], False),  # 10 % less
        ([2.0, 0.12, 0.06], False),  # 50 % less, but 3 % of the first
        ([2.0, 0.8, 0.9], False),
    ],
)
def test_a_loss_that_is_far_from_flat(loss: list[float], flagged: bool) -> None:
    row = check(loss=loss)
    assert row["undertrained"] == flagged
    assert ("training loss still fell by 25 %" in row["reasons"]) == flagged


def test_a_single_epoch_cannot_be_judged() -> None:
    row = check(dev=[0.8], loss=[0.4])
    assert row["undertrained"]
    assert row["reasons"].startswith("REF was trained for a single epoch")


@pytest.mark.parametrize(("score", "flagged"), [(0.32, True), (0.34, True), (0.36, False)])
def test_a_target_at_the_baseline_is_named(score: float, flagged: bool) -> None:
    """The baseline is 0.3, and two standard errors over 400 words are 0.047."""
    row = check(score={"ud:fr_t": score})
    assert row["undertrained"] == flagged
    assert row["no_better"] == ("ud:fr_t" if flagged else "")
    sentence = "REF is no better than the majority baseline on ud:fr_t."
    assert row["reasons"] == (sentence if flagged else "")


def test_the_unit_of_classification_is_the_sentence() -> None:
    assert check(score={"ud:fr_t": 0.45})["no_better"] == ""
    assert check(score={"ud:fr_t": 0.45}, task="classification")["no_better"] == "ud:fr_t"


def test_the_ceiling_is_named() -> None:
    row = check(score={"ud:en_s": 0.992, "ud:de_t": 0.99})
    assert (row["ceiling"], row["ceiling_corpora"]) == (True, "ud:de_t, ud:en_s")
    assert not row["undertrained"]


def test_windows_do_not_count_and_no_ref_has_no_row() -> None:
    empty = [pl.DataFrame(schema=dict(schema)) for schema in (SCORES, EPOCHS)]
    assert reference_table(*empty).is_empty()
    with pytest.raises(ValueError, match="not enough values"):
        check(window="0-1")
