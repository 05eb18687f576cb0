"""The chosen learning rate is the smallest that is about as good as the best."""

import re

import numpy as np
import pytest

from alignscope.analysis.learning_rate import RateChoice, RateScore, choose_rate

RATES = (2e-5, 5e-5, 1.2e-4, 3e-4, 8e-4, 2e-3, 5e-3)


def choice(*scores: float | None, units: int = 1000, majority: float = 0.2) -> RateChoice:
    return choose_rate(list(map(RateScore, RATES, scores)), units, majority)


def test_the_smallest_rate_within_one_standard_error_is_chosen() -> None:
    # The standard error of 0.9 over 1000 words is 0.00949.
    found = choice(0.30, 0.50, 0.70, 0.8904, 0.8906, 0.90, 0.40)
    assert found.rate == 8e-4
    assert found.reason == (
        "It is the smallest rate whose dev score, 89.1, is within 0.9 points of the best, 90.0 at "
        "0.002."
    )
    assert choice(0.30, 0.50, 0.70, 0.8906, 0.8904, 0.90, 0.40).rate == 3e-4


def test_more_words_make_the_choice_stricter() -> None:
    scores = (0.30, 0.50, 0.70, 0.88, 0.894, 0.90, 0.40)
    assert [choice(*scores, units=units).rate for units in (200, 2000, 100_000)] == [
        3e-4, 8e-4, 2e-3
    ]  # fmt: skip


def test_differences_below_half_a_point_do_not_count() -> None:
    """Near 100 the standard error is a tenth of a point, and larger rates transfer worse."""
    assert choice(0.70, 0.77, 0.87, 0.94, 0.994, 0.997, 0.998, units=5000).rate == 8e-4
    assert choice(0.70, 0.77, 0.87, 0.94, 0.992, 0.997, 0.998, units=5000).rate == 2e-3


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        (
            (0.9, 0.89, 0.8, 0.7, 0.6, 0.5, 0.4),
            r"The smallest rate of the range.* test smaller rat",
        ),
        (
            (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
            r"The largest rate .*score 90\.0\).* test larger rat",
        ),
        ((None,) * 7, r"diverged with every rate\. Test smaller rates\."),
        ((0.2, 0.2, 0.21, 0.2, 0.2, 0.1, 0.2), r"best dev score is 21\.0, the baseline's 20\.0"),
        ((0.9,) * 7, r"All dev scores are within 0\.9 points of the best, 90\.0"),
        ((1.0,) * 7, r"All dev scores are within 0\.5 points"),
        ((0.9, *[None] * 6), r"All dev scores are within"),
    ],
)
def test_no_rate_is_suggested(scores: tuple[float | None, ...], reason: str) -> None:
    found = choice(*scores)
    assert found.rate is None
    assert re.search(reason, found.reason), found.reason


def test_rates_that_diverge_are_left_out() -> None:
    assert choice(0.3, 0.5, 0.7, 0.8, 0.9, None, None).rate == 8e-4


@pytest.mark.parametrize("case", range(200))
def test_the_choice_is_that_of_a_search_over_all_rates(case: int) -> None:
    draw = np.random.default_rng(case)
    scores = [None if draw.random() < 0.1 else float(s) for s in draw.uniform(0.3, 1, len(RATES))]
    units = int(draw.integers(5, 500))
    known = {r: s for r, s in zip(RATES, scores, strict=True) if s is not None}
    best = max(known.values())
    near = [r for r in RATES if r in known and (best - known[r]) ** 2 * units <= best * (1 - best)]
    found = choose_rate(list(map(RateScore, RATES, scores)), units, 0.0)
    refused = near[0] in (RATES[0], RATES[-1]) or len(near) == len(known)
    assert found.rate == (None if refused else near[0])


def test_sampling_error_rarely_moves_the_choice_beyond_a_neighbour() -> None:
    """The best of the true scores is 8e-4; they are estimated from 2000 words."""
    true = np.array([0.50, 0.65, 0.80, 0.90, 0.94, 0.93, 0.60])
    draw = np.random.default_rng(7)
    found = [choice(*(draw.binomial(2000, true) / 2000), units=2000).rate for _ in range(500)]
    assert found.count(8e-4) >= 425  # the best itself
    assert set(found) <= {8e-4, 2e-3}
