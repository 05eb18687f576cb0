"""The best dependency tree: a maximum spanning arborescence with a single root.

Chu & Liu 1965 and Edmonds 1967; for parsing McDonald et al. 2005 (H05-1066). Own code,
because the published wheels for it are dead.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alignscope.data.tree import find_cycle

Scores = NDArray[np.float64]
Weights = NDArray[Any]
Heads = NDArray[np.intp]


def maximum_arborescence(scores: Scores) -> Heads:
    """Return the tree with a single root whose arcs have the highest sum of scores.

    >>> scores = np.array([[5.0, 0.0, 1.0], [4.0, 3.0, 0.0]])
    >>> maximum_arborescence(scores)  # both words want the root; only one of them gets it
    array([0, 1])

    Args:
        scores: (words, words + 1); ``scores[d, h]`` is for the d-th word (from 0) having head h,
            where 0 is the root and i the i-th word. The score of a word as its own
            head is ignored.

    Returns:
        (words,), the head of each word, 0 for the root. The first of equals, so the same scores
        always give the same tree.

    Raises:
        ValueError: if the shape is not that, or a score is not finite.
    """
    weights = _square(scores)
    heads = _chu_liu_edmonds(weights)
    # The best of all trees, if it has one root, is the best of those with one root.
    if np.count_nonzero(heads[1:] == 0) > 1:
        heads = _chu_liu_edmonds(_few_roots_first(weights))
    return heads[1:]


def _square(scores: Scores) -> Weights:
    """Return (nodes, nodes) with the root as node 0; no node is its own head, nor the root's."""
    words = len(scores)
    if scores.shape != (words, words + 1):
        raise ValueError(f"scores must be (words, words + 1), not {scores.shape}")
    weights = np.full((words + 1, words + 1), -np.inf)
    weights[1:] = scores
    np.fill_diagonal(weights, -np.inf)
    if np.isfinite(weights).sum() != words * words:
        raise ValueError("scores must be finite")
    return weights


def _few_roots_first(weights: Weights) -> Weights:
    """Return weights by which any tree with fewer roots is better, whatever its scores.

    The usual way is to subtract from the root's scores a constant larger than any gain; it eats
    the low digits of those scores. Here a weight is a pair (-1 for an arc from the root, score),
    written as a complex number: these add and subtract by component, and numpy orders them
    lexicographically. The algorithm needs no more of a weight than that, so a tree with one root
    (-1, sum) beats every tree with two (-2, sum), exactly, and among trees with one root the
    scores decide, untouched. There is one with one root, as every word may head every other.
    """
    pairs = np.zeros(weights.shape, dtype=np.complex128)
    pairs.imag = weights
    pairs[:, 0] -= 1
    np.fill_diagonal(pairs, -np.inf)
    pairs[0] = -np.inf
    return pairs


class _Contraction(NamedTuple):
    """A cycle that became the last node of a smaller graph, and how to open it again."""

    cycle: Heads
    cycle_heads: Heads
    rest: Heads
    """The nodes that stayed, in order: node i of the smaller graph was ``rest[i]``."""
    enter: Heads
    """For each of ``rest`` as the cycle's head: at which of ``cycle`` its arc arrives."""
    leave: Heads
    """For each of ``rest`` as the cycle's dependent: from which of ``cycle`` its arc comes."""


def _chu_liu_edmonds(weights: Weights) -> Heads:
    """Return the head of each node; contract cycles until there are none, then open them.

    Every node with its best head is the best of all graphs, so without a cycle it is the answer.
    """
    contractions = []
    heads: Heads = weights.argmax(axis=1)
    while cycle := find_cycle(heads[1:].tolist()):
        contraction, weights = _contract(weights, heads, np.array(cycle))
        contractions.append(contraction)
        heads = weights.argmax(axis=1)
    for contraction in reversed(contractions):
        heads = _expand(heads, contraction)
    return heads


def _contract(weights: Weights, heads: Heads, cycle: Heads) -> tuple[_Contraction, Weights]:
    """Make one node of a cycle: an arc into it costs the arc of the cycle that it replaces."""
    rest = np.setdiff1d(np.arange(len(weights)), cycle)
    into = weights[np.ix_(cycle, rest)] - weights[cycle, heads[cycle]][:, None]
    out = weights[np.ix_(rest, cycle)]
    enter, leave = into.argmax(axis=0), out.argmax(axis=1)
    smaller = np.full((len(rest) + 1, len(rest) + 1), -np.inf, dtype=weights.dtype)
    smaller[:-1, :-1] = weights[np.ix_(rest, rest)]
    smaller[-1, :-1] = into.max(axis=0)
    smaller[:-1, -1] = out.max(axis=1)
    return _Contraction(cycle, heads[cycle], rest, cycle[enter], cycle[leave]), smaller


def _expand(heads: Heads, contraction: _Contraction) -> Heads:
    """Give back the cycle's nodes; one arc of the cycle yields to the arc that enters it."""
    cycle, cycle_heads, rest, enter, leave = contraction
    expanded = np.zeros(len(rest) + len(cycle), dtype=np.intp)
    from_cycle = heads[:-1] == len(rest)
    expanded[rest] = np.where(from_cycle, leave, rest[np.where(from_cycle, 0, heads[:-1])])
    expanded[cycle] = cycle_heads
    expanded[enter[heads[-1]]] = rest[heads[-1]]
    return expanded
