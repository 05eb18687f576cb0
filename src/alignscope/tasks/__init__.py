"""Tasks that an encoder is fine-tuned for: tagging, parsing, named entities, classification.

>>> from alignscope.tasks import TASKS
>>> TASKS["parsing"].metrics
('las', 'uas')

A task is a class that fulfils the protocol ``alignscope.tasks.task.Task``. ``register_task`` adds
one from outside the package, and ``check_task`` tests it.
"""

from alignscope.tasks.annotations import get_annotation, get_label, pair_sentences
from alignscope.tasks.checks import check_task
from alignscope.tasks.registry import TASKS, register_task
from alignscope.tasks.tagging import TokenTagging
from alignscope.tasks.task import Annotations, Task

__all__ = [
    "TASKS",
    "Annotations",
    "Task",
    "TokenTagging",
    "check_task",
    "get_annotation",
    "get_label",
    "pair_sentences",
    "register_task",
]
