"""Streaming CKA against CKA of all rows at once."""

import pytest
import torch

from alignscope.errors import SimilarityError
from alignscope.similarity.measures.cka import biased_cka, debiased_cka
from alignscope.similarity.measures.inputs import BiasWarning
from alignscope.similarity.measures.streaming_cka import StreamingCka
from tests.helpers.gauss import mixed, normal

pytestmark = pytest.mark.filterwarnings("ignore::alignscope.similarity.measures.inputs.BiasWarning")


@pytest.mark.parametrize("chunks", [[500], [1, 2, 97, 400], [100] * 5])
@pytest.mark.parametrize("d", [6, 300])
def test_chunks_give_the_value_of_all_rows_to_ten_digits(chunks: list[int], d: int) -> None:
    left, right = mixed(500, d)
    left, right = 30 * left + 200, right[:, : d - 2] - 5
    stream = StreamingCka()
    for one, other in zip(left.split(chunks), right.split(chunks), strict=True):
        stream.add(one, other.numpy())
    assert stream.n == 500
    assert stream.debiased == pytest.approx(debiased_cka(left, right), abs=1e-10)
    assert stream.biased == pytest.approx(biased_cka(left, right), abs=1e-10)


def test_value_can_be_read_between_chunks_and_can_be_negative() -> None:
    stream, found = StreamingCka(), []
    for seed in range(8):
        stream.add(normal(20, 50, seed), normal(20, 50, seed + 100))
        found.append(stream.debiased)
    left, right = (torch.cat([normal(20, 50, s + more) for s in range(8)]) for more in (0, 100))
    assert found[-1] == pytest.approx(debiased_cka(left, right), abs=1e-10)
    assert min(found) < 0


def test_half_precision_input_is_summed_in_double() -> None:
    left, right = (100 * side.half() for side in mixed(200, 8))
    stream = StreamingCka()
    stream.add(left, right)
    assert stream.debiased == pytest.approx(debiased_cka(left.double(), right.double()), abs=1e-10)


def test_chunks_that_do_not_fit_are_refused() -> None:
    stream = StreamingCka()
    with pytest.raises(SimilarityError, match="at least 4 rows, got 0"):
        stream.debiased  # noqa: B018
    stream.add(normal(3, 4), normal(3, 5))
    with pytest.raises(SimilarityError, match="at least 4 rows, got 3"):
        stream.biased  # noqa: B018
    with pytest.raises(
        SimilarityError, match="has 4 and 6 features, the chunks before have 4 and 5"
    ):
        stream.add(normal(3, 4), normal(3, 6))
    with pytest.raises(SimilarityError, match="with the same n, got"):
        stream.add(normal(3, 4), normal(4, 5))
    with pytest.raises(SimilarityError, match="not finite"):
        stream.add(normal(3, 4) / 0, normal(3, 5))
    assert stream.n == 3


def test_constant_sides_are_refused() -> None:
    stream = StreamingCka()
    stream.add(torch.full((9, 2), 0.1), normal(9, 2))
    with pytest.raises(SimilarityError, match="does not vary"):
        stream.debiased  # noqa: B018


@pytest.mark.filterwarnings("error::alignscope.similarity.measures.inputs.BiasWarning")
def test_biased_estimate_of_few_rows_gives_a_warning() -> None:
    stream = StreamingCka()
    stream.add(normal(13, 7), normal(13, 7, 2))
    with pytest.warns(BiasWarning, match="biased CKA of 13 rows in 7 dimensions"):
        assert stream.biased > 0.2
