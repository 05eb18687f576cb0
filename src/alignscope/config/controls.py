"""Controls: other ways to change a few windows, beside the re-initialisation of all windows."""

from typing import Annotated, Any

from pydantic import Field, field_validator

from alignscope._util.validation import StrictModel
from alignscope.config.run import Freeze, Init
from alignscope.config.windows import expand_windows


class ControlsConfig(StrictModel):
    """The windows of a study that are also changed in other ways."""

    windows: tuple[str, ...] = Field(min_length=1)
    init: Annotated[tuple[Init, ...], Field(min_length=1)]
    freeze: Annotated[tuple[Freeze, ...], Field(min_length=1)] = ("none",)

    @field_validator("init", "freeze", "windows", mode="before")
    @classmethod
    def _accept_one(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("windows")
    @classmethod
    def _check_windows(cls, windows: tuple[str, ...]) -> tuple[str, ...]:
        for text in windows:
            expand_windows(text, None)
        return windows


def treatments(init: tuple[Init, ...], freeze: tuple[Freeze, ...]) -> list[tuple[Init, Freeze]]:
    """Return what is done to a window: how it is changed, and whether it is trained.

    >>> treatments(("matched", "skip"), ("none", "window"))
    [('matched', 'none'), ('matched', 'window'), ('skip', 'none')]

    A skipped block computes nothing, so that it makes no difference whether its weights are
    trained: with both values of ``freeze`` a window is skipped once.
    """
    both = len(set(freeze)) > 1
    return [
        (how, frozen)
        for how in init
        for frozen in freeze
        if not (both and how == "skip" and frozen == "window")
    ]
