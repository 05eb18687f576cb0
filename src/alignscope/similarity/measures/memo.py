"""What concerns one side alone is computed once, also where several threads compare it."""

from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import Any, Concatenate, ParamSpec, TypeVar

Side = TypeVar("Side", bound="Memoized")
Rest = ParamSpec("Rest")
Result = TypeVar("Result")


class Memoized:
    """Something with results that are computed when they are first asked for.

    ``functools.cached_property`` of Python 3.11 would hold one lock for all objects of a class.
    """

    def __init__(self) -> None:
        self._known: dict[object, Any] = {}
        self._lock = RLock()


def memoize(
    function: Callable[Concatenate[Side, Rest], Result],
) -> Callable[Concatenate[Side, Rest], Result]:
    """Compute what concerns one object alone (the first argument) once, as long as it lives."""

    @wraps(function)
    def remembered(side: Side, /, *arguments: Rest.args, **named: Rest.kwargs) -> Result:
        key = function.__qualname__, arguments, tuple(named.items())
        with side._lock:
            if key not in side._known:
                side._known[key] = function(side, *arguments, **named)
            found: Result = side._known[key]
            return found

    return remembered
