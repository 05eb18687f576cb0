"""The sections of a report: headings, explanations and tables, in the order of the page."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from alignscope.analysis.results import PrimaryResults
from alignscope.report.figures.figure import ReportFigure
from alignscope.report.figures.registry import FigureMap
from alignscope.report.groups import short_names
from alignscope.report.summary import power_note
from alignscope.report.tables import tables
from alignscope.report.tables.encoders import encoder_tables
from alignscope.report.tables.tables import ReportTable

Text = str | Callable[[PrimaryResults], str]
TableMaker = Callable[[PrimaryResults], ReportTable | Sequence[ReportTable]]


@dataclass(frozen=True)
class Section:
    """A part of the page: a heading, a text, tables and figures."""

    anchor: str
    title: str
    text: str = ""
    tables: tuple[ReportTable, ...] = ()
    figures: tuple[ReportFigure, ...] = ()
    collapsed: bool = False
    """Whether the reader must open the tables."""


@dataclass(frozen=True)
class SectionSpec:
    """A section before its tables and figures exist for a study."""

    anchor: str
    title: str
    text: Text = ""
    tables: tuple[TableMaker, ...] = ()
    collapsed: bool = False
    needs_similarity: bool = False


def _power(results: PrimaryResults) -> str:
    return power_note(int(results.gaps["targets"].max() or 0))  # type: ignore[arg-type]


def _encoders(results: PrimaryResults) -> Sequence[ReportTable]:
    return encoder_tables(results) if len({*short_names(results)}) > 1 else ()


SECTIONS = (
    SectionSpec(
        "encoders",
        "Encoders side by side",
        "Results of every encoder on the corpora that all encoders share.",
        (_encoders,),
    ),
    SectionSpec(
        "scores",
        "Scores",
        "Scores of REF, the encoder fine-tuned without re-initialisation, in points: the mean over "
        "seeds. The majority baseline always predicts the majority classes of the source. Effects "
        "are hard to interpret on corpora where REF does not exceed it.",
        (tables.reference_table,),
        collapsed=True,
    ),
    SectionSpec(
        "claims",
        "Claims",
        "Hypotheses of Muller et al. (2021), each tested against a threshold: supported if the "
        "whole 95 % CI lies on the hypothesis's side of the threshold, contradicted if it lies on "
        "the other side, otherwise undecided. The claim that the lowest blocks are crucial also "
        "requires a loss on the targets alone beyond the threshold.",
        (tables.hypotheses_table,),
    ),
    SectionSpec(
        "boundary",
        "Boundary",
        "The boundary is the first block that predicts: a single change point of the target − "
        "source effects over the windows, with its distribution over resampled seeds and corpora.",
        (tables.boundaries_table,),
    ),
    SectionSpec(
        "effects",
        "Effects",
        "A window whose re-initialisation costs the targets much more than the source contributes "
        "to the alignment of languages. Intervals generalise over seeds and corpora.",
        (tables.effects_table,),
    ),
    SectionSpec(
        "languages",
        "Languages",
        "The same effects for each corpus: the source, other domains, then the targets.",
    ),
    SectionSpec(
        "similarity",
        "Similarity",
        "Similarity between the representations of the source's sentences and of their "
        "translations, by layer. Layer 0 is the embeddings, layer i + 1 follows block i.",
        needs_similarity=True,
    ),
    SectionSpec(
        "gap",
        "Similarity and gap",
        _power,
        (tables.transfer_gap_table,),
        collapsed=True,
        needs_similarity=True,
    ),
    SectionSpec(
        "drift",
        "Drift",
        "Similarity of each layer to itself before and after fine-tuning, on the same sentences.",
        (tables.drift_table,),
        collapsed=True,
        needs_similarity=True,
    ),
)


def page_sections(
    results: PrimaryResults, figures: FigureMap, notes: Iterable[str] = ()
) -> list[Section]:
    """Return the sections that have a table or a figure.

    Args:
        results: the results to show.
        figures: the figures of the results.
        notes: sentences about the comparison of encoders, for the section on encoders.
    """
    known = {spec.anchor for spec in SECTIONS}
    added = [
        SectionSpec(anchor, anchor.replace("-", " ").capitalize())
        for anchor in figures.sections
        if anchor not in known
    ]
    made = (_section(spec, results, figures) for spec in (*SECTIONS, *added))
    filled = [section for section in made if section.tables or section.figures]
    return [*_with_notes(filled, notes)]


def _section(spec: SectionSpec, results: PrimaryResults, figures: FigureMap) -> Section:
    if not results.outcomes or (spec.needs_similarity and not results.compared):
        return Section(spec.anchor, spec.title)
    text = spec.text if isinstance(spec.text, str) else spec.text(results)
    return Section(
        spec.anchor,
        spec.title,
        text,
        tuple(_filled(make(results) for make in spec.tables)),
        tuple(figures.sections.get(spec.anchor, ())),
        spec.collapsed,
    )


def _filled(made: Iterable[ReportTable | Sequence[ReportTable]]) -> Iterator[ReportTable]:
    """Yield the tables that have rows."""
    for one_or_more in made:
        several = [one_or_more] if isinstance(one_or_more, ReportTable) else one_or_more
        yield from (table for table in several if not table.data.is_empty())


def _with_notes(sections: Iterable[Section], notes: Iterable[str]) -> Iterator[Section]:
    for section in sections:
        if section.anchor == "encoders":
            yield replace(section, text=" ".join([section.text, *notes]))
        else:
            yield section
