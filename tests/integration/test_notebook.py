"""The notebook of the docs: executed from top to bottom, of no machine, and still true."""

import ast
import base64
import html
import importlib
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

from tests.helpers import ROOT

NOTEBOOK = ROOT / "docs" / "encoder-to-figure.ipynb"
CONTENT: dict[str, Any] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
MACHINE = re.compile(r"/(tmp|root|work|home|Users)\b|\\Users\\|\b0x[0-9a-f]{6,}")
PNG = b"\x89PNG\r\n"
TOLERANCE = 0.01
"""Another processor may round another way; whoever changes what is computed, changes more."""


def cells(kind: str) -> list[dict[str, Any]]:
    return [cell for cell in CONTENT["cells"] if cell["cell_type"] == kind]


def source_of(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def texts(node: Any) -> Iterator[str]:
    """Every string of the notebook; images as the bytes they are."""
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


def test_it_is_a_notebook_of_no_machine() -> None:
    assert (CONTENT["nbformat"], CONTENT["nbformat_minor"]) == (4, 5)
    names = [cell["id"] for cell in CONTENT["cells"]]
    assert len({*names}) == len(names) == len(cells("code")) + len(cells("markdown"))
    assert all(cell["metadata"] == {} for cell in CONTENT["cells"])
    assert CONTENT["metadata"].keys() == {"kernelspec", "language_info"}
    assert "version" not in CONTENT["metadata"]["language_info"]
    assert [text for text in texts(CONTENT) if MACHINE.search(text)] == []


def test_it_was_executed_from_top_to_bottom() -> None:
    counts = [cell["execution_count"] for cell in cells("code")]
    assert counts == list(range(1, len(counts) + 1))
    assert all(cell["outputs"] for cell in cells("code"))


def test_nothing_failed_and_nothing_was_said_on_the_way() -> None:
    outputs = [output for cell in cells("code") for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} == {"stream", "execute_result"}
    assert {output.get("name", "stdout") for output in outputs} == {"stdout"}


def test_figures_are_images_that_are_shown_everywhere() -> None:
    shown = [output.get("data", {}) for cell in cells("code") for output in cell["outputs"]]
    figures = [image(data["image/png"]) for data in shown if "image/png" in data]
    assert len(figures) == 3
    assert all(figure.startswith(PNG) for figure in figures)
    assert not any("<svg" in "".join(data.get("text/html", "")) for data in shown)
    assert NOTEBOOK.stat().st_size < 1_500_000


def test_every_cell_of_code_is_introduced() -> None:
    kinds = "".join(cell["cell_type"][0] for cell in CONTENT["cells"])
    assert re.fullmatch("m(mc)+m", kinds)
    assert all(source_of(cell).strip() for cell in CONTENT["cells"])


def test_its_links_lead_somewhere() -> None:
    told = "\n".join(map(source_of, cells("markdown")))
    links = re.findall(r"\]\((?!https:)([^)]+)\)", told)
    assert len(links) >= 5
    assert [link for link in links if not (NOTEBOOK.parent / link).is_file()] == []


def test_what_it_imports_is_there() -> None:
    """What a name is called is known in no time; what it does, by the slow test."""
    found = [
        (node.module, alias.name)
        for cell in cells("code")
        for node in ast.walk(ast.parse(source_of(cell)))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("alignscope.")
        for alias in node.names
    ]
    assert len(found) > 10
    for module, name in found:
        assert hasattr(importlib.import_module(str(module)), name), f"{module}.{name}"


class Image:
    """What ``IPython.display.Image`` is given, where there is no IPython."""

    def __init__(self, data: bytes | Path, width: int) -> None:
        self.data = data if isinstance(data, bytes) else data.read_bytes()
        self.width = width


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for temporary ones, and a stand-in for IPython."""
    display = ModuleType("IPython.display")
    vars(display)["Image"] = Image
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)
    return tmp_path


@pytest.mark.slow
def test_it_still_says_the_same(away: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where it does not, and is right not to: ``python docs/execute.py``."""
    names: dict[str, Any] = {}
    with pl.Config():  # what the notebook sets is forgotten after it
        for cell in cells("code"):
            capsys.readouterr()
            shown = execute(source_of(cell), names)
            said = capsys.readouterr().out
            compare(shown, said, cell["outputs"])
    assert list(away.iterdir()) == []


def execute(source: str, names: dict[str, Any]) -> Any:
    """Execute a cell and return what it would show: its last line, if that is an expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<cell>", "exec"), names)
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)


def compare(shown: Any, said: str, outputs: list[dict[str, Any]]) -> None:
    """Hold what a cell shows and says now against what is kept of it."""
    assert said == "".join(text for output in outputs for text in output.get("text", []))
    kept = {kind: data for output in outputs for kind, data in output.get("data", {}).items()}
    match shown:
        case None:
            assert kept == {}
        case pl.DataFrame():
            compare_tables(shown, "".join(kept["text/html"]))
        case Image():
            assert shown.data.startswith(PNG)
            assert "image/png" in kept
        case _:
            now, then = (masked(text) for text in (shown._repr_html_(), "".join(kept["text/html"])))
            assert now == then


def masked(text: str) -> str:
    """A text without its numbers."""
    return re.sub(r"\d+(\.\d+)?", "#", text)


def compare_tables(table: pl.DataFrame, kept: str) -> None:
    columns = re.findall(r"<th>(.*?)</th>", kept)
    body = kept.partition("<tbody>")[2]
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", body)]
    assert table.columns == [html.unescape(column) for column in columns]
    assert len(rows) == len(table) > 0
    for now, then in zip(table.rows(), rows, strict=True):
        for value, text in zip(now, map(html.unescape, then), strict=True):
            if isinstance(value, int | float):
                assert value == pytest.approx(float(text), abs=TOLERANCE)
            else:
                assert text == ("null" if value is None else f'"{value}"')
