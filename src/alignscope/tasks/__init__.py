"""Tasks that an encoder is fine-tuned for: POS tagging, dependency parsing, named entities.

>>> from alignscope.tasks import TASKS
>>> TASKS["parsing"].metrics
('las', 'uas')

A task is a class that fulfils the protocol ``alignscope.tasks.task.Task``. ``register_task`` adds
one from outside the package.
"""

from alignscope.tasks.registry import TASKS, register_task
from alignscope.tasks.tagging import TokenTagging
from alignscope.tasks.task import Annotations, Task

__all__ = ["TASKS", "Annotations", "Task", "TokenTagging", "register_task"]
