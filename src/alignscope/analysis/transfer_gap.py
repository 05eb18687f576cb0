"""The correlation of a target's similarity to the source with its transfer gap."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import permutations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from alignscope.analysis.arrays import Values
from alignscope.analysis.constants import RUN_KEYS, SIMILARITY_KEYS
from alignscope.analysis.correlation import FEWEST, correlation, fisher_interval, ranks
from alignscope.analysis.distance_correlation import Distance
from alignscope.analysis.genealogy import LineageOf, lineage
from alignscope.analysis.multiple_testing import holm_over
from alignscope.analysis.phylogenetic import phylogenetic_correlation
from alignscope.analysis.transfer import supervised_gaps
from alignscope.data.corpus import parse_corpus
from alignscope.results.schemas import GAPS, to_frame
from alignscope.results.tables import REF, WITHOUT_LENGTH, primary_measure

SOURCE_GAP, SUPERVISED_GAP = "source − target", "supervised − zero-shot"
"""The two definitions of the gap."""
EXACT = 7
"""The largest number of targets whose pairings are all tried: 5,040 of seven."""
DRAWS = 9999
"""The number of random pairings of more targets."""

_ENCODERS = ("pretrained", "fine-tuned")
"""The states that are similarities within one encoder."""
_CURVE_KEYS = (*SIMILARITY_KEYS, "state", "measure", "estimator")
_LAYER_KEYS = (*_CURVE_KEYS, "layer")


def transfer_gap_table(
    scores: pl.DataFrame,
    similarity: pl.DataFrame,
    distance: Distance | None = None,
    lineage_of: LineageOf = lineage,
    transfer: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return the table ``gaps``: per layer, similarity correlated with the transfer gap.

    The gap of a target is REF's score on the source − its score on the target, the mean over seeds
    and the corpora of the target's language. The similarity is that of the source's parallel corpus
    to the one in the target's language, the mean over seeds (Muller et al. 2021). Correlations are
    over the languages that have both and below 0 if more similar languages have smaller gaps. With
    about 17 targets only a correlation beyond ±0.5 is significant.

    The other definition of the gap is the score on the target after fine-tuning in its language −
    REF's. It has rows where at least five target languages have a supervised corpus.

    Args:
        scores: the table ``scores``.
        similarity: the table ``similarity``.
        distance: the distance between two languages. If given, ``partial`` is Spearman's
            correlation controlled for ``distance(source, target)``.
        lineage_of: returns genus and family of a language, or None.
        transfer: the table ``transfer``, for the other definition of the gap.

    Returns:
        The table. ``p`` is from permutations of the targets, as if they were unrelated; the columns
        ``phylo`` adjust for genus and family. ``p_holm`` and ``phylo_p_holm`` are corrected for the
        layers of a curve.
    """
    measured = similarity.filter((pl.col("window") == REF) & pl.col("state").is_in(_ENCODERS))
    similarities = (
        with_target_language(pl.concat([measured, _without_length(measured)]))
        .group_by([*_LAYER_KEYS, "language"])
        .agg(pl.col("value").sort().mean())
        .sort([*_LAYER_KEYS, "language"])
    )
    gaps = _both_gaps(mean_gaps(scores), transfer)
    joined = similarities.join(gaps, on=[*SIMILARITY_KEYS, "language"], how="inner")
    keys = [*_LAYER_KEYS, "metric", "source_language", "definition"]
    rows = [
        _gap_row(dict(zip(keys, key, strict=True)), group, distance, lineage_of)
        for key, group in joined.sort([*keys, "language"]).group_by(keys, maintain_order=True)
    ]
    corrected = ("p", "phylo_p", "partial_p")
    empty = dict.fromkeys(f"{p}_holm" for p in corrected)
    table = to_frame([{**row, **empty} for row in rows], GAPS)
    return table.with_columns(
        holm_over(p).over(*_CURVE_KEYS, "metric", "gap").alias(f"{p}_holm") for p in corrected
    ).sort([*RUN_KEYS, "gap", "state", "measure", "estimator", "layer"])


def _both_gaps(gaps: pl.DataFrame, transfer: pl.DataFrame | None) -> pl.DataFrame:
    """Return the gaps with their ``definition``: to the source, and to the supervised score."""
    of_source = gaps.with_columns(definition=pl.lit(SOURCE_GAP))
    if transfer is None:
        return of_source
    languages = gaps.drop("gap")
    supervised = languages.join(supervised_gaps(transfer), on=[*RUN_KEYS, "language"], how="inner")
    enough = pl.len().over(RUN_KEYS) >= FEWEST
    other = supervised.filter(enough).with_columns(definition=pl.lit(SUPERVISED_GAP))
    return pl.concat([of_source, other.select(of_source.columns)])


def _without_length(similarity: pl.DataFrame) -> pl.DataFrame:
    """Return the values with sentence length regressed out, as those of another estimator."""
    return similarity.filter(pl.col("without_length").is_not_null()).with_columns(
        value="without_length", estimator=pl.lit(WITHOUT_LENGTH)
    )


def mean_gaps(scores: pl.DataFrame) -> pl.DataFrame:
    """Return the mean gap of every source and target language, with ``source_language``."""
    return (
        gaps_by_seed(scores)
        .group_by(*RUN_KEYS, "source_language", "language")
        .agg(pl.col("gap").sort().mean())
        .sort(*RUN_KEYS, "language")
    )


def gaps_by_seed(scores: pl.DataFrame) -> pl.DataFrame:
    """Return the gap of every seed, source and target language: REF's score on source − target."""
    reference = scores.filter(pl.col("window") == REF)
    in_domain = reference.filter(relation="in-domain").select(
        *RUN_KEYS, "seed", source_score="score", source_language="language"
    )
    targets = reference.filter(relation="cross-lingual").join(in_domain, on=[*RUN_KEYS, "seed"])
    return (
        targets.group_by(*RUN_KEYS, "source_language", "language", "seed")
        .agg(gap=(pl.col("source_score") - pl.col("score")).sort().mean())
        .sort(*RUN_KEYS, "language", "seed")
    )


def similarity_and_gap(scores: pl.DataFrame, similarity: pl.DataFrame) -> pl.DataFrame:
    """Return the similarity, ``value``, and the ``gap`` of every source and target language.

    The similarity is that of the pretrained encoder in its primary measure (`primary_measure`), the
    mean over layers. ``without_length`` is the same with sentence length regressed out of both
    sides, or null where it was not measured at every layer.
    """
    pretrained = similarity.filter((pl.col("state") == "pretrained") & (pl.col("window") == REF))
    similarities = (
        with_target_language(primary_measure(pretrained))
        .group_by(*SIMILARITY_KEYS, "language")
        .agg(
            pl.col("value").sort().mean(),
            pl.when(pl.col("without_length").is_not_null().all())
            .then(pl.col("without_length").sort().mean())
            .alias("without_length"),
        )
    )
    joined = mean_gaps(scores).join(similarities, on=[*SIMILARITY_KEYS, "language"], how="inner")
    return joined.sort([*RUN_KEYS, "language"])


def with_target_language(similarity: pl.DataFrame) -> pl.DataFrame:
    """Add the column ``language``, the language of the target corpus."""
    languages = {name: parse_corpus(name).language for name in similarity["target"].unique()}
    return similarity.with_columns(
        language=pl.col("target").replace_strict(languages, return_dtype=pl.String)
    )


def _gap_row(
    key: dict[str, object], group: pl.DataFrame, distance: Distance | None, lineage_of: LineageOf
) -> dict[str, object]:
    source, definition = str(key.pop("source_language")), key.pop("definition")
    similarities, gaps = (group[name].to_numpy() for name in ("value", "gap"))
    distances = (
        None if distance is None else [distance(source, target) for target in group["language"]]
    )
    lineages = [lineage_of(target) for target in group["language"]]
    adjusted = phylogenetic_correlation(similarities, gaps, lineages)
    found = correlations(similarities, gaps, distances)
    return {**key, "gap": definition, "targets": len(group), **found, **adjusted.columns}


def correlations(
    similarities: Values, gaps: Values, distances: Sequence[float] | None = None
) -> dict[str, float | None]:
    """Return the correlations of similarity and gap, with intervals and p-values.

    >>> found = correlations(np.arange(8.0), -np.arange(8.0))
    >>> found["spearman"], found["p"] < 0.001
    (-1.0, True)

    Args:
        similarities: one value per target.
        gaps: one value per target.
        distances: one value per target, or None to leave out the partial correlation.

    Returns:
        ``spearman`` with ``low``, ``high`` and ``p``, ``pearson``, and ``partial`` with
        ``partial_low``, ``partial_high`` and ``partial_p``. All are None with fewer than five
        targets or if one side is constant.
    """
    spearman, low, high = correlation(similarities.tolist(), gaps.tolist())
    result: dict[str, float | None] = {
        **{"spearman": spearman, "low": low, "high": high, "p": None, "pearson": None},
        **dict.fromkeys(("partial", "partial_low", "partial_high", "partial_p")),
    }
    if spearman is None:
        return result
    result["p"] = permutation_p(ranks(similarities), ranks(gaps))
    result["pearson"] = float(np.corrcoef(similarities, gaps)[0, 1])
    if distances is not None and len(set(distances)) > 1:
        result |= _partial_correlation(similarities, gaps, np.asarray(distances))
    return result


def _partial_correlation(
    similarities: Values, gaps: Values, distances: Values
) -> dict[str, float | None]:
    """Return Spearman's correlation of similarity and gap, controlled for the distance.

    The p-value is slightly too small where the distance explains nearly everything (8 % instead of
    5 % false positives if it correlates 0.9 with both sides), because a line through ranks does not
    remove all of its influence.
    """
    left, right = (_residuals(ranks(side), ranks(distances)) for side in (similarities, gaps))
    if min(left.std(), right.std()) < 1e-9:
        return {}
    rho = float(np.corrcoef(left, right)[0, 1])
    # A partial correlation has one degree of freedom less (Fisher 1924).
    low, high = fisher_interval(rho, len(similarities) - 1, 1 + rho**2 / 2)
    p = permutation_p(left, right, ranks(distances))
    return {"partial": rho, "partial_low": low, "partial_high": high, "partial_p": p}


def _residuals(values: Values, covariate: Values) -> Values:
    """Return the residuals of values after linear regression on the covariate."""
    centred_covariate = covariate - covariate.mean()
    centred = values - values.mean()
    products = centred @ centred_covariate, centred_covariate @ centred_covariate
    residuals: Values = centred - centred_covariate * products[0] / products[1]
    return residuals


def permutation_p(left: Values, right: Values, covariate: Values | None = None) -> float:
    """Return the share of pairings that correlate as much, in absolute value, as the observed one.

    >>> permutation_p(np.arange(5.0), np.arange(5.0))  # 2 of 120 pairings
    0.016666666666666666

    All pairings of up to seven values are tried. For more values, 9,999 random pairings are
    drawn, always the same ones, and the observed pairing is added (Phipson & Smyth 2010).

    Args:
        left: one value per pair.
        right: the other values.
        covariate: values whose influence has been removed from both sides. It is also removed from
            every random pairing (Freedman & Lane 1983).
    """
    x, y = left - left.mean(), right - right.mean()
    permuted = y[_orders(len(x))]
    squared_norms = (permuted**2).sum(1)
    if covariate is not None:
        direction = (covariate - covariate.mean()) / np.linalg.norm(covariate - covariate.mean())
        squared_norms = squared_norms - (permuted @ direction) ** 2
    observed = abs(x @ y) / np.linalg.norm(y)
    tolerance = 1e-9 * np.linalg.norm(x)
    as_much = np.abs(permuted @ x) >= (observed - tolerance) * np.sqrt(squared_norms)
    return float(as_much.mean())


@lru_cache(maxsize=4)
def _orders(n: int) -> NDArray[np.int64]:
    """Return orders of n values, of shape (orders, n); the first leaves them as they are."""
    if n <= EXACT:
        return np.array(list(permutations(range(n))))
    draw = np.random.default_rng(1)
    orders = np.tile(np.arange(n), (DRAWS + 1, 1))
    orders[1:] = draw.permuted(orders[1:], axis=1)
    return orders
