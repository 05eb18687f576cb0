"""Controls for sentence length, against dense algebra, brute force and simulated worlds."""

import numpy as np
import pytest
import torch
from torch import Tensor

from alignscope.similarity.measures.cka import debiased_cka, linear_cka_estimates
from alignscope.similarity.measures.context import Context, Documents
from alignscope.similarity.measures.estimate import Estimate
from alignscope.similarity.measures.kernels import linear_kernel
from alignscope.similarity.measures.lengths import BLOCK, CALIPER, Lengths
from alignscope.similarity.measures.registry import MEASURES
from tests.helpers.gauss import normal


def drawn_lengths(n: int, seed: int = 1) -> Lengths:
    """Return the lengths of sentences and of their translations, in subwords."""
    draw = np.random.default_rng(seed)
    source = np.exp(3 + 0.45 * draw.normal(size=n)).round().clip(2)
    target = (source * np.exp(0.15 * draw.normal(size=n))).round().clip(2)
    return Lengths(source.astype(int).tolist(), target.astype(int).tolist())


def project_off(lengths: Lengths) -> Tensor:
    """Return the projection off 1, L, L² and log L of both sides, by least squares."""
    columns = [torch.ones(len(lengths), dtype=torch.float64)]
    for side in lengths.sides.T:
        columns += [side, side.square(), side.log()]
    basis = torch.stack(columns, dim=1)
    scaled = basis / basis.norm(dim=0)
    eye = torch.eye(len(lengths), dtype=torch.float64)
    return eye - scaled @ torch.linalg.pinv(scaled, rtol=1e-9)


def dense_partial(left: Tensor, right: Tensor, lengths: Lengths) -> tuple[float, list[Tensor]]:
    """Return partial CKA, and both projected kernels: zero diagonals, orthogonal to the basis."""
    off, kernels = project_off(lengths), []
    for side in (left, right):
        kernel = side @ side.T
        d = torch.linalg.pinv(off.square()) @ (off @ kernel @ off).diagonal()
        kernels.append(off @ (kernel - torch.diag(d)) @ off)
    s, t = kernels
    return float((s * t).sum() / (s.norm() * t.norm())), kernels


def compare(
    left: Tensor, right: Tensor, lengths: Lengths, documents: Documents | None = None
) -> Estimate:
    sides = linear_kernel(left), linear_kernel(right)
    return linear_cka_estimates(*sides, Context(documents, lengths))[0]


@pytest.mark.parametrize("n", [20, 33, 150, 600])
def test_partial_cka_is_that_of_projected_kernels(n: int) -> None:
    lengths = drawn_lengths(n)
    left = normal(n, 9) + lengths.sides[:, :1] / 9
    right = left @ normal(9, 12, 3) + 2 * normal(n, 12, 4) + lengths.sides[:, 1:] / 7
    expected, kernels = dense_partial(left, right, lengths)
    assert float(kernels[0].diagonal().abs().max()) < 1e-8
    assert compare(left, right, lengths).without_length == pytest.approx(expected, abs=1e-8)


def test_with_a_constant_length_partial_cka_is_debiased_cka() -> None:
    left = normal(50, 6)
    right = left + normal(50, 6, 2)
    found = compare(left, right, Lengths([7] * 50, [9] * 50))
    assert found.without_length == pytest.approx(debiased_cka(left, right), abs=1e-12)


def test_independent_sides_have_a_partial_cka_of_zero_on_average() -> None:
    """Both sides depend on length in mean and in variance, and on nothing else in common.

    Short sentences vary more on both sides, so that a correction by degrees of freedom alone, which
    assumes equal variances, does not suffice.
    """
    values, plain, biased = [], [], []
    for seed in range(120):
        n, lengths = 60, drawn_lengths(60, seed)
        sides = []
        for k in range(2):
            length = lengths.sides[:, k : k + 1]
            noise = normal(n, 40, 10_000 * (k + 1) + seed) * 20 / length
            sides.append(noise + length.log() * normal(1, 40, k) + length / 30)
        found = compare(*sides, lengths)
        values.append(float(str(found.without_length)))
        plain.append(found.value)
        off = project_off(lengths)
        kernels = [off @ side @ side.T @ off for side in sides]
        biased.append(
            float((kernels[0] * kernels[1]).sum() / (kernels[0].norm() * kernels[1].norm()))
        )
    error = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values)) < 4 * error
    assert abs(np.mean(values)) < 0.02
    assert np.mean(plain) > 0.1
    assert np.mean(biased) > 0.2


@pytest.mark.parametrize("grouped", [False, True])
def test_the_interval_of_partial_cka_covers_its_mean(grouped: bool) -> None:
    n, samples, inside, found = 120, 100, [], []
    documents = Documents([i // 3 for i in range(n)]) if grouped else None
    for seed in range(samples):
        lengths = drawn_lengths(n, seed)
        topics = normal(n // 3, 6, seed).repeat_interleave(3, 0) if grouped else 0
        left = normal(n, 6, 1000 + seed) + topics + lengths.sides[:, :1] / 10
        right = left + 1.5 * normal(n, 6, 2000 + seed) + lengths.sides[:, 1:] / 10
        found.append(compare(left, right, lengths, documents))
    truth = np.mean([float(str(one.without_length)) for one in found])
    for one in found:
        low, high = float(str(one.without_length_low)), float(str(one.without_length_high))
        inside.append(low <= truth <= high)
    assert 0.88 <= np.mean(inside) <= 1


def test_pairings_stay_among_nearly_equal_lengths_and_break_every_pair() -> None:
    lengths = drawn_lengths(800)
    pairings, (source, target) = lengths.pairings, lengths.sides.T
    rows = torch.arange(800)
    assert torch.equal(pairings.sort(0).values, rows[:, None].expand_as(pairings))
    for side in (source, target):
        ratio = side[pairings] / side[:, None]
        assert float(torch.maximum(ratio, 1 / ratio).max()) <= CALIPER + 1e-9
    stays = pairings == rows[:, None]
    assert torch.equal(stays.any(1), stays.all(1))  # a row stays in all pairings or in none
    assert lengths.broken == pytest.approx(1 - float(stays.double().mean()))
    assert 0.97 < lengths.broken < 1
    assert int(torch.bincount(lengths.blocks).max()) <= BLOCK
    assert torch.equal(lengths.members[rows, lengths.position], rows)


def test_rows_unlike_all_others_keep_their_partners() -> None:
    lengths = Lengths([5] * 30 + [100, 200], [5] * 30 + [7, 300])
    assert lengths.broken == pytest.approx(30 / 32)
    assert torch.equal(lengths.pairings[30:], torch.tensor([[30], [31]]).expand(2, 200))


CONTROLLED = ["cka", "anc", "cosine", "retrieval", "mutual", "mutual-knn"]


@pytest.mark.parametrize("measure", CONTROLLED)
@pytest.mark.parametrize("width", [5, 80])
def test_the_band_is_that_of_pairings_among_equal_lengths(measure: str, width: int) -> None:
    """Every pairing is compared anew; the same pairings are used, so the ends nearly agree."""
    n, lengths = 160, drawn_lengths(160)
    length = lengths.sides.log()
    left = normal(n, width) + 3 * length[:, :1] * normal(1, width, 7)
    right = left + normal(n, width, 2) + 3 * length[:, 1:] * normal(1, width, 7)
    chosen = MEASURES[measure]
    x = chosen.prepare(left)
    found = chosen.estimates(x, chosen.prepare(right), Context(lengths=lengths))[0]
    values = [
        chosen.estimates(x, chosen.prepare(right[pairing]), Context())[0].value
        for pairing in lengths.pairings.T[:120]
    ]
    low, high = np.quantile(values, [0.025, 0.975])
    near = max(0.25 * (high - low), 2 / n)
    assert found.length_null_low == pytest.approx(low, abs=near)
    assert found.length_null_high == pytest.approx(high, abs=near)


def test_similarity_of_length_alone_is_recognised() -> None:
    """Two sides have nothing in common but the lengths of their sentences.

    The plain null band, which pairs sentences of any lengths, takes this for alignment.
    """
    n, lengths = 400, drawn_lengths(400)
    spectrum = torch.arange(1, 61, dtype=torch.float64) ** -0.5
    sides = [
        normal(n, 60, k) * spectrum + lengths.sides[:, k : k + 1].log() * normal(1, 60, 10 + k)
        for k in range(2)
    ]
    found = compare(*sides, lengths)
    assert found.value > 0.3 > 0.02 > found.null_high
    assert found.low > found.null_high
    low, high = float(str(found.length_null_low)), float(str(found.length_null_high))
    assert low - 0.02 < found.value < high + 0.02
    assert float(str(found.without_length_low)) < 0 < float(str(found.without_length_high))
    assert abs(float(str(found.without_length))) < 0.03


def test_similarity_beyond_length_survives_the_controls() -> None:
    n, lengths = 400, drawn_lengths(400)
    shared = normal(n, 20)
    sides = [
        shared + normal(n, 20, 50 + k) + 2 * lengths.sides[:, k : k + 1].log() * normal(1, 20, 10)
        for k in range(2)
    ]
    found = compare(*sides, lengths)
    assert found.value > float(str(found.length_null_high)) + 0.05
    # Covariance 1 and variance 2 in each of 20 dimensions: CKA is 1/4.
    assert found.without_length == pytest.approx(0.25, abs=0.06)
    assert float(str(found.without_length_low)) > 0.15
