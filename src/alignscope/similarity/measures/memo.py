"""Compute whatever concerns one side alone once, even if several threads compare that side."""

from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import Any, Concatenate, ParamSpec, TypeVar

Owner = TypeVar("Owner", bound="Memoized")
Rest = ParamSpec("Rest")
Result = TypeVar("Result")


class Memoized:
    """An object that keeps the results of the functions that `memoize` decorates.

    Each object has its own lock. ``functools.cached_property`` of Python 3.11 would hold one lock
    for all objects of a class, so that no two sides could be prepared at once; from Python 3.12 on
    it holds none, and threads would compute the same result several times.
    """

    def __init__(self) -> None:
        self._results: dict[object, Any] = {}
        self._lock = RLock()


def memoize(
    function: Callable[Concatenate[Owner, Rest], Result],
) -> Callable[Concatenate[Owner, Rest], Result]:
    """Keep the results of a function in its first argument, as long as that object lives."""

    @wraps(function)
    def memoized(owner: Owner, /, *arguments: Rest.args, **named: Rest.kwargs) -> Result:
        key = function.__qualname__, arguments, tuple(named.items())
        with owner._lock:
            if key not in owner._results:
                owner._results[key] = function(owner, *arguments, **named)
            result: Result = owner._results[key]
            return result

    return memoized
