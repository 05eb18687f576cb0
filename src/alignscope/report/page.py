"""The report of a study: one self-contained HTML page, and every figure and table as files."""

import base64
import gc
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from alignscope.analysis.results import PrimaryResults, StudyResults
from alignscope.report.figures.figure import ReportFigure
from alignscope.report.figures.registry import FigureMap, figures_of
from alignscope.report.files import write_all
from alignscope.report.groups import result_groups
from alignscope.report.headlines import headlines
from alignscope.report.methods import bibtex, describe_methods
from alignscope.report.predictions import PredictionExample, examples_of
from alignscope.report.sections import Section, page_sections
from alignscope.report.summary import LEAD, completion_note, summarise
from alignscope.report.tables import provenance
from alignscope.report.tables.tables import ReportTable


class Report:
    """The report of a study, finished or not.

    ::

        report = Report("first", StudyResults.of(study, store))
        Path("report.html").write_text(report.html(), encoding="utf-8")
        report.write_files(Path("figures"))

    The report of an unfinished study shows the finished runs and names what is missing. Tables are
    computed on first use and may raise what `StudyResults` raises.

    Args:
        name: the title of the page.
        results: the results to report.
        notes: sentences about the comparison of several encoders.
    """

    def __init__(self, name: str, results: StudyResults, notes: Sequence[str] = ()) -> None:
        self.name = name
        self.notes = list(notes)
        self.whole = results
        self.results = PrimaryResults(results)

    @cached_property
    def figures(self) -> FigureMap:
        """Every figure by its key."""
        return figures_of(self.results)

    @cached_property
    def sections(self) -> list[Section]:
        """The parts of the page that have tables or figures, in order."""
        return page_sections(self.results, self.figures, self.notes)

    @property
    def tables(self) -> list[ReportTable]:
        """Every table."""
        shown = [table for section in self.sections for table in section.tables]
        return [*shown, *self._failures, *self._provenance]

    @cached_property
    def _provenance(self) -> tuple[ReportTable, ...]:
        return provenance.runs_table(self.results), provenance.data_table(self.results)

    @property
    def _failures(self) -> list[ReportTable]:
        table = provenance.failures_table(self.results)
        return [] if table.data.is_empty() else [table]

    def html(self) -> str:
        """Return the page. It requests nothing, and text from the data is never markup."""
        with _without_garbage_collection():
            svg = {key: Markup(figure.inline()) for key, figure in self.figures.items()}
        style, script = (_packaged(name) for name in ("page.css", "page.js"))
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        return _template().render(
            svg=svg,
            name=self.name,
            lead=LEAD,
            state=completion_note(self.results),
            headlines=headlines(self.results) if self.results.outcomes else [],
            first_figure=next(iter(self._effect_figures), None),
            summary=summarise(self.results) if self.results.outcomes else [],
            failures=self._failures,
            sections=self.sections,
            no_similarity=self._no_similarity,
            examples=self._examples(),
            methods=describe_methods(self.results, self.name),
            bibtex=bibtex(self.results),
            provenance=self._provenance,
            style=Markup(style),
            script=Markup(script),
            script_digest=digest,
        )

    @property
    def _effect_figures(self) -> Iterator[ReportFigure]:
        """The figures of effects, of which the first one is shown beside the headlines."""
        return (figure for key, figure in self.figures.items() if key.startswith("effects/"))

    @property
    def _no_similarity(self) -> str:
        """Why the page has no similarity; empty if it has."""
        if self.results.compared:
            return ""
        if any(run.similarity is not None for run in self.results.planned):
            return "No run that compares layers is done yet."
        return "The study compares no layers. Add a [similarity] table to the study file to do so."

    def _examples(self) -> list[tuple[str, list[PredictionExample]]]:
        groups = result_groups(self.results) if self.results.outcomes else []
        examples = [(group.title, examples_of(self.results, group)) for group in groups]
        return [(title, sentences) for title, sentences in examples if sentences]

    def write_files(self, folder: Path) -> list[Path]:
        """Write every figure and table as files.

        Figures are written as SVG, PDF and PNG with their data as CSV, tables as CSV, Markdown and
        LaTeX (booktabs).

        Raises:
            StudyError: if a file cannot be written.
        """
        written = [path for figure in self.figures.values() for path in figure.write(folder)]
        contents = {name: text for table in self.tables for name, text in table.write().items()}
        contents["scores.csv"] = self.whole.scores.write_csv().encode()
        return [*written, *write_all(folder, contents)]

    def _repr_html_(self) -> str:
        """Show the summary in a notebook."""
        summary = summarise(self.results) if self.results.outcomes else []
        items = Markup("").join(Markup("<li><b>{}</b>: {}</li>").format(*part) for part in summary)
        return str(
            Markup("<h3>{}</h3><p>{}</p><ul>{}</ul>").format(
                self.name, completion_note(self.results), items
            )
        )


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Leave the reference cycles of small figures alone; collecting takes a tenth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _packaged(name: str) -> str:
    return (files("alignscope.report") / "template" / name).read_text(encoding="utf-8")


def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["link"] = _data_url
    return environment.from_string(_packaged("page.html"))


def _data_url(content: bytes, kind: str) -> str:
    """Return a file as a URL inside the page, for downloads."""
    return f"data:{kind};charset=utf-8;base64,{base64.b64encode(content).decode()}"
