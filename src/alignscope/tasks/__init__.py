"""The three things asked of an encoder: parts of speech, dependency trees, named entities.

>>> from alignscope.tasks import TASKS
>>> TASKS["parsing"].metrics
('las', 'uas')

A task is one file with a class that fulfils ``alignscope.tasks.task.Task``, and one entry here;
``tests/tasks/test_every_task.py`` then tests it without being told.
"""

from alignscope.tasks.ner import NamedEntityRecognition
from alignscope.tasks.parsing import DependencyParsing
from alignscope.tasks.pos import PosTagging
from alignscope.tasks.task import Annotations, Task

__all__ = ["TASKS", "Annotations", "Task"]

TASKS: dict[str, Task] = {
    "pos": PosTagging(),
    "parsing": DependencyParsing(),
    "ner": NamedEntityRecognition(),
}
"""Every task by its name, the name that a study file uses."""
