"""Every schedule rises to the peak, falls to zero, and can be selected by a study."""

import pytest
from pydantic import ValidationError

from alignscope.config.run import TrainingConfig
from alignscope.config.schedule import SCHEDULES


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("steps", [1, 2, 17, 200])
def test_a_schedule_rises_to_the_peak_and_falls(name: str, warmup: float, steps: int) -> None:
    factor = SCHEDULES[name].factor(steps, warmup)
    factors = [factor(step) for step in range(steps)]
    peak = factors.index(max(factors))
    assert max(factors) == 1
    assert factors[: peak + 1] == sorted(factors[: peak + 1])
    assert factors[peak:] == sorted(factors[peak:], reverse=True)
    assert all(0 < value <= 1 for value in factors)


def test_schedules_differ_in_their_decay_alone() -> None:
    linear, cosine = (SCHEDULES[name].factor(100, 0.1) for name in ("linear", "cosine"))
    assert [linear(step) for step in range(10)] == [cosine(step) for step in range(10)]
    assert cosine(30) > linear(30)
    assert cosine(90) < linear(90)


def test_the_default_schedule_is_left_out_of_what_is_stored() -> None:
    assert "schedule" not in TrainingConfig(learning_rate=1).model_dump()
    assert TrainingConfig(learning_rate=1, schedule="cosine").model_dump()["schedule"] == "cosine"


def test_an_unknown_schedule_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"cosin is not a schedule.*did you mean 'cosine'"):
        TrainingConfig(learning_rate=1, schedule="cosin")
