"""The best dependency tree: a maximum spanning arborescence with a single root.

Chu & Liu 1965 and Edmonds 1967; for parsing McDonald et al. 2005 (H05-1066). AlignScope
implements it because the published packages are no longer maintained.
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
    >>> maximum_arborescence(scores)  # the root is the best head of both words; only one gets it
    array([0, 1])

    Args:
        scores: (words, words + 1); ``scores[d, h]`` is for the d-th word (from 0) having head h,
            where 0 is the root and i the i-th word. The score of a word as its own
            head is ignored.

    Returns:
        (words,), the head of each word, 0 for the root. Ties are broken in favour of the first
        head, so that equal scores always have the same tree.

    Raises:
        ValueError: if the shape is not (words, words + 1), or a score is not finite.
    """
    weights = _square(scores)
    heads = _chu_liu_edmonds(weights)
    # If the best of all trees has one root, it is also the best of those with one root.
    if np.count_nonzero(heads[1:] == 0) > 1:
        heads = _chu_liu_edmonds(_penalise_roots(weights))
    return heads[1:]


def _square(scores: Scores) -> Weights:
    """Return (nodes, nodes) with the root as node 0; -inf rules out self-loops and heads of 0."""
    words = len(scores)
    if scores.shape != (words, words + 1):
        raise ValueError(f"Scores must have the shape (words, words + 1), got {scores.shape}.")
    weights = np.full((words + 1, words + 1), -np.inf)
    weights[1:] = scores
    np.fill_diagonal(weights, -np.inf)
    if np.isfinite(weights).sum() != words * words:
        raise ValueError("Scores must be finite.")
    return weights


def _penalise_roots(weights: Weights) -> Weights:
    """Return weights under which a tree with fewer roots always wins, whatever its scores.

    The usual solution subtracts a constant larger than any gain from the scores of the root, and
    so loses the low digits of these scores. Here a weight is a pair (-1 for an arc from the root,
    score), stored as a complex number. Complex numbers add and subtract by component, and numpy
    orders them lexicographically; the algorithm needs nothing else. A tree with one root (-1, sum)
    therefore beats every tree with two (-2, sum) exactly, and among trees with one root the
    unchanged scores decide. A tree with one root exists, as any word may be the head of any other.
    """
    pairs = np.zeros(weights.shape, dtype=np.complex128)
    pairs.imag = weights
    pairs[:, 0] -= 1
    np.fill_diagonal(pairs, -np.inf)
    pairs[0] = -np.inf
    return pairs


class _Contraction(NamedTuple):
    """A cycle that became the last node of a smaller graph, and the arcs needed to expand it."""

    cycle: Heads
    cycle_heads: Heads
    rest: Heads
    """The nodes outside the cycle, in order: node i of the smaller graph was ``rest[i]``."""
    enter: Heads
    """For each node of ``rest`` as head of the cycle: the node of ``cycle`` that it attaches."""
    leave: Heads
    """For each node of ``rest`` as dependent of the cycle: its head in ``cycle``."""


def _chu_liu_edmonds(weights: Weights) -> Heads:
    """Return the head of each node; contract cycles until there are none, then expand them.

    The graph in which every node has its best head is the best of all graphs. Without a cycle it
    is a tree, and therefore the best tree.
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
    """Replace a cycle by one node; an arc into it loses the weight of the arc it replaces."""
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
    """Restore the nodes of the cycle; the arc that enters it replaces one arc of the cycle."""
    cycle, cycle_heads, rest, enter, leave = contraction
    expanded = np.zeros(len(rest) + len(cycle), dtype=np.intp)
    from_cycle = heads[:-1] == len(rest)
    expanded[rest] = np.where(from_cycle, leave, rest[np.where(from_cycle, 0, heads[:-1])])
    expanded[cycle] = cycle_heads
    expanded[enter[heads[-1]]] = rest[heads[-1]]
    return expanded
