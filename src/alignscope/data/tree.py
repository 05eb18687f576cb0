"""Check that a list of heads is a dependency tree."""

from collections.abc import Sequence


def check_tree(heads: Sequence[int]) -> None:
    """Check that heads form a tree with exactly one root, as Universal Dependencies require.

    >>> check_tree([2, 0, 2])
    >>> check_tree([2, 1, 0])
    Traceback (most recent call last):
    ValueError: The heads of words 1 and 2 form a cycle.

    ``heads[i]`` is the head of word i + 1: 0 is the root, j the j-th word.

    Raises:
        ValueError: if there is no root, more than one, or a cycle.
    """
    roots = [word for word, head in enumerate(heads, start=1) if head == 0]
    if len(roots) != 1:
        number = f"{len(roots)} roots ({_join_with_and(roots)})" if roots else "no root"
        raise ValueError(f"The sentence has {number}, but exactly one word must have head 0.")
    if cycle := find_cycle(heads):
        if len(cycle) == 1:
            raise ValueError(f"The head of word {cycle[0]} is the word itself.")
        raise ValueError(f"The heads of words {_join_with_and(cycle)} form a cycle.")


def find_cycle(heads: Sequence[int]) -> list[int]:
    """Return the words of one cycle in ascending order; empty if there is none.

    >>> find_cycle([2, 1, 0]), find_cycle([2, 0])
    ([1, 2], [])

    Every head must be 0 or the number of a word of the sentence.
    """
    reaches_root = {0}
    for start in range(1, len(heads) + 1):
        path: list[int] = []
        word = start
        while word not in reaches_root:
            if word in path:
                return sorted(path[path.index(word) :])
            path.append(word)
            word = heads[word - 1]
        reaches_root.update(path)
    return []


def _join_with_and(words: list[int]) -> str:
    *first, last = (str(word) for word in words)
    return f"{', '.join(first)} and {last}" if first else last
