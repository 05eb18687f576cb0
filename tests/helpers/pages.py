"""Read the page of a report."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from alignscope.analysis.results import StudyResults
from alignscope.report.page import Report
from alignscope.results.store import RunResult
from tests.helpers.imagined import build, study_text


class Elements(HTMLParser):
    """The tags of a page with their attributes, and the text outside of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] not in ("script", "style"):
            self.text += data


def tables_of(page: str) -> dict[str, list[list[str]]]:
    """Return the cells of each table on a page by the table's name, header first."""
    tables = {}
    for name, body in re.findall(r'id="table-([\w-]+)">(.*?)</table>', page, re.S):
        rows = re.findall(r"<tr>(.*?)</tr>", body, re.S)
        cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in rows]
        tables[name] = [[re.sub(r"<[^>]*>", "", cell) for cell in row] for row in cells]
    return tables


def page_text(folder: Path, text: str | None = None, change: Any = lambda result: result) -> str:
    """Return the text of the page of an invented study.

    Args:
        folder: an empty folder for the study.
        text: the study file; by default that of `study_text`.
        change: a function that changes a result, or returns None to omit it.
    """
    study, store = build(folder, study_text() if text is None else text, change)
    return Elements(Report(study.name, StudyResults.of(study, store)).html()).text


def shift(by: float, window: str, relation: str = "cross-lingual") -> Any:
    """Return a change that makes all scores equal within a seed, but for one window and relation.

    Args:
        by: the effect of the window, a fraction.
        window: the window with an effect.
        relation: the corpora with an effect.
    """

    def change(result: RunResult) -> RunResult:
        for row in result.scores:
            row["score"] = 0.7 + 0.001 * result.run.seed
            if result.run.window == window and row["relation"] == relation:
                row["score"] += by
        return result

    return change
