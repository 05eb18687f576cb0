"""The sections of a report: headings, explanations and tables, in the order of the page."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from alignscope.analysis.results import PrimaryResults
from alignscope.analysis.strength import unequal_strengths
from alignscope.report.figures.figure import ReportFigure
from alignscope.report.figures.registry import FigureMap
from alignscope.report.groups import short_names
from alignscope.report.summary import power_note
from alignscope.report.tables import tables
from alignscope.report.tables.encoders import encoder_tables
from alignscope.report.tables.settings import settings_tables
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


def _strength(results: PrimaryResults) -> str:
    return " ".join([_STRENGTH, *unequal_strengths(results.strength, short_names(results))])


def _encoders(results: PrimaryResults) -> Sequence[ReportTable]:
    return encoder_tables(results) if len({*short_names(results)}) > 1 else ()


_EFFECTS = (
    "Each effect is the score after re-initialising a window, minus REF's score. A window that "
    "costs the targets much more than the source contributes to the alignment of languages. "
    "Effects are the mean over these languages, with 95 % CIs that generalise to other seeds. For "
    "languages like these, families are the sample; that reading, logits and shares of REF − "
    "majority are in the table of effects."
)

_SETTINGS = (
    "A setting is one combination of the learning rates, epochs and training sentences of the "
    "study. Each has its own REF, and nothing is averaged over settings. A verdict that depends on "
    "the setting does not hold in general; one that rests on an under-trained REF does not count."
)

_STRENGTH = (
    "Each value is the mean over tokens of |block(x) − x| / |x| on dev sentences of the source: "
    "how much a block changes what it reads. “before” is the pretrained block, “after” the block "
    "that fine-tuning starts from. A block near 0 does almost nothing, and one far above the "
    "pretrained block mostly adds noise."
)

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
        "Scores of REF in points, as means over seeds. The majority baseline always predicts the "
        "most frequent classes of the source. On corpora where REF does not exceed this baseline, "
        "effects are hard to interpret.",
        (tables.reference_table, tables.checks_table),
        collapsed=True,
    ),
    SectionSpec(
        "claims",
        "Claims",
        "Each claim is a hypothesis of Muller et al. (2021), tested against a threshold. It is "
        "supported if the whole 95 % CI lies on the side of the threshold in the column "
        "“supported if”, in points and in logits, contradicted if the whole CI lies on the other "
        "side, and undecided otherwise. If points and logits disagree, the verdict depends on the "
        "scale. If targets and source differ in domain, too, language is not separated from "
        "domain. The claim that the lowest blocks are crucial has a second condition: the CI of "
        "the effect on the targets must lie below the threshold, too. The first verdict is for "
        "languages like these, with families as the sample; the column “after Holm” is corrected "
        "over all claims of the page.",
        (tables.hypotheses_table,),
    ),
    SectionSpec(
        "settings",
        "Settings",
        _SETTINGS,
        (settings_tables,),
    ),
    SectionSpec(
        "boundary",
        "Boundary",
        "The boundary is the first block that predicts. It is estimated as a single change point: "
        "windows below it cost the targets more, relative to the source, than windows above it. "
        "The column “p” belongs to a test against a random order of the windows. Seeds and corpora "
        "are resampled; the column “distribution” contains each block with the share of resamples "
        "in which prediction begins there.",
        (tables.boundaries_table,),
    ),
    SectionSpec(
        "effects",
        "Effects",
        _EFFECTS,
        (tables.effects_table,),
    ),
    SectionSpec(
        "scales",
        "Scales and readings",
        "An effect may depend on its scale: where REF is near 100, few points are a large loss in "
        "log odds. For languages like these, families are the sample and p-values are given.",
        (tables.scales_table,),
        collapsed=True,
    ),
    SectionSpec(
        "strength",
        "Strength of windows",
        _strength,
        (tables.strength_table,),
        collapsed=True,
    ),
    SectionSpec(
        "languages",
        "Languages",
        "The effects on each corpus: the source, other domains, then the targets.",
    ),
    SectionSpec(
        "similarity",
        "Similarity",
        "Similarity between the representations of sentences in the source language and of their "
        "translations, by layer. Layer 0 is the embeddings, layer i + 1 the output of block i.",
        needs_similarity=True,
    ),
    SectionSpec(
        "transfer",
        "Transfer",
        "Zero-shot scores are compared with two ends: the score of REF on the source, and the "
        "score on the target after fine-tuning in its own language. The gap source − target "
        "includes how much easier or harder a target is than the source. The gap supervised − "
        "zero-shot does not, but it needs training data in the target's language.",
        (tables.transfer_table,),
        collapsed=True,
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
        "Similarity between each layer before fine-tuning and the same layer after fine-tuning, on "
        "the same sentences. A value of 1 means that fine-tuning left the layer unchanged.",
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
