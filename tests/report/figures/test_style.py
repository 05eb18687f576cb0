"""Text is readable and colours are distinguishable, in both themes and by the colour-blind."""

import re
from importlib.resources import files
from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from alignscope.report.colour_scale import DEEPEST
from alignscope.report.figures import style
from alignscope.report.figures.style import report_style
from alignscope.report.page import Report

CSS = (files("alignscope.report") / "template" / "page.css").read_text(encoding="utf-8")
BLOCKS = re.findall(r":root \{(.*?)\}", CSS, re.S)
THEMES = {
    name: dict(re.findall(r"(--\w+): (#\w{6})", block))
    for name, block in zip(("light", "dark"), BLOCKS, strict=True)
}
Rgb = NDArray[np.float64]


def linear(colour: str | Rgb) -> Rgb:
    rgb = np.array(to_rgb(colour)) if isinstance(colour, str) else colour
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one: str | Rgb, other: str | Rgb) -> float:
    """WCAG 2's contrast ratio, 1 to 21."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    low, high = sorted(float(weights @ linear(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def mixed(colour: str, ground: str, depth: float) -> Rgb:
    return depth * np.array(to_rgb(colour)) + (1 - depth) * np.array(to_rgb(ground))


@pytest.mark.parametrize("theme", THEMES)
def test_text_has_enough_contrast(theme: str) -> None:
    colours = THEMES[theme]
    for text in ("--ink", "--muted", "--link"):
        for ground in ("--paper", "--raised"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for shade in ("--loss", "--gain"):
        cell = mixed(colours[shade], colours["--paper"], DEEPEST)
        assert contrast(colours["--ink"], cell) >= 4.5, shade


@pytest.mark.parametrize("theme", THEMES)
def test_lines_and_marks_have_enough_contrast(theme: str) -> None:
    colours = THEMES[theme]
    for name in ("--source", "--targets", "--domains", "--loss", "--gain"):
        assert contrast(colours[name], colours["--paper"]) >= 3, name
    for place in np.linspace(0, 1, 9):
        assert contrast(np.array(style.RAMP(place)[:3]), colours["--paper"]) >= 2.7, place


# Linear-light matrices of Viénot, Brettel & Mollon (1999) for people who lack one kind of cone.
LACKING = {
    "protan": np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]]),
    "deutan": np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]]),
}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("eyes", LACKING)
def test_the_colour_blind_can_distinguish_series(eyes: str, theme: str) -> None:
    series = [linear(THEMES[theme][name]) for name in ("--source", "--targets", "--domains")]
    seen = [np.clip(LACKING[eyes] @ colour, 0, 1) ** (1 / 2.2) for colour in series]
    for one, other in combinations(seen, 2):
        assert np.abs(one - other).max() > 0.1
    lost, gained = (
        np.clip(LACKING[eyes] @ linear(THEMES[theme][name]), 0, 1) ** (1 / 2.2)
        for name in ("--loss", "--gain")
    )
    assert np.abs(lost - gained).max() > 0.25
    assert len(set(style.MARKERS.values())) == 3


def test_the_page_defines_every_colour_of_the_figures() -> None:
    for variable in style.VARIABLES.values():
        assert variable in THEMES["light"]
        assert variable in THEMES["dark"]
    for colour, variable in style.VARIABLES.items():
        assert THEMES["light"][variable] == colour


def test_tick_labels_are_plain_text(report: Report) -> None:
    """Mathematical markup is not parsed, since names may contain a $, so no tick may have it."""
    for key, figure in report.figures.items():
        with report_style(figure.name):
            drawing = figure.draw().figure
            drawing.canvas.draw()
            axes = [axis for part in drawing.axes for axis in (part.xaxis, part.yaxis)]
            ticks = [text.get_text() for axis in axes for text in axis.get_ticklabels(which="both")]
        assert not [text for text in ticks if "$" in text], key
