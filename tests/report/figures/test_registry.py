"""A new figure is one function in one module; the page, files and the mapping show it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from alignscope.analysis.results import PrimaryResults, StudyResults
from alignscope.report.figures import registry
from alignscope.report.figures.figure import LabelledFigure, ReportFigure
from alignscope.report.figures.registry import FigureMap, figure, figures_of
from alignscope.report.groups import result_groups
from alignscope.report.page import Report
from tests.helpers.imagined import build, study_text
from tests.report.conftest import FinishedStudy

KINDS = [
    "block-changes", "contrasts", "corpus-heatmap", "drift", "effects", "gap", "gap-by-layer",
    "similarity", "similarity-finetuned",
]  # fmt: skip


def test_figures_are_accessible_by_key(finished: FinishedStudy) -> None:
    _, study, store = finished
    figures = figures_of(StudyResults.of(study, store))
    assert sorted(key.split("/")[0] for key in figures) == KINDS
    heatmap = figures["corpus-heatmap/pos/synthetic:vesti/news"]
    assert heatmap.name == "corpus-heatmap-pos-synthetic-vesti-news"
    assert "<svg" in heatmap._repr_html_()
    assert heatmap._repr_png_().startswith(b"\x89PNG")
    assert "corpus-heatmap/pos/synthetic:vesti/news" in repr(figures)


def test_a_key_names_encoder_and_initialisation_if_there_are_several(tmp_path: Path) -> None:
    text = study_text('"/a/one", "/a/two"').replace(
        "seeds", 'init = ["config", "torch-default"]\nseeds'
    )
    figures = figures_of(StudyResults.of(*build(tmp_path, text)))
    assert "corpus-heatmap/two/pos/synthetic:vesti/news/torch-default" in figures
    assert "gap/one/pos/synthetic:vesti/news" in figures
    assert "contrasts/pos/synthetic:vesti/news" in figures


def test_a_study_without_results_has_no_figures(tmp_path: Path) -> None:
    assert len(figures_of(StudyResults.of(*build(tmp_path, change=lambda made: None)))) == 0


def test_a_new_figure_is_shown_in_its_own_section(
    finished: FinishedStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_KINDS", dict(registry._KINDS))

    @figure("histogram", section="score-distributions")
    def histograms(results: PrimaryResults) -> Iterator[ReportFigure]:
        for group in result_groups(results):
            data = group.select(results.scores)
            yield ReportFigure(
                group.key("histogram"), group.title, "Scores.", data,
                lambda: LabelledFigure(Figure()),
            )  # fmt: skip

    _, study, store = finished
    report = Report(study.name, StudyResults.of(study, store))
    assert "histogram/pos/synthetic:vesti/news" in report.figures
    assert report.sections[-1].title == "Score distributions"
    assert 'id="histogram-pos-synthetic-vesti-news"' in report.html()
    names = {path.name for path in report.write_files(tmp_path)}
    assert "histogram-pos-synthetic-vesti-news.pdf" in names


def test_two_figures_with_one_key_are_refused(report: Report) -> None:
    one = next(iter(report.figures.values()))
    with pytest.raises(ValueError, match="Two figures have the key"):
        FigureMap([("effects", one), ("effects", one)])


def test_figures_of_many_windows_are_wide(tmp_path: Path) -> None:
    windows = ", ".join(f'"{i}"' for i in range(8))
    text = study_text().replace('"0-1", "2-3", "4-5"', windows)
    figures = figures_of(StudyResults.of(*build(tmp_path, text)))
    wide = {key.split("/")[0] for key, one in figures.items() if one.wide}
    assert wide == {"contrasts", "effects", "corpus-heatmap"}
