"""The report of a study: one page that needs nothing else, and every figure and table as files."""

import base64
import gc
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from alignscope.analysis.results import PrimaryResults, StudyResults
from alignscope.report.figures import effects as windows
from alignscope.report.figures import layers
from alignscope.report.figures import transfer_gap as gaps
from alignscope.report.figures.contrasts import contrast_figures
from alignscope.report.figures.figure import ReportFigure
from alignscope.report.figures.parallel import ParallelRenderer
from alignscope.report.files import write_all
from alignscope.report.labels import result_groups
from alignscope.report.methods import describe_methods
from alignscope.report.predictions import PredictionExample, examples_of
from alignscope.report.summary import LEAD, completion_note, power_note, summarise
from alignscope.report.tables import tables as sheets
from alignscope.report.tables.encoders import encoder_tables
from alignscope.report.tables.tables import ReportTable

MANY = 4
"""Encoders × tasks × sources from which on a second process draws, too."""


@dataclass(frozen=True)
class Section:
    """A part of the page: a heading, what it says, tables and figures."""

    anchor: str
    title: str
    caption: str = ""
    tables: tuple[ReportTable, ...] = ()
    plates: tuple[ReportFigure, ...] = ()
    collapsed: bool = False
    """Whether tables are shown when asked for only."""


class Report:
    """All of a study that a person looks at.

    >>> report = Report("first", StudyResults.of(study, store))
    >>> Path("report.html").write_text(report.html(), encoding="utf-8")
    >>> report.write_files(Path("figures"))

    Studies that are not finished have a report of what is done, which says so. Tables are made
    when they are asked for, and may raise what `StudyResults` raises. ``notes`` are said
    where encoders are compared.
    """

    def __init__(self, name: str, found: StudyResults, notes: Sequence[str] = ()) -> None:
        self.name = name
        self.notes = list(notes)
        self.whole = found
        self.found = PrimaryResults(found)

    @cached_property
    def sections(self) -> list[Section]:
        """The parts of the page that there is something for, in order."""
        parts = [*self._of_scores(), *self._of_layers()] if self.found.outcomes else []
        return _named_apart([part for part in parts if part.tables or part.plates])

    @property
    def plates(self) -> list[ReportFigure]:
        """Every figure."""
        return [plate for section in self.sections for plate in section.plates]

    @property
    def tables(self) -> list[ReportTable]:
        """Every table."""
        own = [sheet for section in self.sections for sheet in section.tables]
        return [*own, *self._failures, *self._record]

    @cached_property
    def _record(self) -> tuple[ReportTable, ...]:
        """Provenance: what was run, and on what."""
        return sheets.runs_table(self.found), sheets.data_table(self.found)

    @property
    def _failures(self) -> tuple[ReportTable, ...]:
        return _filled(sheets.failures_table(self.found))

    def _of_scores(self) -> Iterable[Section]:
        found = self.found
        inits = sorted({run.init for run in found.planned if run.init is not None})
        settings = result_groups(found.scores)

        def drawn(make: Callable[..., ReportFigure | None]) -> tuple[ReportFigure, ...]:
            made = (
                make(found.scores, found.effects, setting, init)
                for setting in settings
                for init in inits
            )
            return tuple(plate for plate in made if plate is not None)

        contrasts, several = tuple(contrast_figures(found)), len({s.encoder for s in settings}) > 1
        if several:
            told = " ".join([_ENCODERS, *self.notes])
            tables = tuple(sheet for one in encoder_tables(found) for sheet in _filled(one))
            yield Section("encoders", "Encoders side by side", told, tables, contrasts)
        yield Section("claims", "Claims", _CLAIMS, _filled(sheets.hypotheses_table(found)))
        boundaries, shown = _filled(sheets.boundaries_table(found)), () if several else contrasts
        yield Section("boundary", "ChangePoint", _BOUNDARY, boundaries, shown)
        effects = _filled(sheets.effects_table(found))
        yield Section("effects", "Effects", _EFFECTS, effects, drawn(windows.effects_figure))
        yield Section("languages", "Languages", _LANGUAGES, (), drawn(windows.corpus_heatmap))

    def _of_layers(self) -> Iterable[Section]:
        found = self.found
        if not found.compared:
            return
        settings = result_groups(found.scores)
        tuned = [
            layers.finetuned_similarity_figure(found.similarity, setting) for setting in settings
        ]
        plates = [*layers.similarity_figures(found.similarity), *tuned]
        yield Section("similarity", "Similarity", _SIMILARITY, (), _drawn(plates))
        pairs = [
            plate
            for setting in settings
            for plate in (
                gaps.gap_scatter(found.scores, found.similarity, setting),
                gaps.gap_correlation_figure(found.gaps, setting),
            )
        ]
        table = _filled(sheets.transfer_gap_table(found))
        most = int(found.gaps["targets"].max() or 0)  # type: ignore[arg-type]
        yield Section(
            "gap", "Similarity and gap", power_note(most), table, _drawn(pairs), collapsed=True
        )
        drifts = [layers.drift_figure(found.drift, found.similarity, s) for s in settings]
        drift = _filled(sheets.drift_table(found))
        yield Section("drift", "Drift", _DRIFT, drift, _drawn(drifts), collapsed=True)

    def html(self) -> str:
        """Return the page: no request leaves it, and nothing in the data is taken for markup."""
        settings = {(r.encoder.label, r.task, r.source) for r in self.found.planned}
        with _unswept(), closing(ParallelRenderer(helped=len(settings) >= MANY)) as drawing:
            elements = drawing.inline(self.plates)
            drawn = {p.name: svg for p, svg in zip(self.plates, elements, strict=True)}
            return self._html(drawn)

    def _html(self, drawn: Mapping[str, str]) -> str:
        style, script = (_packaged(name) for name in ("page.css", "page.js"))
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        return _template().render(
            drawn={name: Markup(element) for name, element in drawn.items()},
            name=self.name,
            lead=LEAD,
            state=completion_note(self.found),
            summary=summarise(self.found) if self.found.outcomes else [],
            failures=self._failures,
            sections=self.sections,
            uncompared=self._uncompared,
            examples=self._examples(),
            methods=describe_methods(self.found),
            record=self._record,
            style=Markup(style),
            script=Markup(script),
            script_digest=digest,
        )

    @property
    def _uncompared(self) -> str:
        """Why there is no similarity, if there is none."""
        if self.found.compared:
            return ""
        if any(run.similarity is not None for run in self.found.planned):
            return "No run that compares layers is done yet."
        return "No layers were compared: that takes a [similarity] table in the study file."

    def _examples(self) -> list[tuple[str, list[PredictionExample]]]:
        found = self.found
        settings = result_groups(found.scores) if found.outcomes else []
        each = [(setting.title, [*examples_of(found, setting)]) for setting in settings]
        return [(title, examples) for title, examples in each if examples]

    def write_files(self, folder: Path) -> list[Path]:
        """Write every figure as SVG, PDF and PNG with its data as CSV, and every table as CSV,
        Markdown and LaTeX (booktabs).

        Raises:
            StudyError: if a file cannot be written.
        """
        written = [path for plate in self.plates for path in plate.write(folder)]
        contents = {name: text for sheet in self.tables for name, text in sheet.write().items()}
        contents["scores.csv"] = self.whole.scores.write_csv().encode()
        return [*written, *write_all(folder, contents)]

    def _repr_html_(self) -> str:
        """For notebooks: the summary."""
        said = [
            completion_note(self.found),
            *(summarise(self.found) if self.found.outcomes else []),
        ]
        items = Markup("").join(Markup("<li>{}</li>").format(text) for text in said)
        return str(Markup("<h3>{}</h3><ul>{}</ul>").format(self.name, items))


@contextmanager
def _unswept() -> Iterator[None]:
    """Leave the cycles of small figures alone: to look for them takes a tenth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


_CLAIMS = (
    "Hypotheses of Muller et al. (2021), each held against a threshold: supported if all of the "
    "95 % interval is on its side, contradicted if all is on the other, else undecided. That the "
    "lowest blocks are crucial also takes that the targets alone lose more than the threshold."
)
_ENCODERS = "Each encoder's results on the corpora that all of them have."
_BOUNDARY = (
    "The first block that predicts: one change point of target − source effects over the windows, "
    "with its distribution when seeds and corpora are resampled."
)
_EFFECTS = (
    "A window that costs the targets much more than the source aligns languages. Intervals are for "
    "other seeds and other corpora."
)
_LANGUAGES = "The same effects corpus by corpus: the source, other domains, then the targets."
_SIMILARITY = (
    "How alike the source's sentences and their translations are inside the encoder, layer by "
    "layer; layer 0 is the embeddings, layer i + 1 is after block i."
)
_DRIFT = "How much of each layer fine-tuning has left as it was."


def _named_apart(sections: Sequence[Section]) -> list[Section]:
    """Number figures of one name: encoders ``a/b`` and ``a-b`` are the same to a file system."""
    seen = Counter[str]()

    def apart(plate: ReportFigure) -> ReportFigure:
        seen[plate.name] += 1
        count = seen[plate.name]
        return plate if count == 1 else replace(plate, name=f"{plate.name}-{count}")

    return [replace(part, plates=tuple(map(apart, part.plates))) for part in sections]


def _filled(sheet: ReportTable) -> tuple[ReportTable, ...]:
    return () if sheet.table.is_empty() else (sheet,)


def _drawn(plates: Iterable[ReportFigure | None]) -> tuple[ReportFigure, ...]:
    return tuple(plate for plate in plates if plate is not None)


def _packaged(name: str) -> str:
    return (files("alignscope.report") / "template" / name).read_text(encoding="utf-8")


def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["link"] = _link
    return environment.from_string(_packaged("page.html"))


def _link(content: bytes, kind: str) -> str:
    """A file inside the page, to be kept with a click."""
    return f"data:{kind};charset=utf-8;base64,{base64.b64encode(content).decode()}"
