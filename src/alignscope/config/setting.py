"""Settings: the hyperparameters that are axes of a grid, and their text in tables."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import AfterValidator, Discriminator, Tag, model_validator

from alignscope._util.validation import StrictModel

Value = TypeVar("Value")


def _form(value: object) -> str:
    return "[list]" if isinstance(value, list | tuple) else "[value]"


def _check_values(values: Any) -> Any:
    """Refuse empty lists and repeated values; a list of one value is that value."""
    if not isinstance(values, tuple):
        return values
    if not values:
        raise ValueError("The list is empty. Give at least one value.")
    for value in values:
        if values.count(value) > 1:
            raise ValueError(f"{value} is listed twice.")
    return _unlisted(values)


Axis = Annotated[
    Annotated[Value, Tag("[value]")] | Annotated[tuple[Value, ...], Tag("[list]")],
    Discriminator(_form),
    AfterValidator(_check_values),
]
"""One value of this type, or several that differ."""


def _unlisted(value: Any) -> Any:
    """Return the value of a list of one value, and anything else as it is."""
    is_list_of_one = isinstance(value, list | tuple) and len(value) == 1
    return value[0] if is_list_of_one and not isinstance(value[0], list | tuple) else value


def listed(value: Any) -> tuple[Any, ...]:
    """Return the values of an axis."""
    return value if isinstance(value, tuple) else (value,)


class AxesModel(StrictModel):
    """A table of a study in which some keys may be lists."""

    axes: ClassVar[tuple[str, ...]] = ()
    """The keys that may be lists."""

    @classmethod
    def with_single_values(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Replace lists of one value by the value, so that both have the same digest."""
        return {k: _unlisted(value) if k in cls.axes else value for k, value in values.items()}

    def first_values(self) -> dict[str, Any]:
        """Return the value of every key, the first one of a list."""
        values = dict(self)
        return values | {key: listed(values[key])[0] for key in self.axes}

    @model_validator(mode="before")
    @classmethod
    def _refuse_other_lists(cls, values: Any) -> Any:
        if isinstance(values, Mapping):
            for key, value in values.items():
                known = key in cls.model_fields or key in cls.renamed_keys
                if known and key not in cls.axes and isinstance(value, list | tuple):
                    hint = _AXES_OF_A_STUDY if cls.axes else "A study may list several."
                    raise ValueError(f"{key} takes one value, got {list(value)}. {hint}")
        return values


_AXES_OF_A_STUDY = "Only learning_rate, head_learning_rate, epochs and limits.train may be lists."


def setting_label(
    learning_rate: float, head_learning_rate: float, epochs: int, train: int | None
) -> str:
    """Return the text of a setting, as the column ``setting`` of every table has it.

    >>> setting_label(5e-5, 0.002, 4, 2000)
    'lr 5e-5, head lr 0.002, 4 epochs, 2000 sentences'
    >>> setting_label(5e-4, 0.001, 1, None)
    'lr 0.0005, head lr 0.001, 1 epoch, all sentences'

    Args:
        learning_rate: the peak rate of the encoder.
        head_learning_rate: the peak rate of the task head.
        epochs: the number of epochs.
        train: the maximum number of training sentences; None for all.
    """
    rates = f"lr {_rate(learning_rate)}, head lr {_rate(head_learning_rate)}"
    return f"{rates}, {size_label(epochs, train)}"


def size_label(epochs: int, train: int | None) -> str:
    """Return the part of a setting on which the cost depends.

    >>> size_label(4, 2000)
    '4 epochs, 2000 sentences'
    """
    sentences = "all sentences" if train is None else _count(train, "sentence")
    return f"{_count(epochs, 'epoch')}, {sentences}"


def _rate(rate: float) -> str:
    """Return a rate with as many digits as it needs, so that different rates differ."""
    return repr(float(rate)).replace("e-0", "e-")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def setting_order(setting: str) -> tuple[float, ...]:
    """Return a sort key of settings: the numbers in the text, infinity for ``all sentences``.

    >>> setting_order("lr 5e-5, head lr 0.002, 4 epochs, all sentences")
    (5e-05, 0.002, 4.0, inf)
    """
    found = (_NUMBER.search(part) for part in setting.split(", "))
    return tuple(math.inf if number is None else float(number[0]) for number in found)


_NUMBER = re.compile(r"\d[\d.]*(e[-+]?\d+)?")


def short_settings(settings: Iterable[tuple[str, str, str]]) -> Mapping[str, str]:
    """Return the short label of each setting: the parts that vary within a task of an encoder.

    >>> few, many = setting_label(5e-5, 0.001, 3, 500), setting_label(5e-5, 0.001, 3, 2000)
    >>> [*short_settings([("mbert", "pos", few), ("mbert", "pos", many)]).values()]
    ['500 sentences', '2000 sentences']
    >>> [*short_settings([("mbert", "pos", few), ("mbert", "parsing", many)]).values()]
    ['', '']

    Args:
        settings: an encoder, a task and a setting of it.

    Returns:
        The short label by setting. It is empty if no task has several settings. Two settings of
        one task have different labels.
    """
    rows = list(settings)
    parts_of = {text: text.split(", ") for *_, text in rows}
    of_group: dict[tuple[str, str], list[list[str]]] = {}
    for encoder, task, text in rows:
        of_group.setdefault((encoder, task), []).append(parts_of[text])
    varying = {
        place
        for group in of_group.values()
        for place, values in enumerate(zip(*group, strict=True))
        if len({*values}) > 1
    }
    return {
        text: ", ".join(part for place, part in enumerate(parts) if place in varying)
        for text, parts in parts_of.items()
    }
