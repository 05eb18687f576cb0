"""Names beside points do not overlap each other or the points."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.transforms import Bbox

from alignscope.report.figures.point_labels import label_points
from alignscope.report.figures.style import new_axes


def drawn_boxes(x: list[float], y: list[float], names: list[str]) -> dict[str, Bbox]:
    """Return where each name was drawn, in pixels."""
    figure, axes = new_axes()
    axes.scatter(x, y)
    axes.margins(x=0.12)
    label_points(axes, names, x, y)
    figure.draw_without_rendering()
    return {text.get_text(): text.get_window_extent() for text in axes.texts}


def overlap(one: Bbox, two: Bbox) -> float:
    """Return the width or height, in pixels, that two boxes share at least; 0 if they are apart."""
    width = min(one.x1, two.x1) - max(one.x0, two.x0)
    height = min(one.y1, two.y1) - max(one.y0, two.y0)
    return max(0.0, min(width, height))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("spread", [1.0, 0.05])
def test_names_do_not_overlap(seed: int, spread: float) -> None:
    draw = np.random.default_rng(seed)
    x, y = (list(draw.normal(scale=spread, size=17)) for _ in range(2))
    x[0], y[0] = x[1], y[1] = 2.0, 2.0  # two points at one place, far from the others
    names = [f"language{i}" for i in range(17)]
    boxes = drawn_boxes(x, y, names)
    assert {"language0", "language1"} <= set(boxes)
    for one, two in combinations(boxes, 2):
        assert overlap(boxes[one], boxes[two]) < 1, (one, two)


def test_a_name_without_a_free_position_is_left_out() -> None:
    count = 30
    boxes = drawn_boxes([1.0] * count, [1.0] * count, [f"language{i}" for i in range(count)])
    assert 0 < len(boxes) <= 12
