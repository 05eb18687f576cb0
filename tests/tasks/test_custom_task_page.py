"""The examples of docs/custom-task.md run, and the tasks they define pass the checks."""

import re

from alignscope.tasks import TASKS, check_task
from tests.helpers import ROOT

PAGE = ROOT / "docs" / "custom-task.md"


def test_the_examples_of_the_page_run() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) == 4
    try:
        exec(compile("\n".join(blocks), str(PAGE), "exec"), {"__name__": "custom_task_page"})
        assert TASKS["xpos"].needs == ("xpos",)
        assert TASKS["my-topic"].metrics == ("accuracy",)
        check_task(TASKS["xpos"])
    finally:
        for name in ("xpos", "my-topic"):
            TASKS.remove(name)
