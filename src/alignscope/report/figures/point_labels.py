"""Names beside the points of a figure, none over another."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from alignscope.report.figures.style import MUTED

SIZE = 7.0
_WIDE, _HIGH = 0.64 * SIZE, 1.15 * SIZE
"""Room of a letter and of a line, in points (1/72 inch)."""

Box = tuple[float, float, float, float]


def label_points(axes: Axes, names: Sequence[str], x: Sequence[float], y: Sequence[float]) -> None:
    """Write every name beside its point, at the first of twelve places that is free.

    Limits of the axes are fixed by this. Where no place is free the name is left out; it is still
    said to whom points at the mark.
    """
    axes.set_xlim(axes.get_xlim())
    axes.set_ylim(axes.get_ylim())
    scale = 72 / axes.get_figure(root=True).dpi  # type: ignore[union-attr]
    at: NDArray[np.float64] = axes.transData.transform(np.column_stack([x, y])) * scale
    low, high = axes.transAxes.transform([(0, 0), (1, 1)]) * scale
    taken: list[Box] = [(px - 3, py - 3, px + 3, py + 3) for px, py in at]
    for name, (px, py) in zip(names, at, strict=True):
        for dx, dy in _offsets(_WIDE * len(name)):
            left, bottom = px + dx, py + dy
            box = (left, bottom, left + _WIDE * len(name), bottom + _HIGH)
            inside = low[0] <= box[0] and box[2] <= high[0] + 9 and box[1] >= low[1]
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                at_x, at_y = axes.transData.inverted().transform((left / scale, bottom / scale))
                axes.text(at_x, at_y, name, fontsize=SIZE, color=MUTED, va="bottom")
                break


def _offsets(width: float) -> list[tuple[float, float]]:
    """Where a name may stand: right, left, above, below, and a little further off."""
    near = [
        *((4.0, dy) for dy in (0.0, -_HIGH / 2, -_HIGH, _HIGH / 2)),
        *((-4.0 - width, dy) for dy in (0.0, -_HIGH / 2, -_HIGH)),
        *((-width / 2, dy) for dy in (4.0, -4.0 - _HIGH)),
    ]
    return [*near, (6.0, _HIGH), (6.0, -2 * _HIGH), (-6.0 - width, _HIGH)]


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
