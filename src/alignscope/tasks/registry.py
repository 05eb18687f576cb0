"""Tasks by name: the built-in ones, and those that a user or another package registers."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from alignscope.config.registry import TASK_INFO, TaskInfo
from alignscope.errors import StudyError
from alignscope.tasks.classification import SentenceClassification
from alignscope.tasks.ner import NamedEntityRecognition
from alignscope.tasks.parsing import DependencyParsing
from alignscope.tasks.pos import PosTagging
from alignscope.tasks.task import Task

TaskOrClass = TypeVar("TaskOrClass", bound=Task | type[Task])


class TaskRegistry(Mapping[str, Task]):
    """Every task by its name, the name that a study file uses.

    >>> TASKS["parsing"].metrics
    ('las', 'uas')
    """

    def __init__(self, builtin: tuple[Task, ...]) -> None:
        self._tasks = {task.name: task for task in builtin}

    def __getitem__(self, name: str) -> Task:
        """Return the task of a name.

        Raises:
            StudyError: if there is no such task; the message lists the known names.
        """
        return self._tasks[TASK_INFO[name].name]

    def __contains__(self, name: object) -> bool:
        return name in TASK_INFO

    def __iter__(self) -> Iterator[str]:
        return iter(TASK_INFO)

    def __len__(self) -> int:
        return len(TASK_INFO)

    def add(self, task: Task) -> None:
        """Add a task, and its titles to ``TASK_INFO``.

        Raises:
            StudyError: if the task has no name or no metric, or the name is a built-in task's.
        """
        TASK_INFO.register(_describe(task), task, register_task)
        self._tasks[task.name] = task

    def remove(self, name: str) -> None:
        """Remove a task that was added."""
        TASK_INFO.unregister(name)
        del self._tasks[name]


def register_task(task: TaskOrClass) -> TaskOrClass:
    """Make a task known to studies, the command line, reports and worker processes.

    >>> from alignscope.tasks import TokenTagging
    >>> @register_task
    ... class Xpos(TokenTagging):
    ...     name, annotation, title = "xpos", "xpos", "XPOS tagging"
    >>> TASKS["xpos"].metrics
    ('accuracy',)
    >>> TASKS.remove("xpos")

    Besides the members of `Task`, a task may have these attributes:

    - ``title``: the name in figures and tables. Default: ``name``.
    - ``metric_titles``: a mapping from a metric to its name in figures and tables.
    - ``scoring``: a clause for the Methods text of the report.
    - ``version``: a text that becomes part of the address of every run of the task. Change it
      whenever a change of the task changes results.
    - ``sentence_counts(gold, predicted)``: a method that returns two integers for each sentence,
      numerator and denominator, whose sums have the score in the first metric as their ratio.
      Runs then keep the outcome of every sentence.

    Args:
        task: A task, or a class that makes one when called without arguments. This makes
            ``register_task`` usable as a class decorator.

    Returns:
        ``task`` itself.

    Raises:
        StudyError: if the task has no name or no metric, or the name is a built-in task's.
    """
    TASKS.add(task() if isinstance(task, type) else task)
    return task


def _describe(task: Task) -> TaskInfo:
    name, metrics = getattr(task, "name", ""), tuple(getattr(task, "metrics", ()))
    if not name or not metrics:
        raise StudyError(
            f"The task {type(task).__name__} needs a name and at least one metric. "
            "Set the attributes `name` and `metrics`."
        )
    titles: Mapping[str, str] = getattr(task, "metric_titles", {})
    return TaskInfo(
        name=name,
        title=getattr(task, "title", name),
        metrics={metric: titles.get(metric, metric) for metric in metrics},
        scoring=getattr(task, "scoring", ""),
        version=getattr(task, "version", ""),
    )


TASKS = TaskRegistry(
    (PosTagging(), DependencyParsing(), NamedEntityRecognition(), SentenceClassification())
)
"""Every task by its name, the name that a study file uses."""
