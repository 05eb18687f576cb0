"""Similarity of two arrays: the values of the measures, and which arrays are refused."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch

from alignscope.config.registry import MEASURE_INFO
from alignscope.errors import SimilarityError, StudyError
from alignscope.similarity.arrays import COLUMNS, similarity_of_arrays
from alignscope.similarity.layers import similarity_by_layer
from alignscope.similarity.measures.cka import biased_cka, debiased_cka
from alignscope.similarity.measures.inputs import BiasWarning
from tests.helpers.gauss import normal, related


@pytest.mark.filterwarnings("ignore::alignscope.similarity.measures.inputs.BiasWarning")
def test_every_measure_gives_the_estimates_that_layers_give() -> None:
    x, y = related()
    table = similarity_of_arrays(x, y, list(MEASURE_INFO))
    assert table.schema == COLUMNS
    layers = similarity_by_layer(x[None], {"y": y[None]}, list(MEASURE_INFO))
    assert table.rows(named=True) == [{key: row[key] for key in COLUMNS} for row in layers]


def test_numpy_lists_of_other_types_and_widths_are_compared() -> None:
    x, y = normal(40, 6), normal(40, 3, 2)
    table = similarity_of_arrays(x.numpy(), y.numpy().astype(np.float32))
    expected = [debiased_cka(x, y.float()), biased_cka(x, y.float())]
    assert table["value"].to_list() == pytest.approx(expected, abs=1e-6)
    counts = torch.arange(80).reshape(40, 2) ** 2
    assert similarity_of_arrays(counts, counts.numpy())["value"].to_list() == pytest.approx([1, 1])
    half = (1000 * x).half()  # its squares overflow half precision
    assert similarity_of_arrays(half, half)["value"].to_list() == pytest.approx([1, 1])


@pytest.mark.parametrize("measure", ["anc", "retrieval", "mutual", "cosine"])
def test_measures_of_rows_need_the_same_width(measure: str) -> None:
    with pytest.raises(SimilarityError, match=r"compares \(n, d\) and \(n, d\) with the same n"):
        similarity_of_arrays(normal(40, 6), normal(40, 5), [measure])


def test_biased_measure_warns_of_few_rows_in_many_dimensions() -> None:
    with pytest.warns(BiasWarning, match="procrustes of 30 rows in 20 dimensions"):
        similarity_of_arrays(normal(30, 20), normal(30, 2, 2), ["procrustes"])


small = partial(normal, 40, 4)


@pytest.mark.parametrize(
    ("x", "y", "measure", "error", "message"),
    [
        (lambda: normal(19, 4), lambda: normal(19, 4), "cka", SimilarityError, "20 rows, got 19"),
        (small, lambda: normal(41, 4), "cka", SimilarityError, "with the same n, got"),
        (small, lambda: torch.ones(40, 4), "cka", SimilarityError, "does not vary"),
        (small, lambda: small() / 0, "rsa", SimilarityError, "not finite"),
        (small, small, "cca", StudyError, "cca is not a measure; did you mean 'svcca'"),
    ],
)
def test_arrays_that_cannot_be_compared_are_refused(
    x: Callable[[], torch.Tensor],
    y: Callable[[], torch.Tensor],
    measure: str,
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        similarity_of_arrays(x(), y(), [measure])
