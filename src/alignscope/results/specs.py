"""The tables of a study: their columns, the meaning of each column, and their display.

This is the only description of the tables. The polars schemas, the names that ``alignscope table``
accepts, ``docs/tables.md`` and ``StudyResults.tables`` are derived from it. Polars is not imported
here, because the command line needs the names before it needs a table.
"""

from collections.abc import Mapping

from alignscope.errors import StudyError, nearest
from alignscope.results.block_specs import BLOCK_SPECS
from alignscope.results.columns import (
    ENCODER,
    ESTIMATE_COLUMNS,
    INIT,
    MEASURE,
    METRIC,
    PHYLOGENETIC,
    RUN_COLUMNS,
    RUN_GROUP,
    SETTING,
    SOURCE,
    TASK,
    Columns,
    fraction,
    integer,
    interval,
    number,
    text,
)
from alignscope.results.effect_specs import CLAIMS_SPEC, EFFECTS_SPEC
from alignscope.results.robustness_specs import ROBUSTNESS_SPECS
from alignscope.results.table_spec import TableSpec


def _summary_columns(place: str, of: str) -> Columns:
    return {
        f"{place}_mean": fraction(f"mean {of}: of scores for majority and REF, else of effects"),
        f"{place}_std": fraction("standard deviation over seeds (n − 1); null for a single seed"),
        f"{place}_corpora": integer("number of corpora in the mean"),
    }


_SPECS = (
    TableSpec(
        "scores",
        "Scores",
        "The score of every run on every corpus, in every metric of its task.",
        {
            **RUN_COLUMNS,
            "corpus": text("the corpus that was evaluated"),
            "split": text("the split of the corpus"),
            "language": text("the language of the corpus"),
            "domain": text("the domain of the corpus, from its name; null if it has none"),
            "relation": text(
                "in-domain, cross-domain, cross-scheme or cross-lingual, relative to the source"
            ),
            **METRIC,
            "score": fraction("the score, a fraction between 0 and 1"),
            "majority": fraction("the score of always predicting the source's majority classes"),
            "sentences": integer("number of sentences"),
            "words": integer("number of words"),
            "windowed": integer("number of sentences longer than the input, encoded in parts"),
            "cut": integer("number of words longer than the input, truncated"),
            "unknown": integer("number of words encoded as the unknown token"),
        },
    ),
    TableSpec(
        "summary",
        "Scores of REF and effects of windows",
        "REF's scores, the majority baseline and the effect of every window, by task and source; "
        "mean and standard deviation over seeds.",
        {
            **RUN_GROUP,
            **INIT,
            "window": text("majority, REF or the re-initialised blocks, such as 0-1"),
            "seeds": integer("number of seeds with both REF and the window"),
            **_summary_columns("source", "on the source"),
            **_summary_columns("targets", "over the targets"),
            **_summary_columns("domains", "over the other domains"),
        },
        display="summary",
    ),
    EFFECTS_SPEC,
    TableSpec(
        "distances",
        "Distance to the source",
        "The correlation, over targets, of REF's scores and typological distance to the source.",
        {
            **RUN_GROUP,
            "targets": integer("number of target languages"),
            "spearman": number("Spearman's correlation of the score and the distance"),
            **interval("over target languages as if unrelated; null where it is undefined"),
            **PHYLOGENETIC,
        },
        display="correlations",
    ),
    TableSpec(
        "transfer",
        "Transfer and its ceiling",
        "The zero-shot score of every target, between REF's score on the source and the score "
        "after fine-tuning in the target's language.",
        {
            **RUN_GROUP,
            "target": text("the target corpus"),
            "language": text("the language of the target"),
            "genus": text("the genus of the language; null if it is unknown"),
            "family": text("the family of the language; null if it is unknown"),
            "domain": text("the domain of the target; null if it has none"),
            "seeds": integer("number of seeds of REF on the source"),
            "source_score": fraction("score of REF on the source, mean over seeds"),
            "score": fraction("zero-shot score of REF on the target, mean over seeds"),
            "majority": fraction("the score of always predicting the source's majority classes"),
            "gap": fraction("source_score − score"),
            "supervised": text("a corpus in the language of the target; null if there is none"),
            "supervised_score": fraction("score on the target after fine-tuning on supervised"),
            "supervised_gap": fraction("supervised_score − score"),
            "share": number("score / supervised_score; null if that is 0"),
        },
        display="transfer",
    ),
    TableSpec(
        "gaps",
        "Similarity and transfer gap",
        "The correlation, over targets, of similarity to the source and transfer gap, by layer.",
        {
            **RUN_GROUP,
            "gap": text("source − target, or supervised − zero-shot on the target"),
            "state": text("the encoder whose similarity it is: pretrained or fine-tuned"),
            **MEASURE,
            "targets": integer("number of target languages with both a similarity and a gap"),
            "spearman": number("Spearman's correlation; below 0: higher similarity, smaller gap"),
            **interval("of spearman, languages as if unrelated; null where it is undefined"),
            "p": number("permutation p-value of spearman, languages as if unrelated"),
            "p_holm": number("p, Holm-corrected over the layers of a curve"),
            **PHYLOGENETIC,
            "phylo_p_holm": number("phylo_p, Holm-corrected over the layers of a curve"),
            "pearson": number("Pearson's correlation"),
            "partial": number("Spearman's correlation, controlled for the typological distance"),
            "partial_low": number("lower end of the 95 % CI of partial"),
            "partial_high": number("upper end of the 95 % CI of partial"),
            "partial_p": number("permutation p-value of partial"),
            "partial_p_holm": number("partial_p, Holm-corrected over the layers of a curve"),
        },
        display="gaps",
    ),
    TableSpec(
        "drift",
        "Drift",
        "The similarity of each layer before and after fine-tuning, in REF runs.",
        {
            **ENCODER,
            **TASK,
            **SOURCE,
            **SETTING,
            **MEASURE,
            "seeds": integer("number of seeds"),
            "corpora": integer("number of corpora"),
            "mean": number("mean similarity over seeds and corpora; 1 is an unchanged layer"),
            **interval("over seeds and corpora; null for a single seed"),
            "noise_mean": number("the same for noise as large as the training; null if unknown"),
            "noise_low": number("lower end of the 95 % CI of noise_mean"),
            "noise_high": number("upper end of the 95 % CI of noise_mean"),
        },
        display="correlations",
    ),
    TableSpec(
        "boundaries",
        "Boundary between alignment and prediction",
        "The first block that predicts, estimated as a change point of the effects by window.",
        {
            **RUN_GROUP,
            **INIT,
            "windows": integer("number of windows"),
            "block": integer("the first block that predicts; null if it is not identifiable"),
            "low": integer("lower end of 95 % of the bootstrap distribution of block"),
            "high": integer("upper end of 95 % of the bootstrap distribution of block"),
            "p": number("share of random orders of the windows that rise at least as much"),
            "shares": text("the bootstrap distribution of block, such as 2:0.13 4:0.87"),
            "reason": text("the reason why block is null; empty otherwise"),
        },
        display="boundaries",
    ),
    CLAIMS_SPEC,
    TableSpec(
        "similarity",
        "Similarity by layer",
        "The similarity of parallel corpora at every layer, in every run that measures it.",
        {
            **RUN_COLUMNS,
            "state": text(
                "pretrained, fine-tuned, drift (from pretrained to fine-tuned) or noise (from "
                "pretrained to a copy whose blocks have noise as large as the training)"
            ),
            "corpus": text(
                "the parallel corpus in the source's language; for drift and noise the target"
            ),
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
            "status": text("done, failed or missing"),
            "best_epoch": integer("the selected epoch, counted from 1"),
            "dev_score": fraction("score on the source's dev split, in the task's first metric"),
            "steps": integer("number of training steps"),
            "seconds": number("duration of the run in seconds"),
            "reason": text("the reason of a failure"),
        },
    ),
)

TABLES: Mapping[str, TableSpec] = {
    spec.name: spec for spec in (*_SPECS, *ROBUSTNESS_SPECS, *BLOCK_SPECS)
}
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
