"""The time left is estimated from groups of runs, not from single results."""

import pytest

from alignscope.experiments.time_left import SETTLED, Estimate, TimeLeft


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def seconds(left: TimeLeft) -> float | None:
    estimate = left.estimate()
    assert estimate is None or not estimate.is_lower_bound
    return None if estimate is None else estimate.seconds


def test_there_is_no_estimate_before_a_run_has_ended(clock: Clock) -> None:
    left = TimeLeft(4, clock)
    assert left.estimate() is None
    left.start("ab")
    clock.now = 100
    assert left.estimate() is None


def test_results_that_arrive_together_count_together(clock: Clock) -> None:
    """After the first of five results the estimate is not five times too large."""
    left = TimeLeft(10, clock)
    left.start("abcde")
    clock.now = 500
    estimates = []
    for run in "abcde":
        left.end(run)
        estimates.append(seconds(left))
    assert estimates == [None, None, None, None, 500]


def test_a_partly_finished_group_counts_when_no_further_result_follows(clock: Clock) -> None:
    left = TimeLeft(10, clock)
    left.start("abcde")
    clock.now = 300
    for run in "abc":
        left.end(run)
    assert seconds(left) is None
    clock.now += SETTLED
    assert seconds(left) == pytest.approx(7 * 100 - SETTLED)


def test_groups_that_run_at_the_same_time_share_the_time(clock: Clock) -> None:
    left = TimeLeft(8, clock)
    left.start("ab")
    left.start("cd")
    clock.now = 20
    for run in "ab":
        left.end(run)
    left.start("ef")
    # cd is due now; ef and gh take 20 s each. Two at once: (20 + 20) / 2.
    assert seconds(left) == pytest.approx(20)
    clock.now = 21
    for run in "cd":
        left.end(run)
    left.start("gh")
    assert seconds(left) == pytest.approx(20.5, rel=0.05)


def test_the_last_group_alone_does_not_share_its_time(clock: Clock) -> None:
    left = TimeLeft(4, clock)
    left.start("a")
    left.start("b")
    clock.now = 10
    left.end("a")
    left.end("b")
    left.start("cd")
    assert seconds(left) == pytest.approx(20)
    clock.now = 15
    assert seconds(left) == pytest.approx(15)


def test_the_time_left_is_never_negative(clock: Clock) -> None:
    left = TimeLeft(2, clock)
    left.start("a")
    clock.now = 10
    left.end("a")
    left.start("b")
    clock.now = 50
    assert seconds(left) == 0


def test_the_steps_of_the_first_group_give_a_lower_bound(clock: Clock) -> None:
    left = TimeLeft(6, clock)
    left.start("ab")
    clock.now = 10  # loading
    left.step(1, 5)
    assert (left.of_training(), left.estimate()) == (None, None)
    clock.now = 14
    left.step(2, 5)
    assert left.of_training() == 12
    # The group takes 10 + 4 + 12 s, and three such groups are to do.
    assert left.estimate() == Estimate(3 * 26 - 14, is_lower_bound=True)


def test_the_steps_of_another_training_are_counted_from_zero(clock: Clock) -> None:
    left = TimeLeft(2, clock)
    left.start("a")
    for clock.now, step in [(1, 1), (2, 2), (3, 3), (50, 1), (60, 2)]:
        left.step(step, 3)
    assert left.of_training() == 10
