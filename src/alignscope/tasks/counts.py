"""The outcome of every sentence in a task's first metric, as two counts."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alignscope.data.sentence import Sentence
from alignscope.errors import TaskCheckError
from alignscope.tasks.task import Task

COUNTS_METHOD = "sentence_counts"
"""The optional method of a task: ``sentence_counts(gold, predicted)`` returns a pair of integers
for each sentence, numerator and denominator, so that the sum of all numerators over the sum of all
denominators is the score in the first metric (0 if no sentence has a denominator)."""
TOLERANCE = 1e-12


def sentence_counts(
    task: Task, gold: Sequence[Sentence], predicted: Sequence[Sentence]
) -> NDArray[np.int64] | None:
    """Return the numerator and the denominator of the first metric in every sentence.

    >>> from alignscope.tasks import TASKS
    >>> gold = Sentence(words=("Dogs", "bark"), upos=("NOUN", "VERB"))
    >>> wrong = Sentence(words=("Dogs", "bark"), upos=("NOUN", "NOUN"))
    >>> sentence_counts(TASKS["pos"], [gold, gold], [gold, wrong]).tolist()
    [[2, 2], [1, 2]]

    Args:
        task: the task.
        gold: sentences with gold annotations.
        predicted: the same sentences with predicted annotations.

    Returns:
        An array (sentences, 2), or None if the task does not count by sentence. A task that
        overrides ``score`` and inherits the counts has none, because they belong to another score.

    Raises:
        TaskCheckError: if the counts are not those of the score.
    """
    if not _has_counts(task):
        return None
    counts = np.array(getattr(task, COUNTS_METHOD)(gold, predicted), dtype=np.int64).reshape(-1, 2)
    if len(counts) != len(gold) or (counts < 0).any() or (counts[:, 0] > counts[:, 1]).any():
        raise TaskCheckError(
            f"The task does not fulfil its contract: {COUNTS_METHOD} must return two integers per "
            "sentence, the first at least 0 and at most the second."
        )
    numerator, denominator = counts.sum(axis=0)
    ratio = numerator / denominator if denominator else 0.0
    score = task.score(gold, predicted)[task.metrics[0]]
    if abs(ratio - score) > TOLERANCE:
        raise TaskCheckError(
            f"The task does not fulfil its contract: {COUNTS_METHOD} adds up to {ratio:g}, but "
            f"the {task.metrics[0]} is {score:g}."
        )
    return counts


def _has_counts(task: Task) -> bool:
    """Whether the counts are defined by the class that defines the score, or by a subclass."""
    for kind in type(task).__mro__:
        if COUNTS_METHOD in vars(kind):
            return True
        if "score" in vars(kind):
            return False
    return False
