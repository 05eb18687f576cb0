"""The tables of a study: their columns, what each column means, and how people see them.

This is the only description of the tables. The polars schemas, the names that ``alignscope table``
accepts, ``docs/tables.md`` and ``StudyResults.tables`` are derived from it. Polars is not imported
here, because the command line needs the names before it needs a table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from alignscope.errors import StudyError, nearest

Kind = Literal["text", "integer", "number", "boolean"]


@dataclass(frozen=True)
class ColumnSpec:
    """A column of a table."""

    kind: Kind
    meaning: str
    in_points: bool = False
    """Whether the number is a fraction that people see multiplied by 100, as points."""


Columns = Mapping[str, ColumnSpec]


@dataclass(frozen=True)
class TableSpec:
    """A table of a study.

    >>> TABLES["effects"].columns["mean"].meaning
    'effect: the score with the window re-initialised − the score of REF'
    >>> TABLES["effects"].columns["mean"].in_points
    True
    """

    name: str
    """The name on the command line and the attribute of `StudyResults`."""
    title: str
    description: str
    """One sentence for help texts and documentation."""
    columns: Columns
    display: str = "plain"
    """The name of the layout in which people see the table (`report.tables.display`)."""

    @property
    def in_points(self) -> frozenset[str]:
        """The columns that hold fractions and are shown in points."""
        return frozenset(name for name, column in self.columns.items() if column.in_points)


def _text(meaning: str) -> ColumnSpec:
    return ColumnSpec("text", meaning)


def _integer(meaning: str) -> ColumnSpec:
    return ColumnSpec("integer", meaning)


def _number(meaning: str) -> ColumnSpec:
    return ColumnSpec("number", meaning)


def _fraction(meaning: str) -> ColumnSpec:
    return ColumnSpec("number", meaning, in_points=True)


_ENCODER = {"encoder": _text("the encoder's name, with @revision unless it is main")}
_TASK = {"task": _text("the task")}
_METRIC = {"metric": _text("the metric of the task")}
_SOURCE = {"source": _text("the corpus that the encoder was fine-tuned on")}
_SETTING = {**_ENCODER, **_TASK, **_METRIC, **_SOURCE}
_INIT = {"init": _text("how the window was re-initialised: config or torch-default")}
_WINDOW = {"window": _text("the re-initialised blocks, such as 0-1")}
_MEASURE = {
    "measure": _text("the similarity measure"),
    "estimator": _text("debiased, biased (biased upward when units are few) or plain (neither)"),
    "layer": _integer("0 is the embeddings, i + 1 is the output of block i"),
}

RUN_COLUMNS: Columns = {
    "address": _text("the run's address, under which the store keeps its result"),
    **_ENCODER,
    **_TASK,
    **_SOURCE,
    "window": _text("the re-initialised blocks, such as 0-1; REF for the run without a window"),
    "init": _text("how the window was re-initialised: config or torch-default; null for REF"),
    "adapters": _text("whether adapters in the window were reset or kept; null for REF"),
    "seed": _integer("the seed of the run"),
}

ESTIMATE_COLUMNS: Columns = {
    "split": _text("the split of the parallel corpora"),
    "unit": _text("what is compared: sentence or word"),
    "pooling": _text("how subword vectors become the vector of a unit"),
    "target": _text("the parallel corpus in the other language"),
    "layer": _MEASURE["layer"],
    "after_norm": ColumnSpec("boolean", "whether the layer includes the encoder's final norm"),
    "n": _integer("number of units that were compared"),
    "measure": _MEASURE["measure"],
    "estimator": _MEASURE["estimator"],
    "value": _number("the similarity; debiased CKA may be below 0"),
    "low": _number("lower end of the 95 % CI over units"),
    "high": _number("upper end of the 95 % CI over units"),
    "null_low": _number("lower end of the range of 95 % of random pairings of the same units"),
    "null_high": _number("upper end of the range of 95 % of random pairings of the same units"),
}

SIMILARITY_COLUMNS: Columns = {
    **_ENCODER,
    "source": _text("the parallel corpus in the source's language"),
    **ESTIMATE_COLUMNS,
}
"""The columns of ``alignscope similarity``, which compares corpora outside of a study."""


def _interval(of: str) -> Columns:
    return {
        "low": _number(f"lower end of the 95 % CI {of}"),
        "high": _number(f"upper end of the 95 % CI {of}"),
    }


def _summary_columns(place: str, of: str) -> Columns:
    return {
        f"{place}_mean": _fraction(f"mean {of}: of scores for majority and REF, else of effects"),
        f"{place}_std": _fraction("standard deviation over seeds (n − 1); null for a single seed"),
        f"{place}_corpora": _integer("number of corpora in the mean"),
    }


_SPECS = (
    TableSpec(
        "scores",
        "Scores",
        "The score of every run on every corpus, in every metric of its task.",
        {
            **RUN_COLUMNS,
            "corpus": _text("the corpus that was evaluated"),
            "split": _text("the split of the corpus"),
            "language": _text("the language of the corpus"),
            "relation": _text("in-domain, cross-domain or cross-lingual, relative to the source"),
            **_METRIC,
            "score": _fraction("the score, a fraction between 0 and 1"),
            "majority": _fraction("the score of always predicting the source's majority classes"),
            "sentences": _integer("number of sentences"),
            "words": _integer("number of words"),
            "windowed": _integer("number of sentences longer than the input, encoded in parts"),
            "cut": _integer("number of words longer than the input, truncated"),
            "unknown": _integer("number of words encoded as the unknown token"),
        },
    ),
    TableSpec(
        "summary",
        "Scores of REF and effects of windows",
        "Per task and source the scores of the majority baseline and of REF and the effect of "
        "every window, as mean and standard deviation over seeds.",
        {
            **_SETTING,
            **_INIT,
            "window": _text("majority, REF or the re-initialised blocks, such as 0-1"),
            "seeds": _integer("number of seeds with both REF and the window"),
            **_summary_columns("source", "on the source"),
            **_summary_columns("targets", "over the targets"),
            **_summary_columns("domains", "over the other domains"),
        },
        display="summary",
    ),
    TableSpec(
        "effects",
        "Effects with intervals",
        "The effect of every window on the source, the targets, other domains, every corpus and "
        "the contrasts between them, with 95 % CIs and p-values.",
        {
            **_ENCODER,
            **_TASK,
            **_METRIC,
            "source": _text("the source; all for the mean over the sources of a task"),
            **_INIT,
            **_WINDOW,
            "on": _text(
                "source, targets, domains, targets − source, targets − domains or a corpus"
            ),
            "seeds": _integer("number of seeds; for source all, of seeds that have every source"),
            "corpora": _integer("number of corpora in the mean; null for source all"),
            "mean": _fraction(
                "effect: the score with the window re-initialised − the score of REF"
            ),
            "low": _fraction("lower end of the 95 % CI over seeds and corpora; null for one seed"),
            "high": _fraction("upper end of the 95 % CI over seeds and corpora; null for one seed"),
            "p": _number("two-sided p-value of the effect being 0"),
            "p_holm": _number(
                "p, Holm-corrected over windows, sources and inits (for a corpus also over corpora)"
            ),
            "seeds_low": _fraction("lower end of the 95 % CI over seeds, the corpora held fixed"),
            "seeds_high": _fraction("upper end of the 95 % CI over seeds, the corpora held fixed"),
        },
        display="effects",
    ),
    TableSpec(
        "distances",
        "Distance to the source",
        "The correlation of REF's zero-shot scores with the typological distance to the source.",
        {
            **_SETTING,
            "targets": _integer("number of target languages"),
            "spearman": _number("Spearman's correlation of the score and the distance"),
            **_interval("over target languages; null where it is undefined"),
        },
        display="correlations",
    ),
    TableSpec(
        "gaps",
        "Similarity and transfer gap",
        "Per layer the correlation of a target's similarity to the source with its transfer gap.",
        {
            **_SETTING,
            "state": _text("the encoder whose similarity it is: pretrained or fine-tuned"),
            **_MEASURE,
            "targets": _integer("number of target languages with both a similarity and a gap"),
            "spearman": _number("Spearman's correlation; below 0: higher similarity, smaller gap"),
            **_interval("of spearman over target languages; null where it is undefined"),
            "p": _number("permutation p-value of spearman"),
            "p_holm": _number("p, Holm-corrected over the layers of a curve"),
            "pearson": _number("Pearson's correlation"),
            "partial": _number("Spearman's correlation, controlled for the typological distance"),
            "partial_low": _number("lower end of the 95 % CI of partial"),
            "partial_high": _number("upper end of the 95 % CI of partial"),
            "partial_p": _number("permutation p-value of partial"),
            "partial_p_holm": _number("partial_p, Holm-corrected over the layers of a curve"),
        },
        display="gaps",
    ),
    TableSpec(
        "drift",
        "Drift",
        "Per layer the similarity of the encoder before and after fine-tuning (REF).",
        {
            **_ENCODER,
            **_TASK,
            **_SOURCE,
            **_MEASURE,
            "seeds": _integer("number of seeds"),
            "corpora": _integer("number of corpora"),
            "mean": _number("mean similarity over seeds and corpora; 1 is an unchanged layer"),
            **_interval("over seeds and corpora; null for a single seed"),
        },
        display="correlations",
    ),
    TableSpec(
        "boundaries",
        "Boundary between alignment and prediction",
        "The first block that predicts, estimated as a change point of the effects by window.",
        {
            **_SETTING,
            **_INIT,
            "windows": _integer("number of windows"),
            "block": _integer("the first block that predicts; null if it is not identifiable"),
            "low": _integer("lower end of 95 % of the bootstrap distribution of block"),
            "high": _integer("upper end of 95 % of the bootstrap distribution of block"),
            "p": _number("share of random orders of the windows that rise at least as much"),
            "shares": _text("the bootstrap distribution of block, such as 2:0.13 4:0.87"),
            "reason": _text("the reason why block is null; empty otherwise"),
        },
        display="boundaries",
    ),
    TableSpec(
        "claims",
        "Hypotheses and verdicts",
        "The hypotheses of Muller et al. (2021), each with its statistic, threshold and verdict.",
        {
            **_SETTING,
            "init": _text("the init of the window; null if the hypothesis is not about a window"),
            "window": _text("the window; null if the hypothesis is not about a window"),
            "claim": _text("the name of the hypothesis"),
            "says": _text("the hypothesis in words"),
            "statistic": _text("the statistic that is compared with the threshold"),
            "value": _number("the statistic's value; effects are fractions"),
            **_interval("of value; null where it is undefined"),
            "sign": _text("< or >: the side of the threshold that supports the hypothesis"),
            "threshold": _number("the threshold, set in the study's [claims] table"),
            "verdict": _text("supported, contradicted or undecided"),
        },
        display="claims",
    ),
    TableSpec(
        "similarity",
        "Similarity by layer",
        "The similarity of parallel corpora at every layer, in every run that measures it.",
        {
            **RUN_COLUMNS,
            "state": _text("pretrained, fine-tuned, or drift (from pretrained to fine-tuned)"),
            "corpus": _text("the parallel corpus in the source's language; for drift the target"),
            **ESTIMATE_COLUMNS,
        },
        display="estimates",
    ),
    TableSpec(
        "runs",
        "Runs",
        "Every planned run with its status.",
        {
            **RUN_COLUMNS,
            "status": _text("done, failed or missing"),
            "best_epoch": _integer("the selected epoch, counted from 1"),
            "dev_score": _fraction("score on the source's dev split, in the task's first metric"),
            "steps": _integer("number of training steps"),
            "seconds": _number("duration of the run in seconds"),
            "reason": _text("the reason of a failure"),
        },
    ),
)

TABLES: Mapping[str, TableSpec] = {spec.name: spec for spec in _SPECS}
"""Every table of a study by its name."""

RENAMED = {"intervals": "effects", "contrasts": "effects"}
"""Tables of earlier versions, each with the table that holds its rows now."""


def table_spec(name: str) -> TableSpec:
    """Return the spec of a table.

    >>> table_spec("scores").title
    'Scores'

    Raises:
        StudyError: if there is no such table. For a table of an earlier version the message names
            the table that replaces it.
    """
    if name in RENAMED:
        raise StudyError(f"The table {name} is now part of the table {RENAMED[name]}.")
    if name not in TABLES:
        hint = nearest(name, TABLES) or "."
        raise StudyError(f"There is no table {name}{hint} The tables are {', '.join(TABLES)}.")
    return TABLES[name]
