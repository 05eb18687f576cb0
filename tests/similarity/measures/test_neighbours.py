"""Mutual k-nearest neighbours, against loops over rows."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from alignscope.errors import SimilarityError
from alignscope.similarity.measures.context import Context, Documents
from alignscope.similarity.measures.intervals import jackknife
from alignscope.similarity.measures.neighbours import mutual_knn, mutual_knn_estimates
from alignscope.similarity.measures.retrieval import unit_rows
from tests.helpers.gauss import normal, related


def shared_by_hand(left: Tensor, right: Tensor, k: int, kept: list[int]) -> float:
    """Return the mean overlap of the k nearest of the kept rows; all rows decide the means."""
    total = 0.0
    for i in kept:
        nearest = []
        for side in (left, right):
            centred = side - side.mean(0)
            cosines = {
                j: float(cosine_similarity(centred[i], centred[j], dim=0)) for j in kept if j != i
            }
            nearest.append(set(sorted(cosines, key=lambda j: -cosines[j])[:k]))
        total += len(nearest[0] & nearest[1]) / k
    return total / len(kept)


@pytest.mark.parametrize("k", [1, 4, 10])
def test_neighbours_are_counted(k: int) -> None:
    left, right = related(40, 5)
    expected = shared_by_hand(left, right, k, list(range(40)))
    assert mutual_knn(left, right, neighbours=k) == pytest.approx(expected)
    assert 0.1 < expected < 0.9


@pytest.mark.parametrize("size", [1, 3, 8])
def test_the_jackknife_finds_the_neighbours_of_the_remaining_rows(size: int) -> None:
    left, right = related(32, 5)
    owners = [(i * 7) % 32 // size for i in range(32)]
    names = list(dict.fromkeys(owners))
    without = [
        shared_by_hand(left, right, 5, [i for i in range(32) if owners[i] != name])
        for name in names
    ]
    sides = unit_rows(left), unit_rows(right)
    documents = None if size == 1 else Documents(owners)
    (found,) = mutual_knn_estimates(*sides, Context(documents, neighbours=5))
    expected = jackknife(found.value, torch.tensor(without, dtype=torch.float64))
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-9)


def test_unrelated_sides_are_at_chance_level() -> None:
    values = [mutual_knn(normal(50, 8, s), normal(50, 8, s + 100)) for s in range(40)]
    assert sum(values) / 40 == pytest.approx(10 / 49, abs=0.01)


def test_sides_need_not_have_one_width_nor_one_place() -> None:
    left = normal(60, 6)
    rotated = left @ torch.linalg.qr(normal(8, 6, 3)).Q.T + 40
    assert mutual_knn(left, rotated) == 1


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(SimilarityError, match="10 rows do not have 10 neighbours each"):
        mutual_knn(normal(10, 3), normal(10, 3))
