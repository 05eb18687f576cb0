"""Zero-shot scores between two ends: the source, and fine-tuning in the target's language."""

import polars as pl

from alignscope.analysis.constants import RUN_KEYS
from alignscope.analysis.genealogy import LineageOf, lineage
from alignscope.results.schemas import TRANSFER
from alignscope.results.tables import REF

_SHARED_KEYS = tuple(name for name in RUN_KEYS if name != "source")
"""The columns that a zero-shot run and a run on a supervised corpus have in common."""


def transfer_table(
    scores: pl.DataFrame, supervised: pl.DataFrame, lineage_of: LineageOf = lineage
) -> pl.DataFrame:
    """Return the table ``transfer``: every target with both definitions of its gap.

    Args:
        scores: the table ``scores``.
        supervised: the same columns for runs on supervised corpora.
        lineage_of: returns genus and family of a language, or None.

    Returns:
        A row for each target and each supervised corpus in its language, of the target's annotation
        scheme; one row without if there is none. Sources of the study count as supervised corpora
        for the targets of other sources. Scores are means over seeds.
    """
    reference = scores.filter(window=REF)
    targets = reference.filter(relation="cross-lingual")
    zero_shot = targets.group_by(*RUN_KEYS, "corpus", "language", "domain").agg(
        pl.col("seed").n_unique().cast(pl.Int64).alias("seeds"),
        pl.col("score").sort().mean(),
        pl.col("majority").first(),
    )
    source = reference.filter(relation="in-domain").group_by(RUN_KEYS).agg(
        source_score=pl.col("score").sort().mean()
    )  # fmt: skip
    ceilings = _ceilings(pl.concat([reference, supervised.filter(window=REF)]))
    joined = zero_shot.join(source, on=RUN_KEYS, how="left").join(
        ceilings, on=[*_SHARED_KEYS, "corpus"], how="left"
    )
    ratio = pl.col("score") / pl.col("supervised_score")
    return (
        joined.with_columns(
            _lineage_column(lineage_of, "genus"),
            _lineage_column(lineage_of, "family"),
            gap=pl.col("source_score") - pl.col("score"),
            supervised_gap=pl.col("supervised_score") - pl.col("score"),
            share=pl.when(pl.col("supervised_score") > 0).then(ratio),
        )
        .rename({"corpus": "target"})
        .sort(*RUN_KEYS, "target", "supervised")
        .select(pl.col(name).cast(kind) for name, kind in TRANSFER.items())
    )


def _ceilings(reference: pl.DataFrame) -> pl.DataFrame:
    """Return the scores of runs on corpora in their own language and annotation scheme."""
    own = reference.filter(pl.col("relation").is_in(["in-domain", "cross-domain"]))
    return (
        own.rename({"source": "supervised"})
        .group_by(*_SHARED_KEYS, "supervised", "corpus")
        .agg(supervised_score=pl.col("score").sort().mean())
    )


def _lineage_column(lineage_of: LineageOf, part: str) -> pl.Expr:
    def find(language: str) -> str | None:
        return getattr(lineage_of(language), part, None)

    return pl.col("language").map_elements(find, return_dtype=pl.String).alias(part)


def supervised_gaps(transfer: pl.DataFrame) -> pl.DataFrame:
    """Return the mean ``gap``, supervised − zero-shot, of every source and target language.

    Takes the table ``transfer``. Languages without a supervised corpus have no row.
    """
    known = transfer.filter(pl.col("supervised_gap").is_not_null())
    return known.group_by(*RUN_KEYS, "language").agg(gap=pl.col("supervised_gap").sort().mean())
