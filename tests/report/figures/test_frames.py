"""Every mark of a figure has its value in a frame, and a tooltip that shows it."""

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest
from matplotlib.colors import to_rgba

from alignscope.analysis.results import StudyResults
from alignscope.report.colour_scale import DEEPEST, largest_effect
from alignscope.report.figures.block_changes import change_points
from alignscope.report.figures.contrasts import contrast_points
from alignscope.report.figures.corpus_heatmap import (
    draw_cells,
    heatmap_cells,
    heatmap_data,
    relation_breaks,
)
from alignscope.report.figures.curves import curve_points
from alignscope.report.figures.drift import drift_points
from alignscope.report.figures.effects import effect_points, effects_data
from alignscope.report.figures.gap import gap_points
from alignscope.report.figures.gap_by_layer import correlation_points
from alignscope.report.figures.points import cut_note, limit_to_marks, point_frame
from alignscope.report.figures.registry import figures_of
from alignscope.report.figures.style import FAINT, GAIN, LOSS, new_axes
from alignscope.report.groups import window_groups
from alignscope.report.page import Report
from alignscope.results.store import RunResult
from tests.helpers.imagined import LANGUAGES, build

CORPORA = len(LANGUAGES) + 1


def points(fraction: float) -> str:
    return f"{100 * fraction:+z.1f}".replace("-", "−")


def tooltips_by_seed(frame: pl.DataFrame) -> dict[bool, list[str]]:
    return {seed: frame.filter(seed=seed)["tooltip"].to_list() for seed in (True, False)}


@pytest.fixture
def heatmap(report: Report) -> pl.DataFrame:
    (group,) = window_groups(report.results)
    return heatmap_data(report.results, group)


def test_a_heatmap_has_a_cell_per_window_and_corpus(report: Report, heatmap: pl.DataFrame) -> None:
    cells = heatmap_cells(heatmap, largest_effect(report.results.effects))
    assert cells.height == 4 * CORPORA
    assert cells.select("x", "y").is_unique().all()
    assert cells.filter(x=0)["window"].unique().to_list() == ["REF"]
    source, domain, *targets = cells.filter(window="0-1").sort("y").iter_rows(named=True)
    assert (source["corpus"], domain["corpus"]) == ("synthetic:vesti/news", "synthetic:vesti/chat")
    sums = [
        cells.filter(corpus=t["corpus"]).filter(pl.col("x") > 0)["value"].sum() for t in targets
    ]
    assert sums == sorted(sums)
    assert relation_breaks(heatmap) == [1, 2]


def test_a_cell_has_the_value_of_its_label_and_tooltip(
    report: Report, heatmap: pl.DataFrame
) -> None:
    cells = heatmap_cells(heatmap, largest_effect(report.results.effects))
    values = {(row["corpus"], row["window"], row["seed"]): row for row in heatmap.to_dicts()}
    for cell in cells.iter_rows(named=True):
        key = cell["corpus"], cell["window"]
        seeds = [values[*key, seed]["value"] for seed in (1, 2, 3)]
        assert cell["value"] == values[*key, None]["value"] == pytest.approx(sum(seeds) / 3)
        listed = cell["tooltip"].split("seeds ")[1].split(", ")
        if cell["window"] == "REF":
            assert cell["label"] == points(cell["value"])[1:]
            assert "(majority baseline 20.0)" in cell["tooltip"]
            assert listed == [points(seed)[1:] for seed in seeds]
        else:
            assert cell["label"] == points(cell["value"])
            expected = f"{cell['window']} on {cell['corpus']}: {cell['label']} ["
            assert cell["tooltip"].startswith(expected)
            assert listed == [points(seed) for seed in seeds]


def test_a_cell_is_coloured_by_its_sign_and_interval(report: Report, heatmap: pl.DataFrame) -> None:
    largest = largest_effect(report.results.effects)
    cells = heatmap_cells(heatmap, largest)
    ends = {
        (r["corpus"], r["window"]): r for r in heatmap.filter(pl.col("seed").is_null()).to_dicts()
    }
    for cell in cells.iter_rows(named=True):
        if cell["window"] == "REF":
            assert (cell["colour"], cell["opacity"]) == (FAINT, 0)
            continue
        row = ends[cell["corpus"], cell["window"]]
        assert cell["colour"] == (LOSS if row["value"] < 0 else GAIN)
        share = 1.0 if row["low"] > 0 or row["high"] < 0 else 0.3
        full = min(1.0, share * abs(row["value"]) / largest)
        assert cell["opacity"] == pytest.approx(DEEPEST * full)


def test_cells_are_drawn_with_their_colours_and_labels(
    report: Report, heatmap: pl.DataFrame
) -> None:
    cells = heatmap_cells(heatmap, largest_effect(report.results.effects))
    _, axes = new_axes()
    artist, tooltips = draw_cells(axes, cells)
    assert list(tooltips) == cells["tooltip"].to_list()
    assert [text.get_text() for text in axes.texts] == cells["label"].to_list()
    assert [text.get_position() for text in axes.texts] == cells.select("x", "y").rows()
    colours = [to_rgba(c, o) for c, o in cells.select("colour", "opacity").iter_rows()]
    assert [tuple(colour) for colour in artist.get_facecolor()] == colours  # type: ignore[attr-defined]


def test_effects_have_every_seed_beside_the_mean(report: Report) -> None:
    (group,) = window_groups(report.results)
    data = effects_data(report.results, group)
    frame = effect_points(data)
    assert frame["series"].unique().sort().to_list() == ["domains", "source", "targets"]
    tooltips = tooltips_by_seed(frame)
    assert (len(tooltips[True]), len(tooltips[False])) == (3 * 3 * 3, 3 * 3)
    for row in data.iter_rows(named=True):
        name = f"{row['window']} on {row['on']}"
        if row["seed"] is None:
            text = f"{name}: {points(row['value'])} [{points(row['low'])}, {points(row['high'])}]"
        else:
            text = f"{name}, seed {row['seed']}: {points(row['value'])}"
        assert frame.filter(tooltip=text)["y"].item() == pytest.approx(100 * row["value"])
    assert frame.filter(~pl.col("seed"))["low"].null_count() == 0


def test_contrasts_are_at_the_middle_of_their_windows(report: Report) -> None:
    data = report.figures["contrasts/pos/synthetic:vesti/news"].data
    frame = contrast_points(data, {"embedded": "short"})
    means = frame.filter(~pl.col("seed"))
    assert means["x"].to_list() == [0.5, 2.5, 4.5]
    assert means["tooltip"].str.starts_with("short, 0-1: −2").to_list() == [True, False, False]
    assert frame.filter("seed")["tooltip"].str.contains(r"short, \d-\d, seed [123]: ").all()
    assert means["y"].to_list() == pytest.approx((100 * data["value"][:3]).to_list())


def test_curves_have_a_point_per_target_and_layer() -> None:
    table = pl.DataFrame({"target": ["a", "a", "b", "b"], "layer": [1, 0, 0, 1],
                          "value": [0.5, 0.25, -0.125, 0.75]})  # fmt: skip
    frame = curve_points(table, {"a": "A", "b": "B"}, {"b": "#000000", "a": "#ffffff"})
    assert frame.select("x", "y", "series", "colour").rows() == [
        (0, -0.125, "B", "#000000"), (1, 0.75, "B", "#000000"),
        (0, 0.25, "A", "#ffffff"), (1, 0.5, "A", "#ffffff"),
    ]  # fmt: skip
    assert frame["tooltip"].to_list() == [
        "B, layer 0: −0.125", "B, layer 1: 0.750", "A, layer 0: 0.250", "A, layer 1: 0.500",
    ]  # fmt: skip


def test_drift_has_seeds_and_means_by_layer(report: Report) -> None:
    results = report.results
    rows = results.similarity.filter(state="drift", window="REF")
    frame = drift_points(results.drift, rows)
    tooltips = tooltips_by_seed(frame)
    assert (len(tooltips[True]), len(tooltips[False])) == (9, 3)
    for row in results.drift.iter_rows(named=True):
        text = f"layer {row['layer']}: {row['mean']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
        assert frame.filter(tooltip=text)["y"].item() == row["mean"]
    seed = rows.filter(seed=2, layer=1)["value"].mean()
    assert frame.filter(tooltip=f"seed 2, layer 1: {seed:.3f}")["y"].item() == pytest.approx(seed)


def test_changes_of_blocks_have_a_point_for_the_output_and_one_for_the_weights(
    report: Report,
) -> None:
    data = report.results.block_changes
    frame = change_points(data)
    assert frame["series"].to_list() == ["output change"] * 3 + ["weight change"] * 3
    assert frame["y"].to_list() == [*data["output_mean"], *data["weight_mean"]]
    assert (frame["low"] > 0).all()
    row = data.row(1, named=True)
    estimate = f"{row['output_mean']:.3f} [{row['output_low']:.3f}, {row['output_high']:.3f}]"
    assert frame["tooltip"][1] == f"block 1: output change {estimate}, of noise 0.150"
    caption = report.figures["block-changes/pos/synthetic:vesti/news"].caption
    assert caption.endswith("Below the noise: blocks 0.")


def test_noise_is_drawn_beside_drift(report: Report, tmp_path: Path) -> None:
    """A dotted line; results without noise have none, and no sentence about it."""
    key = "drift/pos/synthetic:vesti/news"
    dotted = [line for line in report.figures[key].draw().figure.axes[0].lines
              if line.get_linestyle() == ":"]  # fmt: skip
    assert [list(line.get_ydata()) for line in dotted] == [
        report.results.drift["noise_mean"].to_list()
    ]
    assert "Dotted: the same for noise" in report.figures[key].caption

    def older(result: RunResult) -> RunResult:
        rows = [row for row in result.similarity if row["state"] != "noise"]
        return replace(result, similarity=rows, changes=[])

    figures = figures_of(StudyResults.of(*build(tmp_path, change=older)))
    assert "Dotted" not in figures[key].caption
    assert not [name for name in figures if name.startswith("block-changes")]


def test_the_axis_of_drift_names_the_maximum(report: Report) -> None:
    figure = report.figures["drift/pos/synthetic:vesti/news"]
    assert "beyond the maximum of 1" not in figure.caption
    axes = figure.draw().figure.axes[0]
    assert axes.get_ylabel() == "similarity before and after (at most 1)"


def test_a_drift_interval_beyond_the_maximum_is_explained(tmp_path: Path) -> None:
    def near_the_maximum(result: RunResult) -> RunResult:
        for row in result.similarity:
            row["value"] = {1: 0.9, 2: 1.0, 3: 1.0}[result.run.seed]
        return result

    results = StudyResults.of(*build(tmp_path, change=near_the_maximum))
    assert max(results.drift["high"]) > 1
    caption = figures_of(results)["drift/pos/synthetic:vesti/news"].caption
    assert caption.endswith("so it can extend beyond the maximum of 1.")


def test_gaps_have_seeds_and_means_by_language(report: Report) -> None:
    data = report.figures["gap/pos/synthetic:vesti/news"].data
    frame = gap_points(data)
    tooltips = tooltips_by_seed(frame)
    assert (len(tooltips[True]), len(tooltips[False])) == (18, 6)
    for row in data.filter(pl.col("seed").is_null()).iter_rows(named=True):
        gap = points(row["gap"]).removeprefix("+")
        text = f"{row['language']}: similarity {row['similarity']:.3f}, gap {gap}"
        assert frame.filter(tooltip=text).select("x", "y").row(0) == (
            row["similarity"], pytest.approx(100 * row["gap"]),
        )  # fmt: skip


def test_correlations_have_their_state_layer_and_p(report: Report) -> None:
    data = report.figures["gap-by-layer/pos/synthetic:vesti/news"].data
    frame = correlation_points(data)
    assert set(frame["series"]) == {"pretrained", "fine-tuned"}
    assert frame.height == data.height == 6
    pattern = r"(pretrained|fine-tuned), layer \d: ρ = −?\d\.\d{3} \[.*\], Holm-corrected p [=<] "
    assert frame["tooltip"].str.contains(pattern).all()


def test_every_tooltip_is_in_the_page(report: Report) -> None:
    for figure in report.figures.values():
        drawn = [text for _, texts in figure.draw().tooltips for text in texts]
        root = ElementTree.fromstring(figure.inline())
        shown = [part.text for part in root.iter("{http://www.w3.org/2000/svg}title")]
        assert len(shown) >= 6, figure.key
        assert sorted(map(str, shown)) == sorted(drawn), figure.key
        assert all(re.search(r"\d", str(text)) or ":" not in str(text) for text in shown)


def test_one_wide_interval_does_not_flatten_the_others() -> None:
    rows = [
        {"x": x, "y": y, "low": low, "high": high, "series": "s", "colour": "#000000",
         "marker": "o", "tooltip": "t"}
        for x, y, low, high in ((0.0, -10.0, -190.0, 170.0), (1.0, 5.0, 4.0, 6.0))
    ]  # fmt: skip
    frame = point_frame(rows)
    bottom, top = limit_to_marks(frame)
    assert -25 < bottom < -10
    assert 6 < top < 20
    assert cut_note(frame) == " 1 interval extends beyond the axis."
    assert cut_note(point_frame(rows[1:])) == ""
