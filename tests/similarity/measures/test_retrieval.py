"""Retrieval against loops over all pairs."""

import pytest
from torch import Tensor
from torch.nn.functional import cosine_similarity

from alignscope.errors import SimilarityError
from alignscope.similarity.measures.retrieval import retrieval
from tests.helpers.gauss import normal


def by_hand(left: Tensor, right: Tensor) -> float:
    hits = 0.0
    for one, other in ((left, right), (right, left)):
        for i, row in enumerate(one):
            near = [float(cosine_similarity(row, candidate, dim=0)) for candidate in other]
            hits += max(near) == near[i]
    return hits / (2 * len(left))


def by_hand_centred(left: Tensor, right: Tensor) -> float:
    """Centre every candidate with a mean without its own row and without the row that is sought."""
    hits = 0.0
    for one, other in ((left, right), (right, left)):
        for i, row in enumerate(one):
            query = row - one.mean(0)
            near = []
            for j in range(len(other)):
                kept = [k for k in range(len(other)) if k not in (i, j)]
                near.append(float(cosine_similarity(query, other[j] - other[kept].mean(0), dim=0)))
            hits += max(near) == near[i]
    return hits / (2 * len(left))


def test_the_mean_does_not_move_other_candidates_away() -> None:
    """With all rows in the mean, small samples find translations too often."""
    own = other = 0.0
    for seed in range(40):
        left = normal(8, 6, seed)
        right = left + normal(8, 6, seed + 100)
        own += by_hand(left - left.mean(0), right - right.mean(0))
        other += retrieval(left, right)
    assert 0.005 < (own - other) / 40 < 0.2


@pytest.mark.parametrize("seed", range(5))
def test_retrieval_is_precision_at_one(seed: int) -> None:
    left = normal(40, 6, seed)
    right = left + normal(40, 6, seed + 100) * 0.6
    assert retrieval(left, right, centred=False) == pytest.approx(by_hand(left, right))
    centred = by_hand_centred(left, right)
    assert retrieval(left + 50, right - 50) == pytest.approx(centred)
    assert 0.2 < centred < 1


def test_mean_of_each_language_is_subtracted() -> None:
    left = normal(60, 6, 1)
    far = normal(1, 6, 2) * 30
    assert retrieval(left, left + far) == 1
    assert retrieval(left, left + far, centred=False) < 0.5


def test_unrelated_sides_are_at_chance_level() -> None:
    values = [retrieval(normal(50, 8, seed), normal(50, 8, seed + 100)) for seed in range(60)]
    assert sum(values) / len(values) == pytest.approx(1 / 50, abs=0.01)


def test_ties_count_fractionally() -> None:
    left = normal(10, 4, 1).repeat(2, 1)
    assert retrieval(left, left) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        (normal(5, 2, 1), normal(5, 3, 1), "got \\(5, 2\\) and \\(5, 3\\)"),
        (normal(0, 2, 1), normal(0, 2, 1), "retrieval needs at least 1 row"),
        (normal(5, 2, 1), normal(5, 2, 1) / 0, "not finite"),
    ],
)
def test_sides_that_cannot_be_compared_are_refused(
    left: Tensor, right: Tensor, message: str
) -> None:
    with pytest.raises(SimilarityError, match=message):
        retrieval(left, right)
