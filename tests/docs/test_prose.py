"""README, documentation, command-line help and docstrings avoid the banned phrases."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers import ROOT

BANNED = re.compile(
    r"""told\ from\ none | h[oe]lds?\ the\ truth | drawn\ upwards | taken\ off | \bgo(?:es)?\ on\b
    | if\ nothing\ is\ said | \basked\ for\b | \bby\ itself\b | \balike\b | \bfor\ people\b
    | held\ against | \bmade\ (?:languages|sentences|corpora) | \bsub-words?\b
    | \bso\ many\ are\b | \bas\ if\ by\b | \bwhoever\b | \b(?:is|are)\ said\b""",
    re.IGNORECASE | re.VERBOSE,
)
OPENING = re.compile(r"(?:^|(?<=[.!?] )|(?<=[.!?]\n))(?:What|Whoever|That|Of) [^.?!]*[.:;]", re.M)
ALLOWED = {
    "docs/api.md": (),
}
"""Legitimate uses: file, and the phrases that it may contain."""

PAGES = [
    *ROOT.glob("README.md"),
    *ROOT.glob("CONTRIBUTING.md"),
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("docs/*.ipynb"),
    *ROOT.glob("src/alignscope/**/*.md"),
]
MODULES = sorted(ROOT.glob("src/alignscope/**/*.py"))


def prose(path: Path) -> str:
    """Return what a person reads of a page or a module."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        return "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    if path.suffix == ".py":
        return "\n\n".join(docstrings(text))
    return re.sub(r"^```(?!text).*?^```", "", text, flags=re.M | re.S)


def docstrings(source: str) -> Iterator[str]:
    """Return every string that stands alone as a statement: the docstrings of all objects."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            text = str(node.value.value)
            yield re.sub(r"^ *>>>.*(?:\n *\S.*)*", "", text, flags=re.M)


def findings(path: Path) -> list[str]:
    """Return the banned phrases and sentence openings of a page or a module."""
    name = path.relative_to(ROOT).as_posix()
    text = prose(path)
    phrases = [match.group() for match in BANNED.finditer(re.sub(r"\s+", " ", text))]
    phrases += [match.group() for match in OPENING.finditer(text)]
    return [phrase for phrase in phrases if phrase not in ALLOWED.get(name, ())]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pages_avoid_banned_phrases(path: Path) -> None:
    assert findings(path) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_docstrings_avoid_banned_phrases(path: Path) -> None:
    assert findings(path) == []


@pytest.mark.parametrize(
    "text", ["These two look alike.", "It works. What is left is removed.", "Of all, one is kept."]
)
def test_banned_phrases_are_detected(text: str) -> None:
    assert BANNED.search(text) or OPENING.search(text)
    assert not OPENING.search("What is a window? A window is a range of blocks.")
