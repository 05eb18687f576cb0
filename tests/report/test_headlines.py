"""The headlines of a report say what the verdicts say."""

from pathlib import Path
from typing import Any

import pytest

from alignscope.report.headlines import _crucial, _harmless
from tests.helpers.pages import Elements, page_text, shift

ROW: dict[str, Any] = {
    "window": "0-1", "languages": 16, "families": 11, "fixed": -0.158, "fixed_low": -0.224,
    "fixed_high": -0.093, "verdict": "supported", "fixed_verdict": "supported",
    "verdict_holm": "supported", "threshold": -0.015, "notes": "",
    "statistic": "effect of the lowest window, targets − source, same domain",
}  # fmt: skip


def test_the_page_begins_with_the_verdicts_and_one_figure(page: str) -> None:
    text = Elements(page).text
    start, details = text.index("POS tagging from vesti/news"), text.index("Details")
    assert start < details
    headline = text[start:details]
    assert "Re-initialising the lowest blocks, 0-1, costs the 6 target languages 2" in headline
    assert "They align languages, these languages and languages like these." in headline
    assert page.count('id="effects-pos-synthetic-vesti-news"') == 1


@pytest.mark.parametrize(
    ("verdict", "fixed", "expected"),
    [
        ("supported", "supported", "They align languages, these languages and languages like"),
        ("undecided", "supported", "They align languages in these languages; for languages like "
                                   "these, 11 families cannot decide it."),
        ("undecided", "undecided", "It is undecided whether they align languages."),
        ("contradicted", "contradicted", "They do not align languages, these languages and"),
        ("depends on the scale", "depends on the scale", "whether they align languages depends on"),
        ("not separated from domain", "not separated from domain",
         "Language and domain are not separated"),
        ("depends on the scale", "supported", "for languages like these: depends on the scale."),
        ("supported", "undecided", "For these languages it is undecided whether"),
    ],
)  # fmt: skip
def test_every_pair_of_verdicts_has_a_sentence(verdict: str, fixed: str, expected: str) -> None:
    text = _crucial(ROW | {"verdict": verdict, "fixed_verdict": fixed})
    assert text.startswith(
        "Re-initialising the lowest blocks, 0-1, costs the 16 target languages 15.8 points more "
        "than the source language in the same domain (95 % CI 9.3 to 22.4)."
    )
    assert expected in text


def test_a_verdict_that_holm_takes_away_says_so() -> None:
    assert "though not after Holm correction" in _crucial(ROW | {"verdict_holm": "undecided"})


def test_a_ceiling_explains_why_scales_part() -> None:
    row = ROW | {"verdict": "depends on the scale", "fixed_verdict": "depends on the scale"}
    assert "because" not in _crucial(row)
    assert "because REF is within a point of 100" in _crucial(
        row | {"notes": "REF is within a point of 100 on synthetic:vesti/news."}
    )


def test_the_highest_window_has_its_margin() -> None:
    row = ROW | {"window": "6-7", "fixed": 0.019, "fixed_low": -0.027, "fixed_high": 0.066,
                 "verdict": "undecided", "fixed_verdict": "supported"}  # fmt: skip
    assert _harmless(row) == (
        "Re-initialising the highest blocks, 6-7, improves them by 1.9 points (95 % CI −2.7 to "
        "6.6). Transfer loses less than 1.5 points in these languages; for languages like these, "
        "11 families cannot decide it."
    )


def test_a_study_with_one_seed_has_undecided_headlines(tmp_path: Path) -> None:
    text = page_text(tmp_path, change=lambda run: run if run.run.seed == 1 else None)
    assert "It is undecided whether they align languages." in text


def test_a_gain_is_not_called_a_cost(tmp_path: Path) -> None:
    text = page_text(tmp_path, change=shift(0.1, "4-5"))
    assert "Re-initialising the highest blocks, 4-5, improves them by" in text
