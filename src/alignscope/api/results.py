"""Read the results of studies: tables, figures and the report."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from alignscope.analysis import results as _results
from alignscope.analysis.comparison import ComparedResults
from alignscope.analysis.measured import MeasuredTables, StoredTables
from alignscope.config import study as _study
from alignscope.config.thresholds import HypothesisThresholds
from alignscope.results.store import ResultStore

if TYPE_CHECKING:
    from alignscope.experiments.sweep import SweepSummary
    from alignscope.report.figures.figure import ReportFigure


def load_results(
    store: str | Path,
    study: _study.Study | None = None,
    *,
    features: str | Path | None = None,
    genealogy: str | Path | None = None,
) -> "StudyResults":
    """Read the results in a folder; torch is not needed.

    Args:
        store: the folder of results.
        study: the study whose runs are meant; by default every run in the store.
        features: a CSV file of language features for the tables ``distances`` and ``gaps``: a
            column ``language``, then one column per feature. By default the built-in features.
        genealogy: a CSV file of related languages: columns ``language``, ``genus`` and ``family``.
            Languages that it lacks are looked up in the built-in table.

    Raises:
        StoreError: if the study was never run on that store, or a file there is damaged.
        DataError: if ``genealogy`` cannot be used.
    """
    opened = ResultStore(Path(store))
    runs = opened.load_all_plans() if study is None else opened.load_plan(study)
    return StudyResults(
        StoredTables(runs, opened),
        None if features is None else Path(features),
        thresholds=None if study is None else study.claims,
        genealogy=None if genealogy is None else Path(genealogy),
        name=Path(store).name if study is None else study.name,
    )


def compare_results(
    stores: Sequence[str | Path], study: _study.Study | None = None
) -> "StudyResults":
    """Read the results of several stores, encoder by encoder, on the corpora that all have.

    Args:
        stores: the folders of results.
        study: the study whose runs are compared; needed where a store holds several.

    Raises:
        StoreError: if a store has no results, or has one run with two configurations.
    """
    chosen = None if study is None else study.model_copy(update={"encoders": ()})
    compared = ComparedResults([ResultStore(Path(store)) for store in stores], chosen)
    results = StudyResults(
        compared.measured,
        thresholds=compared.thresholds,
        name=" · ".join(Path(store).resolve().name for store in stores),
    )
    results.notes = compared.notes
    return results


class StudyResults(_results.StudyResults):
    """The results of a study: tables as polars frames, figures, and the report.

    `load_results`, `run_study` and `compare_results` return one. Each table is computed when it is
    first used: ``results.scores``, ``results.effects``, ``results.boundaries`` and so on;
    ``results.tables`` lists them with the meaning of every column.
    """

    def __init__(
        self,
        measured: MeasuredTables,
        features: Path | None = None,
        thresholds: HypothesisThresholds | None = None,
        genealogy: Path | None = None,
        *,
        name: str = "study",
    ) -> None:
        """Wrap measurements; see `alignscope.load_results`."""
        super().__init__(measured, features, thresholds, genealogy)
        self.name = name
        self.notes: list[str] = []
        """Limits of a comparison of encoders, one sentence each."""
        self.sweep: SweepSummary | None = None
        """The runs that `run_study` has executed; None for results that were only read."""

    @cached_property
    def figures(self) -> "Mapping[str, ReportFigure]":
        """Every figure by its key, such as ``corpus-heatmap/pos/ud:en_ewt``.

        A figure is drawn when it is shown. In a notebook it shows itself.
        """
        from alignscope.report.figures.registry import figures_of

        return figures_of(self)

    def report(self, path: str | Path = "report.html", *, files: str | Path | None = None) -> Path:
        """Write the report, one HTML page that needs no other file, and return its path.

        Args:
            path: the page.
            files: a folder for every figure (SVG, PDF, PNG, CSV) and table (CSV, Markdown, LaTeX);
                by default none are written.

        Raises:
            StudyError: if a file cannot be written.
        """
        from alignscope.report.files import write_all
        from alignscope.report.page import Report

        page, report = Path(path), Report(self.name, self, self.notes)
        write_all(page.parent, {page.name: report.html().encode()})
        if files is not None:
            report.write_files(Path(files))
        return page
