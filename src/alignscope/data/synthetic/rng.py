"""Random choices that are identical on every machine and every Python version.

Only ``Random.random`` is used. Python guarantees that its sequence never changes; it gives no such
guarantee for ``choice`` and ``shuffle``.
"""

from bisect import bisect
from collections.abc import Mapping, Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

from alignscope._util.seeding import derive_seed

Item = TypeVar("Item")


def rng_for(*purpose: object) -> Random:
    """Return the random number generator of one purpose.

    >>> rng_for("roots", "dog").random() == rng_for("roots", "dog").random()
    True
    """
    return Random(derive_seed(0, "synthetic", *purpose))


def choice(items: Sequence[Item], random: Random) -> Item:
    """Draw an item, all with equal probability."""
    return items[int(random.random() * len(items))]


def sample(items: Sequence[Item], count: int, random: Random) -> list[Item]:
    """Draw ``count`` different items, or all of them if there are fewer."""
    left = list(items)
    count = min(count, len(left))
    return [left.pop(int(random.random() * len(left))) for _ in range(count)]


class WeightedChoice(Generic[Item]):
    """Draw items in proportion to their weights.

    >>> WeightedChoice({"heads": 1, "tails": 0}).draw(rng_for("a coin"))
    'heads'
    """

    def __init__(self, weights: Mapping[Item, float]) -> None:
        positive = {item: weight for item, weight in weights.items() if weight > 0}
        if not positive:
            raise ValueError(f"No item has a positive weight: {weights}.")
        self.items = list(positive)
        self._cumulative = list(accumulate(positive.values()))

    def draw(self, random: Random) -> Item:
        """Draw one item."""
        index = bisect(self._cumulative, random.random() * self._cumulative[-1])
        return self.items[min(index, len(self.items) - 1)]

    def draw_some(self, count: int, random: Random) -> list[Item]:
        """Draw ``count`` different items, or all if there are fewer; items keep the draw order."""
        drawn: dict[Item, None] = {}
        while len(drawn) < min(count, len(self.items)):
            drawn[self.draw(random)] = None
        return list(drawn)


def zipf(items: Sequence[Item]) -> dict[Item, float]:
    """Weight items by Zipf's law with Mandelbrot's shift of 1; the first is the most frequent."""
    return {item: 1.0 / (rank + 1) for rank, item in enumerate(items, start=1)}
