"""Jackknives that leave out documents, against measures of the remaining rows."""

import math

import numpy as np
import pytest
import torch
from scipy.special import ndtri, stdtrit
from torch import Tensor

from alignscope.errors import SimilarityError
from alignscope.similarity.measures import cka
from alignscope.similarity.measures.anc import anc_estimates, standardise_columns
from alignscope.similarity.measures.context import Context, Documents
from alignscope.similarity.measures.estimate import Estimate
from alignscope.similarity.measures.function_measure import FunctionMeasure
from alignscope.similarity.measures.intervals import jackknife
from alignscope.similarity.measures.kernels import gaussian_kernel, linear_kernel, rank_kernel
from alignscope.similarity.measures.registry import MEASURES
from alignscope.similarity.measures.retrieval import retrieval_estimates, unit_rows
from tests.helpers.gauss import mixed, normal, related

pytestmark = pytest.mark.filterwarnings("ignore::alignscope.similarity.measures.inputs.BiasWarning")

N, OWNERS = 60, [0, 1, 1, 2, 2, 2, 3, 0, 4, 4, 5, 6, 7, 8, 2] * 4
"""Documents of one to three rows in every fifteen, not in a row, of 4 to 16 rows in all."""


def documents() -> Documents:
    return Documents([f"n{owner}" for owner in OWNERS])


def kept_rows() -> list[Tensor]:
    """Return the rows without each document, in the order of the documents."""
    return [torch.tensor([i for i in range(N) if OWNERS[i] != g]) for g in dict.fromkeys(OWNERS)]


def compare(measure: str, left: Tensor, right: Tensor, context: Context) -> list[Estimate]:
    chosen = MEASURES[measure]
    return chosen.estimates(chosen.prepare(left), chosen.prepare(right), context)


def test_documents_sum_rows_and_pairs() -> None:
    found = documents()
    values = normal(N, 1)[:, 0]
    matrix = torch.outer(values, values)
    first, second = found.pairs
    for number, name in enumerate(dict.fromkeys(OWNERS)):
        own = torch.tensor([owner == name for owner in OWNERS])
        assert found.sizes[number] == own.sum()
        assert found.sum(values)[number] == pytest.approx(float(values[own].sum()))
        block = matrix[own][:, own]
        expected = float(block.sum() - block.diagonal().sum())
        assert found.sum_pairs(matrix[first, second])[number] == pytest.approx(expected)


@pytest.mark.parametrize("width", [4, 90])
@pytest.mark.parametrize("debiased", [True, False])
def test_cka_without_each_document(debiased: bool, width: int) -> None:
    left, right = mixed(N, width)
    measure = cka.debiased_cka if debiased else cka.biased_cka
    without = torch.tensor([measure(left[k], right[k]) for k in kept_rows()], dtype=torch.float64)
    found = compare("cka", left, right, Context(documents()))[0 if debiased else 1]
    assert (found.low, found.high) == pytest.approx(jackknife(found.value, without), abs=1e-9)
    assert found.documents == len(without) == 9


def test_kernels_without_features_leave_the_same_rows_out() -> None:
    """The width of the Gaussian kernel is that of all rows, so the oracle takes it as a matrix."""
    kernels = [gaussian_kernel(side) for side in mixed(N, 3)]
    without = []
    for k in kept_rows():
        parts = [kernel.matrix[k][:, k] for kernel in kernels if kernel.matrix is not None]
        h = torch.eye(len(k), dtype=torch.float64) - 1 / len(k)
        x, y = (h @ part @ h for part in parts)
        without.append(float((x * y).sum() / (x.norm() * y.norm())))
    found = cka.cka_estimates(*kernels, Context(documents()))[1]
    expected = jackknife(found.value, torch.tensor(without, dtype=torch.float64))
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-9)


def test_rsa_without_each_document() -> None:
    left, right = mixed(N, 3)
    kernels = [rank_kernel(side).matrix for side in (left, right)]
    without = []
    for k in kept_rows():
        above = torch.triu_indices(len(k), len(k), 1)
        ranks = [kernel[k][:, k][*above] for kernel in kernels if kernel is not None]
        without.append(float(torch.corrcoef(torch.stack(ranks))[0, 1]))
    (found,) = compare("rsa", left, right, Context(documents()))
    expected = jackknife(found.value, torch.tensor(without, dtype=torch.float64))
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-9)


def test_functions_are_called_without_each_document() -> None:
    left, right = related(N)
    measure = FunctionMeasure("dot", lambda x, y: float((x * y).mean()), (-50.0, 50.0))
    without = [float((left[k] * right[k]).mean()) for k in kept_rows()]
    (found,) = measure.compare(left, right, Context(documents()))
    expected = jackknife(found.value, torch.tensor(without, dtype=torch.float64))
    assert (found.low, found.high) == pytest.approx(expected)


def weighted_anc(left: Tensor, right: Tensor, weights: Tensor) -> float:
    """Return ANC of weighted rows, by the definition of a weighted correlation."""
    share = weights / weights.sum()
    x, y = (side - share @ side for side in (left, right))
    products = share @ (x * y) / (share @ x.square() * (share @ y.square())).sqrt()
    return float(products.mean())


def test_anc_adds_up_the_influence_of_the_rows_of_a_document() -> None:
    """The influence of a document is the derivative of the value with respect to its weight."""
    left, right = related(N)
    influence, step = [], 1e-5
    for name in dict.fromkeys(OWNERS):
        own = torch.tensor([float(owner == name) for owner in OWNERS], dtype=torch.float64)
        up, down = (weighted_anc(left, right, 1 + sign * step * own) for sign in (1, -1))
        influence.append((up - down) / (2 * step))
    count = len(influence)
    error = math.sqrt(count / (count - 1) * np.square(influence).sum())
    sides = standardise_columns(left), standardise_columns(right)
    (found,) = anc_estimates(*sides, Context(documents()))
    reach = float(stdtrit(count - 1, 0.975)) * error
    assert (found.low, found.high) == pytest.approx(
        (found.value - reach, found.value + reach), abs=1e-7
    )


def test_retrieval_counts_as_many_sentences_as_documents_inform() -> None:
    """Hits of one document agree: 30 documents of 10 equal sentences inform as 30 sentences do."""
    n, count = 300, 30
    owners = Documents([i // 10 for i in range(n)])
    hits = (torch.arange(n) // 10 % 3 > 0).double()  # two in three documents
    left = normal(n, 400)
    right = torch.where(hits[:, None] > 0, left, normal(n, 400, 9))
    sides = unit_rows(left), unit_rows(right)
    (alone,), (found,) = (
        retrieval_estimates(*sides, context) for context in (Context(), Context(owners))
    )
    assert found.value == alone.value == pytest.approx(2 / 3, abs=0.01)
    quantiles = float(ndtri(0.975)) / float(stdtrit(count - 1, 0.975))
    expected = (count - 1) * quantiles**2
    z = float(ndtri(0.975))
    reach = (
        z
        / (1 + z * z / expected)
        * math.sqrt(found.value * (1 - found.value) / expected + z * z / (4 * expected**2))
    )
    assert (found.high - found.low) / 2 == pytest.approx(reach, rel=0.02)
    assert found.high - found.low > 2.5 * (alone.high - alone.low)


def test_perfect_retrieval_counts_documents() -> None:
    left = normal(40, 30)
    sides = unit_rows(left), unit_rows(left)
    (found,) = retrieval_estimates(*sides, Context(Documents([i // 4 for i in range(40)])))
    z = float(ndtri(0.975))
    assert found.low == pytest.approx(1 / (1 + z * z / 10))


@pytest.mark.parametrize("measure", list(MEASURES))
def test_documents_of_one_row_are_rows(measure: str) -> None:
    left, right = related(N)
    rows = compare(measure, left, right, Context())
    single = compare(measure, left, right, Context(Documents(range(N))))
    for one, other in zip(rows, single, strict=True):
        if measure not in ("retrieval", "mutual"):  # their number of documents is estimated
            assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=1e-9)
        assert other.documents == N
        assert one.documents is None


@pytest.mark.parametrize("measure", ["cka", "anc", "cosine"])
def test_intervals_cover_where_rows_of_a_document_depend(measure: str) -> None:
    """Documents share a topic: leaving out rows covers too seldom, leaving out documents does not.

    Each of 40 documents has eight sentences that are mostly the same.
    """
    count, size, samples = 40, 8, 120
    owners = Documents([i // size for i in range(count * size)])

    def sample(seed: int) -> tuple[Tensor, Tensor]:
        topics = [normal(count, 5, 3 * seed + k).repeat_interleave(size, 0) for k in range(2)]
        left = topics[0] + 0.3 * normal(count * size, 5, 9_000 + seed)
        noise = topics[1] + 0.3 * normal(count * size, 5, 19_000 + seed)
        return left, left + 0.8 * noise

    found: dict[str, list[Estimate]] = {"rows": [], "documents": []}
    for seed in range(samples):
        left, right = sample(seed)
        found["rows"].append(compare(measure, left, right, Context())[0])
        found["documents"].append(compare(measure, left, right, Context(owners))[0])
    truth = np.mean([estimate.value for estimate in found["rows"]])

    def coverage(kind: str) -> float:
        return float(np.mean([one.low <= truth <= one.high for one in found[kind]]))

    assert coverage("rows") < 0.8
    assert 0.89 <= coverage("documents") <= 1


def test_a_document_with_all_variation_is_named() -> None:
    left = torch.cat([normal(30, 3), torch.zeros(30, 3, dtype=torch.float64)])
    right = left + 1e-9
    context = Context(Documents([0] * 30 + [1] * 30))
    with pytest.raises(SimilarityError, match="all variation of a side is in one document"):
        cka.cka_estimates(*map(linear_kernel, (left, right)), context)
