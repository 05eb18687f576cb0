"""Correlation of zero-shot scores with the typological distance to the source."""

from collections.abc import Callable

import numpy as np
import polars as pl

from alignscope.analysis.constants import RUN_KEYS
from alignscope.analysis.correlation import correlation
from alignscope.analysis.genealogy import LineageOf, lineage
from alignscope.analysis.phylogenetic import phylogenetic_correlation
from alignscope.results.schemas import DISTANCES
from alignscope.results.tables import REF

Distance = Callable[[str, str], float]
"""The distance between two languages, by their codes."""


def distances_table(
    scores: pl.DataFrame, distance: Distance, lineage_of: LineageOf = lineage
) -> pl.DataFrame:
    """Return the table ``distances``: zero-shot scores correlated with the distance to the source.

    Takes the table ``scores``. Per task and source it is Spearman's correlation over target
    languages of REF's score, the mean over seeds and corpora, and ``distance(source, target)``. It
    is below 0 if more distant languages have lower scores. With about 16 targets the 95 % CI is
    wide. Correlation and interval are null where they are undefined (`correlation`). The columns
    ``phylo`` adjust for genus and family (`phylogenetic_correlation`).

    Raises:
        DataError: if ``distance`` does not know a language.
    """
    zero_shot = scores.filter((pl.col("window") == REF) & (pl.col("relation") == "cross-lingual"))
    in_domain = scores.filter(pl.col("relation") == "in-domain")
    source_language = dict(in_domain.select("source", "language").unique().rows())
    means = (
        zero_shot.group_by(*RUN_KEYS, "language")
        .agg(pl.col("score").sort().mean())
        .sort(*RUN_KEYS, "language")
    )
    rows = []
    for key, group in means.group_by(RUN_KEYS, maintain_order=True):
        source = source_language[str(key[3])]
        distances = [distance(source, target) for target in group["language"]]
        lineages = [lineage_of(target) for target in group["language"]]
        adjusted = phylogenetic_correlation(
            np.array(distances), group["score"].to_numpy(), lineages
        )
        plain = correlation(distances, group["score"].to_list())
        rows.append((*key, len(group), *plain, *adjusted.columns.values()))
    return pl.DataFrame(rows, schema=DISTANCES, orient="row")
