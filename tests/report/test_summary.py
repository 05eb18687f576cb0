"""The summary reports effects in the form of a paper's results section."""

import re
from pathlib import Path

import pytest

from alignscope.errors import StoreError
from alignscope.report.labels import count_of
from alignscope.report.page import Report
from alignscope.report.summary import _languages_like_these, power_note
from alignscope.results.store import RunResult
from tests.helpers.imagined import study_text
from tests.helpers.pages import Elements, page_text, shift


def test_the_largest_effect_has_interval_n_and_p(page: str) -> None:
    text = Elements(page).text
    assert re.search(
        r"Of 3 windows, 0-1 has the largest effect: re-initialising it costs the 6 targets 2\d\.\d "
        r"points \(95 % CI 1\d\.\d to 2\d\.\d, n = 3 seeds\)",
        text,
    )
    assert re.search(r"and (changes|improves|costs) the source (by )?\d\.\d points", text)
    assert re.search(
        r"For languages like these, of 6 families, the cost is 2\d\.\d points \(95 % CI "
        r"\d+\.\d to \d+\.\d\), which is significant \(Holm-corrected p [=<] 0\.0",
        text,
    )
    assert "Prediction begins at block 2 (95 % of the resampled boundaries: blocks" in text


def test_ref_is_reported_beside_the_majority_baseline(page: str) -> None:
    assert re.search(
        r"REF scores (79|80)\.\d on the source \(majority baseline 20\.0\) and (79|80)\.\d on the "
        r"6 targets \(majority baseline 20\.0\); n = 3 seeds\.",
        Elements(page).text,
    )
    assert "REF may be under-trained" not in page


def test_a_ref_below_the_baseline_is_named(tmp_path: Path) -> None:
    def poor(result: RunResult) -> RunResult:
        for row in result.scores:
            row["majority"] = 0.9 if row["language"] in ("qadir", "dorun") else 0.2
        return result

    text = page_text(tmp_path, change=poor)
    assert (
        "n = 3 seeds. REF may be under-trained: REF is no better than the majority baseline on "
        "synthetic:dorun/news, synthetic:qadir/news. "
    ) in text


def test_a_ref_that_has_not_levelled_off_is_named(tmp_path: Path) -> None:
    def early(result: RunResult) -> RunResult:
        result.epochs[0] |= {"dev_score": 0.8, "loss": 0.5}
        return result

    text = page_text(tmp_path, change=early)
    assert (
        "REF may be under-trained: REF's dev score still rose by 10.0 points in the last epoch, "
        "more than 0.2, its spread over seeds. REF's training loss still fell by 80 % in the last "
        "epoch."
    ) in text
    assert "What limits the numbers of REF" in text


def test_the_spread_over_epochs_and_a_ceiling_are_named(tmp_path: Path) -> None:
    def vary(result: RunResult) -> RunResult:
        for row in result.scores:
            if row["corpus"] == "synthetic:vesti/news":
                row["score"] = 0.995
        first, last = result.epochs
        first["scores"] = dict.fromkeys(first["scores"], 0.7)
        last["scores"] = dict.fromkeys(last["scores"], 0.745)
        return result

    text = page_text(tmp_path, change=vary)
    assert "REF is within one point of the maximum on synthetic:vesti/news." in text
    assert (
        "Between epochs 1 and 2, which are about equally good on dev, its mean score on the "
        "targets varies by 4.5 points."
    ) in text


def test_an_effect_on_the_targets_may_be_absent(tmp_path: Path) -> None:
    text = page_text(tmp_path, change=shift(0.1, "2-3"))
    assert "No window has a negative mean effect on the 6 targets." in text


def test_a_loss_and_a_gain_have_different_verbs(tmp_path: Path) -> None:
    def change(result: RunResult) -> RunResult:
        for row in shift(-0.1, "2-3")(result).scores:
            if result.run.window == "2-3" and row["relation"] == "in-domain":
                row["score"] += 0.02
        return result

    text = page_text(tmp_path, change=change)
    assert (
        "2-3 has the largest effect: re-initialising it costs the 6 targets 10.0 points "
        "(95 % CI 10.0 to 10.0, n = 3 seeds) and improves the source by 2.0 points "
        "(95 % CI 2.0 to 2.0)."
    ) in text


def test_a_positive_contrast_reports_the_targets_alone(tmp_path: Path) -> None:
    text = page_text(tmp_path, change=shift(0.15, "0-1", "in-domain"))
    assert "on the targets alone" in text


def test_an_effect_may_be_not_significant(tmp_path: Path) -> None:
    noise = iter(range(10**6))

    def noisy(result: RunResult) -> RunResult:
        for row in result.scores:
            row["score"] = 0.5 + 0.01 * ((7919 * next(noise)) % 13)
        return result

    text = page_text(tmp_path, change=noisy)
    assert re.search(
        r"languages like these.*?, which is not significant \(Holm-corrected p = [01]\.\d{3}\)\.",
        text,
    )


def test_holm_correction_is_explained_if_it_changes_the_conclusion(tmp_path: Path) -> None:
    row = {
        "seeds": 3, "families": 5, "mean": -0.1, "low": -0.19, "high": -0.01,
        "p": 0.028, "p_holm": 0.084,
    }  # fmt: skip
    text = _languages_like_these(row)
    assert "of 5 families, the cost is 10.0 points (95 % CI 1.0 to 19.0)" in text
    assert "after Holm correction (corrected p = 0.084, uncorrected p = 0.028)" in text
    assert text.endswith("the CI is not corrected.")
    assert "one family" in _languages_like_these(row | {"families": 1})


def test_the_page_defines_the_gap(page: str) -> None:
    assert "The gap of a target is REF's score on the source minus" in Elements(page).text


def test_missing_windows_are_listed(tmp_path: Path) -> None:
    text = page_text(tmp_path, change=lambda r: None if r.run.window == "0-1" else r)
    assert "Windows without a result yet: 0-1." in text


@pytest.mark.parametrize(
    ("languages", "expected"),
    [(17, "only |ρ| above about 0.5 is significant at the 5 % level"), (4, "need at least five")],
)
def test_the_smallest_significant_correlation_depends_on_n(languages: int, expected: str) -> None:
    assert expected in power_note(languages)


def test_counts_agree_with_their_nouns() -> None:
    assert [count_of(n, "run") for n in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]


def test_results_on_two_versions_of_a_corpus_are_refused(tmp_path: Path) -> None:
    def changed(result: RunResult) -> RunResult:
        if result.run.window == "0-1":
            result.provenance["data"] = dict.fromkeys(result.provenance["data"], "1" * 64)
        return result

    with pytest.raises(StoreError, match=r"two different files as\s+synthetic:"):
        page_text(tmp_path, change=changed)


def test_paths_of_encoders_are_nowhere_in_the_text(tmp_path: Path) -> None:
    text = study_text('"/home/me/encoders/e5-small", "/home/you/encoders/mbert"')
    shown = re.sub(r"sha256:[^)]*", "", page_text(tmp_path, text))
    assert "Encoder e5-small, POS tagging from vesti/news (accuracy): REF scores" in shown
    assert "windows of blocks of e5-small () and mbert ()" in shown
    assert "/home/" not in shown
    assert "encoders/" not in shown


def test_a_notebook_shows_the_summary(report: Report) -> None:
    html = report._repr_html_()
    assert "<p>All 12 runs are done.</p>" in html
    headings = re.findall(r"<li><b>(.*?)</b>: ", html)
    assert headings == [
        "Encoder embedded, POS tagging from vesti/news (accuracy)",
        "Claims of Muller et al. (2021), for languages like these",
    ]  # fmt: skip
