"""The notebook of the docs: executed in order, independent of a machine, and up to date."""

import ast
import base64
import html
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest
import torch

import alignscope
from tests.helpers import ROOT

NOTEBOOK = ROOT / "docs" / "encoder-to-figure.ipynb"
CONTENT: dict[str, Any] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
MACHINE = re.compile(r"/(tmp|root|work|home|Users)\b|\\Users\\|\b0x[0-9a-f]{6,}")
PNG = b"\x89PNG\r\n"
TOLERANCE = 0.01
"""Covers the rounding of other processors; a change of the computation exceeds it."""


def cells(kind: str) -> list[dict[str, Any]]:
    return [cell for cell in CONTENT["cells"] if cell["cell_type"] == kind]


def source_of(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def texts(node: Any) -> Iterator[str]:
    """Yield every string of the notebook; images as their bytes."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for part in node:
            yield from texts(part)
    elif isinstance(node, dict):
        for key, part in node.items():
            is_image = key == "image/png" and not isinstance(part, dict)
            yield from [image(part).decode("latin-1")] if is_image else texts(part)


def image(data: list[str] | str) -> bytes:
    return base64.b64decode("".join(data))


def test_it_contains_nothing_of_the_machine_that_executed_it() -> None:
    assert (CONTENT["nbformat"], CONTENT["nbformat_minor"]) == (4, 5)
    names = [cell["id"] for cell in CONTENT["cells"]]
    assert len({*names}) == len(names) == len(cells("code")) + len(cells("markdown"))
    assert all(cell["metadata"] == {} for cell in CONTENT["cells"])
    assert CONTENT["metadata"].keys() == {"kernelspec", "language_info"}
    assert "version" not in CONTENT["metadata"]["language_info"]
    assert [text for text in texts(CONTENT) if MACHINE.search(text)] == []


def test_its_cells_were_executed_in_order() -> None:
    counts = [cell["execution_count"] for cell in cells("code")]
    assert counts == list(range(1, len(counts) + 1))
    assert all(cell["outputs"] for cell in cells("code"))


def test_its_outputs_have_no_errors_and_no_progress() -> None:
    outputs = [output for cell in cells("code") for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} == {"stream", "execute_result"}
    assert {output.get("name", "stdout") for output in outputs} == {"stdout"}


def test_its_figures_are_png_images() -> None:
    shown = [output.get("data", {}) for cell in cells("code") for output in cell["outputs"]]
    figures = [image(data["image/png"]) for data in shown if "image/png" in data]
    assert len(figures) == 3
    assert all(figure.startswith(PNG) for figure in figures)
    assert not any("<svg" in "".join(data.get("text/html", "")) for data in shown)
    assert NOTEBOOK.stat().st_size < 1_500_000


def test_every_code_cell_has_an_introduction() -> None:
    kinds = "".join(cell["cell_type"][0] for cell in CONTENT["cells"])
    assert re.fullmatch("m(mc)+m", kinds)
    assert all(source_of(cell).strip() for cell in CONTENT["cells"])


def test_it_uses_only_the_public_interface() -> None:
    imported = {
        alias.name if isinstance(node, ast.Import) else str(node.module)
        for cell in cells("code")
        for node in ast.walk(ast.parse(source_of(cell)))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert {name for name in imported if name.startswith("alignscope")} == {"alignscope"}
    used = {*re.findall(r"\bal\.(\w+)", "\n".join(map(source_of, cells("code"))))}
    assert used
    assert {name for name in used if name not in alignscope.__all__} == set()


class Image:
    """A stand-in for ``IPython.display.Image``."""

    def __init__(self, data: bytes | Path, width: int) -> None:
        self.data = data if isinstance(data, bytes) else data.read_bytes()
        self.width = width


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for temporary files, and a stand-in for IPython."""
    display = ModuleType("IPython.display")
    vars(display)["Image"] = Image
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("ALIGNSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)
    return folder


@pytest.mark.slow
def test_its_outputs_are_up_to_date(temporary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After an intended change, run ``python docs/execute.py``."""
    names: dict[str, Any] = {}
    with pl.Config():  # restores the settings that the notebook changes
        for cell in cells("code"):
            capsys.readouterr()
            shown = execute(source_of(cell), names)
            printed = capsys.readouterr().out
            compare(shown, printed, cell["outputs"])
    assert list(temporary.iterdir()) == []


def execute(source: str, names: dict[str, Any]) -> Any:
    """Execute a cell and return its value: that of its last line, if this is an expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<cell>", "exec"), names)
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)


def compare(shown: Any, printed: str, outputs: list[dict[str, Any]]) -> None:
    """Compare the value and the printed text of a cell with its stored outputs."""
    assert printed == "".join(text for output in outputs for text in output.get("text", []))
    stored = {kind: data for output in outputs for kind, data in output.get("data", {}).items()}
    match shown:
        case None:
            assert stored == {}
        case pl.DataFrame():
            compare_tables(shown, "".join(stored["text/html"]))
        case Image():
            assert shown.data.startswith(PNG)
            assert "image/png" in stored
        case _:
            assert repr(shown) == "".join(stored["text/plain"])


def compare_tables(table: pl.DataFrame, stored: str) -> None:
    columns = re.findall(r"<th>(.*?)</th>", stored)
    body = stored.partition("<tbody>")[2]
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", body)]
    assert table.columns == [html.unescape(column) for column in columns]
    assert len(rows) == len(table) > 0
    for now, then in zip(table.rows(), rows, strict=True):
        for value, text in zip(now, map(html.unescape, then), strict=True):
            if isinstance(value, int | float):
                assert value == pytest.approx(float(text), abs=TOLERANCE)
            else:
                assert text == ("null" if value is None else f'"{value}"')
