"""The figure of similarity by layer contains the whole table and is written in every format."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import FillBetweenPolyCollection

from alignscope.errors import StudyError
from alignscope.report.figures.curves import check_figure, similarity_figure, write_figure
from alignscope.report.figures.figure import FORMATS
from alignscope.results.columns import ADDED_ESTIMATES
from alignscope.results.schemas import SIMILARITY, to_frame

LANGUAGES = ("vesti", "dorun", "qadir", "ataru", "hanbe", "lianu")


def table(targets: tuple[str, ...] = LANGUAGES[1:]) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for rank, target in enumerate(targets):
        for layer in range(5):
            height = (4 - (layer - 2) ** 2) / (5 + rank) - 0.1
            same = {
                **{"encoder": "enc", "source": "synthetic:vesti/news", "layer": layer},
                **{"split": "test", "unit": "sentence", "pooling": "mean", "n": 50},
                **{"target": f"synthetic:{target}/news", "after_norm": layer == 4},
            }
            for measure, estimator, value in (
                ("cka", "debiased", height),
                ("cka", "biased", 0.9),
                ("retrieval", "plain", max(0.0, height)),
            ):
                ends = {"low": value - 0.05, "high": value + 0.05}
                null = {"null_low": -0.01 * rank, "null_high": 0.02}
                found = {"measure": measure, "estimator": estimator, "value": value}
                absent = dict.fromkeys(ADDED_ESTIMATES)
                rows.append({**absent, **same, **found, **ends, **null})
    return to_frame(rows, SIMILARITY)


def words(axes: Axes) -> set[str]:
    return {text.get_text().strip() for text in axes.texts}


def test_every_language_has_a_line_and_a_name() -> None:
    given = table()
    axes_of = similarity_figure(given.sample(fraction=1, shuffle=True, seed=1)).axes
    assert len(axes_of) == 2
    for axes, measure in ((a, "cka" if "CKA" in a.get_ylabel() else "retrieval") for a in axes_of):
        (lines,) = [found for found in axes.collections if len(found.get_paths()) == 5][:1]
        drawn = {tuple(path.vertices[:, 1]) for path in lines.get_paths()}
        drawn |= {tuple(line.get_ydata()) for line in axes.lines}
        shown = given.filter(pl.col("measure") == measure, pl.col("estimator") != "biased")
        for target in given["target"].unique():
            assert tuple(shown.filter(target=target)["value"]) in drawn
        means = tuple(shown.group_by("layer").agg(pl.mean("value")).sort("layer")["value"])
        assert any(line == pytest.approx(means) for line in drawn)
        assert {*LANGUAGES[1:], "mean", "random pairs"} <= words(axes)
        assert axes.get_ylim()[0] < min(shown["value"])
        assert axes.get_ylim()[1] > max(shown["value"])
        (filled,) = [c for c in axes.collections if isinstance(c, FillBetweenPolyCollection)]
        band = filled.get_paths()[0].vertices[:, 1]
        assert (min(band), max(band)) == pytest.approx((-0.04, 0.02))
        assert [label.get_text() for label in axes.get_xticklabels()][3:] == ["3", "4\n(norm)"]


def test_one_measure_has_one_panel_and_its_label_names_the_biased_estimate() -> None:
    given = table().filter(estimator="biased")
    (axes,) = similarity_figure(given).axes
    assert axes.get_ylabel() == "linear CKA, biased"


def test_names_beside_lines_do_not_overlap() -> None:
    figure = similarity_figure(table(("a", "b", "c", "d", "e", "f", "g", "h", "i", "j")))
    for axes in figure.axes:
        names = axes.texts
        places = sorted(text.get_position()[1] for text in names)
        low, high = axes.get_ylim()
        gaps = [b - a for a, b in pairwise(places)]
        assert len(places) == 12
        assert min(gaps) > 0.036 * (high - low)


def test_two_corpora_of_one_language_have_longer_names() -> None:
    given = table(("dorun", "qadir")).with_columns(
        pl.col("target").str.replace("qadir/news", "dorun/chat")
    )
    said = words(similarity_figure(given).axes[0])
    assert {"dorun/news", "dorun/chat"} <= said


@pytest.mark.parametrize("ending", FORMATS)
def test_a_figure_is_the_same_file_in_every_call(ending: str, tmp_path: Path) -> None:
    written = []
    for name in ("one", "other"):
        path = tmp_path / f"{name}.{ending}"
        check_figure(path)
        write_figure(similarity_figure(table()), path)
        written.append(path.read_bytes())
    assert len(written[0]) > 5000
    assert written[0] == written[1]


@pytest.mark.parametrize("name", ["curves", "curves.gif", "curves.PNG", ".png"])
def test_a_suffix_without_a_format_is_refused(name: str) -> None:
    with pytest.raises(StudyError, match=re.escape("Use one of .pdf, .png, .svg.")):
        check_figure(Path(name))


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="there is no folder"):
        check_figure(tmp_path / "none" / "curves.png")
    (tmp_path / "a.png").mkdir()
    with pytest.raises(StudyError, match="cannot be written: Is a directory"):
        write_figure(similarity_figure(table()), tmp_path / "a.png")


def test_the_mean_without_length_is_a_dashed_line() -> None:
    corrected = table().with_columns(without_length=pl.col("value") / 2)
    (axes, plain) = similarity_figure(corrected).axes[0], similarity_figure(table()).axes[0]
    means = corrected.filter(estimator="debiased").group_by("layer").agg(pl.mean("value"))
    (dashed,) = [line for line in axes.lines if line.get_linestyle() == "--"]
    assert list(dashed.get_ydata()) == pytest.approx((means.sort("layer")["value"] / 2).to_list())
    assert "mean without length" in words(axes)
    assert not [line for line in plain.lines if line.get_linestyle() == "--"]
