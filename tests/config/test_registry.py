"""Registries of tasks and measures: unknown names, plug-ins, and what is sent to workers."""

import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from alignscope.config import registry
from alignscope.config.registry import (
    TASK_INFO,
    MeasureInfo,
    Registry,
    TaskInfo,
    export_registrations,
    import_registrations,
)
from alignscope.errors import StudyError


@pytest.fixture
def measures(monkeypatch: pytest.MonkeyPatch) -> Registry[MeasureInfo]:
    """A registry of measures with one built-in entry, in the place of the real one."""
    measures = Registry[MeasureInfo]("measure", "no.such.group", (MeasureInfo("cka", "CKA"),))
    monkeypatch.setattr(registry, "MEASURE_INFO", measures)
    return measures


@pytest.fixture
def plugin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the import path with the module ``wordlength``, which registers a task."""
    (tmp_path / "wordlength.py").write_text(
        textwrap.dedent("""
            from alignscope.tasks import TokenTagging, register_task

            @register_task
            class WordLength(TokenTagging):
                name, annotation, title, version = "wordlength", "length", "Word length", "2"
        """)
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    if "wordlength" in TASK_INFO.registrations:
        from alignscope.tasks import TASKS

        TASKS.remove("wordlength")
    sys.modules.pop("wordlength", None)


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    message = r"^parsnig is not a task; did you mean 'parsing'\? Known are: pos, parsing, ner"
    with pytest.raises(StudyError, match=message):
        TASK_INFO["parsnig"]


def test_the_title_of_an_unknown_name_is_the_name() -> None:
    assert (TASK_INFO.title("parsing"), TASK_INFO.title("xpos")) == ("Dependency parsing", "xpos")


def test_a_built_in_name_cannot_be_registered_again(measures: Registry[MeasureInfo]) -> None:
    with pytest.raises(StudyError, match=r"^cka is a built-in measure\. Choose another name\.$"):
        measures.register(MeasureInfo("cka", "other"), print, print)


def test_registering_a_name_twice_keeps_the_last_one(measures: Registry[MeasureInfo]) -> None:
    """As when a notebook cell is run twice."""
    for title in ("first", "second"):
        measures.register(MeasureInfo("mine", title), print, print)
    assert (list(measures), measures["mine"].title) == (["cka", "mine"], "second")


def test_an_entry_point_is_loaded_when_a_name_is_unknown(
    plugin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = EntryPoint("anything", "wordlength", "alignscope.tasks")
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] * (group == point.group))
    monkeypatch.setattr(TASK_INFO, "_plugins_loaded", False)
    assert "pos" in TASK_INFO
    assert "wordlength" not in sys.modules
    assert TASK_INFO["wordlength"] == TaskInfo(
        "wordlength", "Word length", {"accuracy": "accuracy"}, version="2"
    )


def test_an_entry_point_that_cannot_be_imported_is_named(
    measures: Registry[MeasureInfo], monkeypatch: pytest.MonkeyPatch
) -> None:
    point = EntryPoint("anything", "no_such_module", "no.such.group")
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    with pytest.raises(StudyError, match=r"^The plug-in no_such_module \(no\.such\.group\) cannot"):
        list(measures)


def test_a_lambda_arrives_with_its_registrar(measures: Registry[MeasureInfo]) -> None:
    received = []
    measures.register(MeasureInfo("mine", "Mine"), lambda x: x + 1, received.append)
    import_registrations(export_registrations())
    assert received == []  # a copy of the registrar was called, in the manner of another process

    measures.register(MeasureInfo("mine", "Mine"), 7, _note)
    _NOTES.clear()
    import_registrations(export_registrations())
    assert _NOTES == [7]


_NOTES: list[object] = []


def _note(plugin: object) -> None:
    _NOTES.append(plugin)


def test_an_object_that_cannot_be_sent_is_refused(measures: Registry[MeasureInfo]) -> None:
    measures.register(MeasureInfo("mine", "Mine"), threading.Lock(), print)
    message = r"^The measure mine cannot be sent to worker processes: .* Define it in a module"
    with pytest.raises(StudyError, match=message):
        export_registrations()


def _received_by_another_process(exported: bytes, folder: Path) -> subprocess.CompletedProcess[str]:
    """Import registrations in a new process that has ``folder`` on its import path."""
    code = f"""
import sys
sys.path.insert(0, {str(folder)!r})
from alignscope.config.registry import TASK_INFO, import_registrations
import_registrations({exported!r})
print(TASK_INFO["wordlength"].title)
"""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )


def test_a_task_of_a_module_is_known_to_another_process(
    plugin_folder: Path, tmp_path: Path
) -> None:
    __import__("wordlength")
    exported = export_registrations()
    assert _received_by_another_process(exported, plugin_folder).stdout == "Word length\n"
    elsewhere = _received_by_another_process(exported, tmp_path / "elsewhere").stderr
    assert "The task wordlength cannot be loaded in a worker process: No module" in elsewhere


SCRIPT = """
from alignscope.config.registry import export_registrations
from alignscope.tasks import TokenTagging, register_task

@register_task
class WordLength(TokenTagging):
    name, annotation, title = "wordlength", "length", "Word length"

import sys
sys.stdout.buffer.write(export_registrations())
"""


def test_a_task_of_the_main_script_is_known_to_another_process(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    exported = subprocess.run(
        [sys.executable, script], capture_output=True, check=True, timeout=120
    ).stdout
    assert _received_by_another_process(exported, tmp_path).stdout == "Word length\n"
