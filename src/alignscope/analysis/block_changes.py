"""How much fine-tuning changes each block, beside noise of the same size."""

import polars as pl

from alignscope.analysis.constants import SIMILARITY_KEYS
from alignscope.analysis.random_effects import two_way_mean
from alignscope.results.schemas import BLOCK_CHANGES
from alignscope.results.tables import REF

SMALLEST_CHANGE = 1e-7
"""Relative changes below the resolution of single precision count as this, so that a block that did
not change at all has a finite logarithm."""

_RATIO = "log_ratio"


def block_changes_table(changes: pl.DataFrame) -> pl.DataFrame:
    """Return the table ``block_changes``: per block the mean changes over seeds and corpora.

    Takes the table ``changes``. Intervals generalise to other seeds and corpora (`two_way_mean`);
    the weights of a run do not depend on a corpus, so their interval is over seeds alone. A seed
    counts if it has every corpus.
    """
    keys = [*SIMILARITY_KEYS, "block"]
    ordered = _with_logarithms(changes).sort([*keys, "corpus", "seed"])
    rows = []
    for key, group in ordered.group_by(keys, maintain_order=True):
        outputs, ratios = (_wide(group, name) for name in ("output_change", _RATIO))
        complete = group.filter(pl.col("seed").is_in(outputs["seed"].implode()))
        weights = complete.unique("seed").sort("seed").select("weight_change").to_numpy()
        estimates = [
            two_way_mean(values)
            for values in (weights, *(table.drop("seed").to_numpy() for table in (outputs, ratios)))
        ]
        ends = [end for found in estimates for end in (found.mean, found.low, found.high)]
        noise = complete.select(pl.mean("noise_weight_change"), pl.mean("noise_output_change"))
        rows.append((*key, len(outputs), outputs.width - 1, *ends, *noise.row(0)))
    return pl.DataFrame(rows, schema=BLOCK_CHANGES, orient="row")


def stability_values(changes: pl.DataFrame) -> pl.DataFrame:
    """Return by how much the upper half of the blocks changes more than the lower half.

    Takes the table ``changes``. If lower blocks are stable, both differences are above 0: the
    output of the upper blocks changes more, relative to noise of equal size, and their weights
    change more. Each alone can mislead, because blocks differ in how much of a change of weights
    reaches their output. With an odd number of blocks, the middle one belongs to no half.

    Returns:
        One row per encoder, task, source, setting, seed and corpus, with the columns ``output``
        (mean over the upper half − mean over the lower half of log(output change / output change
        of noise)) and ``weight`` (the same of log(weight change), equal for all corpora of a run).
    """
    half = pl.col("block").n_unique().over(SIMILARITY_KEYS) // 2
    first_upper = pl.col("block").n_unique().over(SIMILARITY_KEYS) - half
    upper, lower = pl.col("block") >= first_upper, pl.col("block") < half
    marked = _with_logarithms(changes).with_columns(upper=upper, lower=lower)
    keys = [*SIMILARITY_KEYS, "seed", "corpus"]

    def difference(name: str) -> pl.Expr:
        values = pl.col(name).sort_by("block")
        of_upper, of_lower = (pl.col(side).sort_by("block") for side in ("upper", "lower"))
        return values.filter(of_upper).mean() - values.filter(of_lower).mean()

    return marked.group_by(keys).agg(
        output=difference(_RATIO), weight=difference("log_weight")
    ).sort(keys)  # fmt: skip


def _with_logarithms(changes: pl.DataFrame) -> pl.DataFrame:
    """Add the logarithms of output change / output change of noise and of the weight change."""
    measured = ("weight_change", "output_change", "noise_output_change")
    weight, output, noise = (pl.col(name).clip(lower_bound=SMALLEST_CHANGE) for name in measured)
    return changes.filter(pl.col("window") == REF).with_columns(
        (output / noise).log().alias(_RATIO), log_weight=weight.log()
    )


def _wide(group: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return one row per seed that has every corpus, and one column per corpus."""
    return group.pivot("corpus", index="seed", values=name).sort("seed").drop_nulls()
