"""The best tree equals that of enumeration, or of networkx if there are too many trees."""

from functools import cache
from itertools import product

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from alignscope.data.tree import check_tree
from alignscope.tasks.chu_liu_edmonds import maximum_arborescence

Scores = NDArray[np.float64]


@cache
def all_trees(words: int) -> NDArray[np.intp]:
    """Return every tree with a single root; there are n ** (n - 1) of them (Cayley)."""
    trees = [heads for heads in product(range(words + 1), repeat=words) if is_tree(heads)]
    assert len(trees) == words ** (words - 1)
    return np.array(trees)


def is_tree(heads: tuple[int, ...]) -> bool:
    try:
        check_tree(heads)
    except ValueError:
        return False
    return True


def total(scores: Scores, heads: NDArray[np.intp]) -> Scores:
    summed: Scores = scores[np.arange(len(scores)), heads].sum(axis=-1)
    return summed


def check_against_enumeration(scores: Scores) -> None:
    heads = maximum_arborescence(scores)
    check_tree(heads.tolist())
    rounding = 1e-14 * np.abs(scores).max()
    best = total(scores, all_trees(len(scores))).max()
    assert total(scores, heads) == pytest.approx(best, abs=rounding, rel=0)


def matrices(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[Scores]:
    sizes = st.integers(1, 5)
    return sizes.flatmap(lambda n: arrays(np.float64, (n, n + 1), elements=numbers))


@given(matrices(st.integers(-2, 2).map(float)))
@settings(max_examples=200, deadline=None)
def test_best_tree_equals_enumeration_with_many_ties(scores: Scores) -> None:
    check_against_enumeration(scores)


@given(matrices(st.floats(-1e30, 1e30)))
@settings(max_examples=200, deadline=None)
def test_best_tree_equals_enumeration_at_any_magnitude(scores: Scores) -> None:
    check_against_enumeration(scores)


@given(matrices(st.floats(-1, 1)), st.sampled_from((3.0, 1e3, 1e6)))
@settings(max_examples=100, deadline=None)
def test_best_tree_equals_enumeration_when_every_word_prefers_the_root(
    scores: Scores, bonus: float
) -> None:
    scores[:, 0] += bonus
    check_against_enumeration(scores)


@pytest.mark.parametrize("seed", range(100))
def test_best_tree_equals_enumeration_for_gaussian_scores(seed: int) -> None:
    check_against_enumeration(np.random.default_rng(seed).normal(size=(5, 6)))


def best_by_networkx(scores: Scores) -> float:
    """Return the best total over the choice of the root's only dependent."""
    words = len(scores)
    totals = []
    for root in range(1, words + 1):
        graph = nx.DiGraph()
        graph.add_edge(0, root, weight=scores[root - 1, 0])
        for word, head in product(range(1, words + 1), repeat=2):
            if word != head:
                graph.add_edge(head, word, weight=scores[word - 1, head])
        tree = nx.maximum_spanning_arborescence(graph)
        totals.append(tree.size(weight="weight"))
    return float(max(totals))


@pytest.mark.parametrize("words", [6, 8, 11])
@pytest.mark.parametrize("kind", ["gaussian", "ties", "roots", "near a tree"])
def test_best_tree_scores_as_high_as_that_of_networkx(words: int, kind: str) -> None:
    rng = np.random.default_rng([words, len(kind)])
    scores = rng.normal(size=(words, words + 1))
    if kind == "ties":
        scores = scores.round()
    elif kind == "roots":
        scores[:, 0] += 2
    elif kind == "near a tree":
        scores[np.arange(words), np.arange(words)] += 2
    heads = maximum_arborescence(scores)
    check_tree(heads.tolist())
    assert total(scores, heads) == pytest.approx(best_by_networkx(scores))


@pytest.mark.parametrize("scale", [0.0, 1e-300, 1e-30, 1.0, 1e30, 1e300])
@pytest.mark.parametrize("words", [1, 2, 30, 90])
def test_result_is_a_tree_with_one_root_at_any_magnitude(words: int, scale: float) -> None:
    scores = scale * np.random.default_rng(words).normal(size=(words, words + 1))
    check_tree(maximum_arborescence(scores).tolist())


@pytest.mark.parametrize("words", [5, 60])
def test_nested_cycles_are_resolved(words: int) -> None:
    """Word i + 1 is the best head of word i, and the last but one of the last: nested cycles."""
    scores = np.zeros((words, words + 1))
    scores[np.arange(words - 1), np.arange(2, words + 1)] = np.arange(1, words)
    scores[-1, -2] = words
    scores[:, 0] = np.arange(words) / words
    heads = maximum_arborescence(scores)
    check_tree(heads.tolist())
    if words == 5:
        check_against_enumeration(scores)


def test_choosing_the_root_keeps_the_precision_of_the_scores() -> None:
    """A constant subtracted from the root scores would exceed 1e20, and 1, 2 and 1.5 be lost."""
    scores = np.zeros((3, 4))
    scores[:, 0] = 1, 2, 1.5
    scores[0, 2] = -1e20
    assert maximum_arborescence(scores).tolist() == [3, 0, 2]


def test_the_score_of_a_word_as_its_own_head_is_ignored() -> None:
    scores = np.array([[0.0, np.nan, 1.0], [1.0, 0.0, np.inf]])
    assert maximum_arborescence(scores).tolist() == [2, 0]


def test_zero_words_have_zero_heads() -> None:
    assert maximum_arborescence(np.zeros((0, 1))).tolist() == []


def test_scores_are_not_changed() -> None:
    scores = np.random.default_rng(0).normal(size=(9, 10))
    before = scores.copy()
    maximum_arborescence(scores)
    np.testing.assert_array_equal(scores, before)


def test_scores_of_a_wrong_shape_or_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(words, words \+ 1\), got \(2, 2\)\."):
        maximum_arborescence(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="finite"):
        maximum_arborescence(np.array([[0.0, 0.0, np.nan], [0.0, 0.0, 0.0]]))
