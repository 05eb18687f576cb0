"""Relative links between pages lead to files and headings that exist."""

import json
import re
from pathlib import Path

import pytest

from tests.helpers import ROOT

PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("src/alignscope/**/*.md")]
)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")


def prose(path: Path) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)


def anchors(path: Path) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub forms them."""
    headings = re.findall(r"^#+ (.+)$", prose(path), flags=re.M)
    return {
        re.sub(r"[^\w\- ]", "", re.sub(r"\]\([^)]*\)", "", heading).lower()).replace(" ", "-")
        for heading in headings
    }


def is_broken(page: Path, link: str) -> bool:
    """Return whether a link from a page leads nowhere."""
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    return not target.exists() or (bool(anchor) and anchor not in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page: Path) -> None:
    assert [link for link in LINK.findall(prose(page)) if is_broken(page, link)] == []


def test_links_of_the_notebook_lead_to_files() -> None:
    path = ROOT / "docs" / "encoder-to-figure.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    links = LINK.findall(text)
    assert links
    assert [link for link in links if is_broken(path, link)] == []


def test_broken_links_are_detected(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A heading, with `code`\n[a](missing.md) [b](#a-heading-with-code) [c](#no)")
    assert [link for link in LINK.findall(prose(page)) if is_broken(page, link)] == [
        "missing.md",
        "#no",
    ]
