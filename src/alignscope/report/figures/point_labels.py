"""Place names beside the points of a figure without overlap."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from alignscope.report.figures.style import MUTED

SIZE = 7.0
_LETTER, _LINE = 0.64 * SIZE, 1.15 * SIZE
"""Width of a letter and height of a line, in points (1/72 inch)."""

Box = tuple[float, float, float, float]


def label_points(axes: Axes, names: Sequence[str], x: Sequence[float], y: Sequence[float]) -> None:
    """Write each name beside its point, at the first of twelve positions that is free.

    The limits of the axes are fixed by the call. A name without a free position is left out; the
    point's tooltip still shows it.

    Args:
        axes: the axes, with the points already drawn.
        names: the names, one per point.
        x: horizontal positions in data coordinates, one per point.
        y: vertical positions in data coordinates, one per point.
    """
    axes.set_xlim(axes.get_xlim())
    axes.set_ylim(axes.get_ylim())
    scale = 72 / axes.get_figure(root=True).dpi  # type: ignore[union-attr]
    points: NDArray[np.float64] = axes.transData.transform(np.column_stack([x, y])) * scale
    (left_edge, bottom_edge), (right_edge, _) = axes.transAxes.transform([(0, 0), (1, 1)]) * scale
    taken: list[Box] = [(px - 3, py - 3, px + 3, py + 3) for px, py in points]
    for name, (px, py) in zip(names, points, strict=True):
        for dx, dy in _offsets(_LETTER * len(name)):
            left, bottom = px + dx, py + dy
            box = (left, bottom, left + _LETTER * len(name), bottom + _LINE)
            inside = left_edge <= box[0] and box[2] <= right_edge + 9 and box[1] >= bottom_edge
            if inside and not any(_overlap(box, box_taken) for box_taken in taken):
                taken.append(box)
                at_x, at_y = axes.transData.inverted().transform((left / scale, bottom / scale))
                axes.text(at_x, at_y, name, fontsize=SIZE, color=MUTED, va="bottom")
                break


def _offsets(width: float) -> list[tuple[float, float]]:
    """Return candidate positions: right, left, above, below, then a little further away."""
    near = [
        *((4.0, dy) for dy in (0.0, -_LINE / 2, -_LINE, _LINE / 2)),
        *((-4.0 - width, dy) for dy in (0.0, -_LINE / 2, -_LINE)),
        *((-width / 2, dy) for dy in (4.0, -4.0 - _LINE)),
    ]
    return [*near, (6.0, _LINE), (6.0, -2 * _LINE), (-6.0 - width, _LINE)]


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
