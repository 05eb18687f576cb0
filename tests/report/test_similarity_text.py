"""Sentences on similarity by layer: certain and uncertain peaks, length, large dimensions."""

import polars as pl
import pytest

from alignscope.config.similarity import SimilarityConfig
from alignscope.report.similarity_text import describe_layers, describe_similarity
from alignscope.results.columns import ADDED_ESTIMATES
from alignscope.results.schemas import ESTIMATES

VALUES = {"ud:de_pud": (0.5, 0.6, 0.8, 0.7), "ud:fr_pud": (0.3, 0.6, 0.6, 0.5)}


def table(**columns: object) -> pl.DataFrame:
    """Return the rows of two targets and four layers; columns replace the missing controls."""
    rows = []
    for target, values in VALUES.items():
        for layer, value in enumerate(values):
            place = {"target": target, "layer": layer, "value": value, "estimator": "debiased"}
            rows.append(dict.fromkeys(ESTIMATES) | dict.fromkeys(ADDED_ESTIMATES) | place)
    plain = pl.DataFrame(rows, schema=dict(ESTIMATES))
    return plain.with_columns(
        pl.Series(name, values) if isinstance(values, list) else pl.lit(values).alias(name)
        for name, values in columns.items()
    )


def test_results_of_earlier_versions_have_a_mean_only() -> None:
    assert describe_layers(table()) == (
        "The mean over 2 targets is 0.400 at layer 0 and highest at layer 2 (0.700)."
    )


def test_layers_that_could_be_the_highest_are_listed() -> None:
    found = describe_layers(table(mean_peak=[False, True, True, True] * 2))
    assert "With other sentences, layers 1-3 could be the highest (joint 95 % confid" in found
    several = describe_layers(table(mean_peak=[True, False, True, True] * 2))
    assert "layers 0, 2-3 could" in several
    assert "layer 2 could" in describe_layers(table(mean_peak=[False, False, True, False] * 2))


def test_the_value_without_length_stands_beside_the_plain_one() -> None:
    found = describe_layers(table(without_length=[0.1, 0.2, 0.3, 0.4] * 2))
    assert (
        "With sentence length regressed out (dashed), it is 0.100 at layer 0 and highest at layer "
        "3 (0.400)." in found
    )
    partly = [0.1, None, 0.3, 0.4] * 2
    assert "regressed" not in describe_layers(table(without_length=partly))


def test_a_large_dimension_is_named_where_it_matters() -> None:
    lost = [0.45, 0.55, 0.35, 0.65, 0.28, 0.55, 0.55, 0.45]
    found = describe_layers(
        table(without_largest=lost, source_largest=0.37, target_largest=[0.2] * 8)
    )
    assert found.endswith(
        "Without the largest dimension of each side, the value of de_pud at layer 2 falls from "
        "0.800 to 0.350: that dimension holds 37 % of the variance."
    )
    small = [0.45, 0.55, 0.75, 0.65, 0.28, 0.55, 0.55, 0.45]
    assert "dimension" not in describe_layers(table(without_largest=small, source_largest=0.37))


@pytest.mark.parametrize(
    ("text", "reading"),
    [("raw", "read as running text"), ("words", "each word split into subwords alone")],
)
def test_the_reading_is_named(text: str, reading: str) -> None:
    config = SimilarityConfig.model_validate(
        {"corpora": ["ud:en_pud", "ud:de_pud"], "measures": ["cka", "mutual-knn"], "text": text}
    )
    plain = describe_similarity(config, table())
    assert f"parallel sentences (test split, mean-pooled, {reading}) in 2 corpora" in plain
    assert "mutual k-nearest neighbours (k = 10)" in plain
    assert "documents" not in plain
    assert "regressed" not in plain
    controlled = describe_similarity(config, table(documents=397, without_length=0.5))
    assert "a jackknife that leaves out one of 397 documents at a time" in controlled
    assert "1, L, L² and log L regressed out of both sides" in controlled
