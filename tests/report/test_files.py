"""Every figure and table is written as files with safe names."""

from pathlib import Path
from xml.etree import ElementTree

import polars as pl

from alignscope.report.files import file_name
from alignscope.report.page import Report


def test_every_figure_and_table_is_written_in_every_format(report: Report, tmp_path: Path) -> None:
    names = {path.name for path in report.write_files(tmp_path)}
    for figure in report.figures.values():
        assert {f"{figure.name}.{end}" for end in ("svg", "pdf", "png", "csv")} <= names
        assert (tmp_path / f"{figure.name}.pdf").read_bytes().startswith(b"%PDF")
        assert (tmp_path / f"{figure.name}.png").read_bytes().startswith(b"\x89PNG")
        ElementTree.parse(tmp_path / f"{figure.name}.svg")
        assert pl.read_csv(tmp_path / f"{figure.name}.csv").height == figure.data.height
    for table in report.tables:
        assert {f"{table.name}.{end}" for end in ("csv", "md", "tex")} <= names
    assert pl.read_csv(tmp_path / "scores.csv").height == 12 * 8


def test_long_names_fit_into_a_file_system() -> None:
    first, second = (file_name("heat", "x" * 400 + end) for end in "ab")
    assert first != second
    assert len(first.encode()) < 200
    assert file_name("heat", "ud:en_ewt") == "heat-ud-en_ewt"
