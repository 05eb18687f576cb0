"""The rates of a range test are distinct and sorted, and are written as in a study file."""

import tomllib
from typing import Any

import pytest

from alignscope._util.validation import parse_options
from alignscope.config.range_test import DEFAULT_RATES, RangeTest, format_rate
from alignscope.errors import StudyError


def test_rates_are_sorted_and_distinct() -> None:
    assert RangeTest(rates=(1e-3, 1e-5, 1e-4, 1e-3)).rates == (1e-5, 1e-4, 1e-3)
    assert RangeTest().rates == DEFAULT_RATES


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"rates": (1e-3, 1e-4, 1e-3)},
            r"rates: A range test needs at least 3 different rates, got 2",
        ),
        ({"rates": (1e-3, 1e-4, 0.0)}, r"rates\.2: .*greater than 0, got 0\.0"),
        ({"rates": (1e-3, 1e-4, float("inf"))}, r"rates\.2: .*finite"),
        ({"rates": (1e-3, 1e-4, float("nan"))}, r"rates\.2: "),
        ({"epochs": 0}, r"epochs: "),
        ({"limit": 0}, r"limit: "),
    ],
)
def test_invalid_range_tests_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        parse_options(RangeTest, **options)


@pytest.mark.parametrize("rate", [*DEFAULT_RATES, 1.0, 0.1, 12.5, 3.3333333e-4, 1e-10, 1e3])
def test_a_rate_is_written_as_a_study_file_reads_it(rate: float) -> None:
    text = format_rate(rate)
    assert tomllib.loads(f"learning_rate = {text}")["learning_rate"] == pytest.approx(
        rate, rel=1e-6
    )
    assert len(text) <= len("3.333333e-4")
