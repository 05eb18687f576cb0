"""Columns of tables, and the groups of columns that several tables share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "integer", "number", "boolean"]


@dataclass(frozen=True)
class ColumnSpec:
    """A column of a table."""

    kind: Kind
    meaning: str
    in_points: bool = False
    """Whether the number is a fraction that is shown multiplied by 100, in points."""


Columns = Mapping[str, ColumnSpec]


def text(meaning: str) -> ColumnSpec:
    """Return a column of texts."""
    return ColumnSpec("text", meaning)


def integer(meaning: str) -> ColumnSpec:
    """Return a column of integers."""
    return ColumnSpec("integer", meaning)


def number(meaning: str) -> ColumnSpec:
    """Return a column of numbers that are shown as they are."""
    return ColumnSpec("number", meaning)


def boolean(meaning: str) -> ColumnSpec:
    """Return a column of truth values."""
    return ColumnSpec("boolean", meaning)


def fraction(meaning: str) -> ColumnSpec:
    """Return a column of fractions that are shown in points."""
    return ColumnSpec("number", meaning, in_points=True)


ENCODER = {"encoder": text("the encoder's name, with @revision unless it is main")}
TASK = {"task": text("the task")}
METRIC = {"metric": text("the metric of the task")}
SOURCE = {"source": text("the corpus that the encoder was fine-tuned on")}
SETTING = {"setting": text("learning rates, epochs and training sentences; an axis of the grid")}
RUN_GROUP = {**ENCODER, **TASK, **METRIC, **SOURCE, **SETTING}
"""The columns that identify the runs whose seeds belong together."""
_INITS = "config, torch-default, matched, permuted or skip, and frozen if not trained"
INIT = {"init": text(f"how the window was changed: {_INITS}")}
WINDOW = {"window": text("the re-initialised blocks, such as 0-1")}
MEASURE = {
    "measure": text("the similarity measure"),
    "estimator": text("debiased, biased (biased upward when units are few) or plain (neither)"),
    "layer": integer("0 is the embeddings, i + 1 is the output of block i"),
}

RUN_COLUMNS: Columns = {
    "address": text("the run's address, under which the store keeps its result"),
    **ENCODER,
    **TASK,
    **SOURCE,
    **SETTING,
    "window": text("the re-initialised blocks, such as 0-1; REF for the run without a window"),
    "init": text(f"how the window was changed: {_INITS}; null for REF"),
    "adapters": text("whether adapters in the window were reset or kept; null for REF"),
    "seed": integer("the seed of the run"),
}

ADDED_ESTIMATES: Columns = {
    "documents": integer("number of documents, each left out whole for the CI; null: units were"),
    "joint_low": number("lower end of the 95 % band that covers all layers of a target at once"),
    "joint_high": number("upper end of the 95 % band that covers all layers of a target at once"),
    "peak": ColumnSpec("boolean", "whether the layer could be the highest of the target's layers"),
    "mean_peak": ColumnSpec("boolean", "whether it could be the highest in the mean over targets"),
    "length_null_low": number("as null_low, pairing only units of nearly equal length"),
    "length_null_high": number("as null_high, pairing only units of nearly equal length"),
    "length_broken": number("share of the pairs that these pairings break"),
    "without_length": number("value with the units' lengths regressed out of both sides"),
    "without_length_low": number("lower end of the 95 % CI of without_length"),
    "without_length_high": number("upper end of the 95 % CI of without_length"),
    "source_largest": number("share of the source's variance in its largest dimension"),
    "target_largest": number("share of the target's variance in its largest dimension"),
    "source_rank": number("effective rank (participation ratio) of the source"),
    "target_rank": number("effective rank (participation ratio) of the target"),
    "without_largest": number("value without the largest dimension of either side"),
}
"""Columns of similarity that results of earlier versions lack."""

ESTIMATE_COLUMNS: Columns = {
    "split": text("the split of the parallel corpora"),
    "unit": text("what is compared: sentence or word"),
    "pooling": text("how subword vectors become the vector of a unit"),
    "target": text("the parallel corpus in the other language"),
    "layer": MEASURE["layer"],
    "after_norm": ColumnSpec("boolean", "whether the layer includes the encoder's final norm"),
    "n": integer("number of units that were compared"),
    "measure": MEASURE["measure"],
    "estimator": MEASURE["estimator"],
    "value": number("the similarity; debiased CKA may be below 0"),
    "low": number("lower end of the 95 % CI over units"),
    "high": number("upper end of the 95 % CI over units"),
    "null_low": number("lower end of the range of 95 % of random pairings of the same units"),
    "null_high": number("upper end of the range of 95 % of random pairings of the same units"),
    **ADDED_ESTIMATES,
}

SIMILARITY_COLUMNS: Columns = {
    **ENCODER,
    "source": text("the parallel corpus in the source's language"),
    **ESTIMATE_COLUMNS,
}
"""The columns of ``alignscope similarity``, which compares corpora outside of a study."""


PHYLOGENETIC: Columns = {
    "families": integer("number of families of the languages"),
    "phylo": number("spearman, adjusted for genus and family: for languages like these"),
    "phylo_low": number("lower end of the 95 % CI of phylo over families"),
    "phylo_high": number("upper end of the 95 % CI of phylo over families"),
    "phylo_p": number("p-value of phylo being 0"),
}
"""The columns of a correlation over languages that are relatives."""


def interval(of: str) -> Columns:
    """Return the columns of a confidence interval."""
    return {
        "low": number(f"lower end of the 95 % CI {of}"),
        "high": number(f"upper end of the 95 % CI {of}"),
    }
