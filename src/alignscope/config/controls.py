"""Controls: other ways to change a few windows, beside the re-initialisation of all windows."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from alignscope._util.validation import StrictModel
from alignscope.config.run import Freeze, Init
from alignscope.config.windows import expand_windows


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _check_windows(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        expand_windows(name, None)
    return names


WindowNames = Annotated[tuple[str, ...], BeforeValidator(_as_tuple), AfterValidator(_check_windows)]
Inits = Annotated[tuple[Init, ...], BeforeValidator(_as_tuple), Field(min_length=1)]
Freezes = Annotated[tuple[Freeze, ...], BeforeValidator(_as_tuple), Field(min_length=1)]
"""The values of the keys ``windows``, ``init`` and ``freeze``: a list, or one value."""

NOT_FROZEN: tuple[Freeze, ...] = ("none",)


class ControlsConfig(StrictModel):
    """The windows of a study that are also changed in other ways."""

    windows: Annotated[WindowNames, Field(min_length=1)]
    init: Inits
    freeze: Freezes = NOT_FROZEN


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
