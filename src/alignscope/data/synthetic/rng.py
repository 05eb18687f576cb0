"""Random choices that are the same on every machine and every Python.

Only ``Random.random`` is used: its sequence is promised never to change, those of ``choice`` and
``shuffle`` are not.
"""

from bisect import bisect
from collections.abc import Mapping, Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

from alignscope._util.seeding import derive_seed

Item = TypeVar("Item")


def rng_for(*purpose: object) -> Random:
    """Return the random numbers of one purpose.

    >>> rng_for("roots", "dog").random() == rng_for("roots", "dog").random()
    True
    """
    return Random(derive_seed(0, "synthetic", *purpose))


def choice(items: Sequence[Item], random: Random) -> Item:
    """Draw an item, all alike."""
    return items[int(random.random() * len(items))]


def sample(items: Sequence[Item], count: int, random: Random) -> list[Item]:
    """Draw ``count`` different items (fewer if there are not so many)."""
    left = list(items)
    count = min(count, len(left))
    return [left.pop(int(random.random() * len(left))) for _ in range(count)]


class WeightedChoice(Generic[Item]):
    """Items with weights, to draw from.

    >>> WeightedChoice({"heads": 1, "tails": 0}).draw(rng_for("a coin"))
    'heads'
    """

    def __init__(self, weights: Mapping[Item, float]) -> None:
        chosen = {item: weight for item, weight in weights.items() if weight > 0}
        if not chosen:
            raise ValueError(f"nothing to draw from: {weights}")
        self.items = list(chosen)
        self._sums = list(accumulate(chosen.values()))

    def draw(self, random: Random) -> Item:
        """Draw an item in proportion to its weight."""
        place = bisect(self._sums, random.random() * self._sums[-1])
        return self.items[min(place, len(self.items) - 1)]

    def draw_some(self, count: int, random: Random) -> list[Item]:
        """Draw ``count`` different items (fewer if there are not so many), likely ones first."""
        found: dict[Item, None] = {}
        while len(found) < min(count, len(self.items)):
            found[self.draw(random)] = None
        return list(found)


def zipf(items: Sequence[Item]) -> dict[Item, float]:
    """Weigh items by Zipf's law (with Mandelbrot's shift of 1): the first is the most frequent."""
    return {item: 1.0 / (rank + 1) for rank, item in enumerate(items, start=1)}
