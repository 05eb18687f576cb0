"""Worker processes know the tasks that the main process registered."""

from alignscope.config.registry import TASK_INFO
from alignscope.data.paths import DataPaths
from alignscope.experiments.executors import ProcessExecutor
from alignscope.experiments.grouping import Group
from alignscope.experiments.progress import RunProgress, SilentProgress
from alignscope.results.store import RunFailure, RunOutcome
from alignscope.tasks import TASKS, TokenTagging, register_task
from tests.experiments.executors.test_ray_cluster import plan


def report_title(group: Group, paths: DataPaths, progress: RunProgress) -> list[RunOutcome]:
    """Report the title of the task ``local`` as this process knows it."""
    return [RunFailure(run, f"{TASK_INFO.title('local')} {TASKS['local'].needs}") for run in group]


def test_a_task_defined_in_a_function_reaches_worker_processes() -> None:
    @register_task
    class LocalTask(TokenTagging):
        name, annotation, title = "local", "upos", "A local task"

    try:
        (outcome,) = ProcessExecutor(1).execute(
            [(plan(1)[0],)], report_title, DataPaths.of(), SilentProgress()
        )
    finally:
        TASKS.remove("local")
    assert isinstance(outcome, RunFailure)
    assert outcome.reason == "A local task ('upos',)"
