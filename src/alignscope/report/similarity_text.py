"""Sentences on similarity: how it was measured, its highest layers, and what it may be due to."""

from collections.abc import Sequence

import polars as pl

from alignscope._util.confidence import OUTLIER_MARGIN
from alignscope.config.similarity import KNN, SimilarityConfig
from alignscope.report.labels import (
    corpus_label,
    count_of,
    format_number,
    join_names,
    measure_title,
)

_CKA = (
    "; CKA (Kornblith et al. 2019) in its debiased estimate (Song et al. 2012; Nguyen et al. 2021)"
)
_LENGTH = (
    ". Beside it stands debiased CKA with 1, L, L² and log L regressed out of both sides, where L "
    "are the subword counts of both sides, and the range over pairings of sentences whose counts "
    "differ by a factor of at most 1.25 on either side"
)


def describe_similarity(config: SimilarityConfig, rows: pl.DataFrame) -> str:
    """Return the methods of similarity as a clause.

    Args:
        config: the configuration of the study.
        rows: rows of the table ``similarity``.
    """
    measures = join_names(_measure(name, config) for name in config.measures)
    limit = "all" if config.limit is None else f"at most {config.limit}"
    unit = "aligned words" if config.words else f"{config.pooling}-pooled"
    reading = (
        "read as running text" if config.text == "raw" else "each word split into subwords alone"
    )
    citation = _CKA if {"cka", "cka-rbf"} & {*config.measures} else ""
    length = _LENGTH if rows["without_length"].count() else ""
    return (
        f"{measures}, on {limit} parallel sentences ({config.split} split, {unit}, {reading}) in "
        f"{count_of(len(config.corpora), 'corpus', 'corpora')}, compared with random pairs"
        f"{_documents(rows)}{citation}{length}"
    )


def _measure(name: str, config: SimilarityConfig) -> str:
    number = f" (k = {config.neighbours})" if name == KNN else ""
    return f"{measure_title(name)}{number}"


def _documents(rows: pl.DataFrame) -> str:
    counts = sorted({*rows["documents"].drop_nulls()})
    if not counts:
        return ""
    number = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]}-{counts[-1]}"
    return f", with intervals from a jackknife that leaves out one of {number} documents at a time"


def describe_layers(table: pl.DataFrame) -> str:
    """Return sentences on the mean over targets by layer, and on the layers that may be highest.

    Args:
        table: one row per target and layer, of one measure.
    """
    targets = count_of(table["target"].n_unique(), "target")
    sentences = [f"The mean over {targets} is {_course(table, 'value')}."]
    peaks = table.filter(pl.col("mean_peak"))["layer"].unique().sort().to_list()
    if peaks:
        noun = "layer" if len(peaks) == 1 else "layers"
        sentences.append(
            f"With other sentences, {noun} {_ranges(peaks)} could be the highest "
            "(joint 95 % confidence set)."
        )
    if table["without_length"].count() == len(table):
        sentences.append(
            f"With sentence length regressed out (dashed), it is "
            f"{_course(table, 'without_length')}."
        )
    return " ".join([*sentences, *_outliers(table)])


def _course(table: pl.DataFrame, column: str) -> str:
    means = table.group_by("layer").agg(pl.mean(column)).sort("layer")
    top = means.sort(column, "layer", descending=[True, False]).row(0, named=True)
    return (
        f"{format_number(means[column][0])} at layer {means['layer'][0]} and highest at layer "
        f"{top['layer']} ({format_number(top[column])})"
    )


def _outliers(table: pl.DataFrame) -> Sequence[str]:
    """Return a sentence on the value that falls most without the largest dimensions."""
    lost = pl.col("value") - pl.col("without_largest")
    depends = table.filter(lost > OUTLIER_MARGIN)
    if depends.is_empty():
        return []
    share = pl.max_horizontal("source_largest", "target_largest")
    row = depends.sort(lost, descending=True).with_columns(share=share).row(0, named=True)
    return [
        "Without the largest dimension of each side, the value of "
        f"{corpus_label(row['target'])} at layer {row['layer']} falls from "
        f"{format_number(row['value'])} to {format_number(row['without_largest'])}: that dimension "
        f"holds {100 * row['share']:.0f} % of the variance."
    ]


def _ranges(numbers: Sequence[int]) -> str:
    """Return sorted numbers as ranges: ``4-6, 9`` for 4, 5, 6 and 9."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)
