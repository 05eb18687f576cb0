"""The specs of the tables: what is derived from them agrees with them."""

import subprocess
import sys

import pytest

from alignscope.analysis.results import ResultTables
from alignscope.errors import StudyError
from alignscope.results.specs import RENAMED, TABLES, table_spec
from tests.helpers import ROOT
from tests.helpers.tiny import call


def test_the_page_of_tables_is_up_to_date() -> None:
    """If this fails, run ``make docs``."""
    script = ROOT / "docs" / "make_tables.py"
    printed = subprocess.run([sys.executable, script], check=True, capture_output=True).stdout
    assert (ROOT / "docs" / "tables.md").read_bytes() == printed


def test_every_table_is_described() -> None:
    for name, spec in TABLES.items():
        assert spec.name == name
        assert spec.description.endswith(".")
        assert "\n" not in spec.description
        assert all(column.meaning for column in spec.columns.values())
        assert spec.in_points <= spec.columns.keys()


def test_every_table_is_a_property_of_results() -> None:
    assert all(isinstance(getattr(ResultTables, name), property) for name in TABLES)


def test_the_command_line_lists_every_table() -> None:
    text = " ".join(call("table", "--help").out.split())
    for spec in TABLES.values():
        assert f"{spec.name}: {spec.description}" in text


@pytest.mark.parametrize("name", RENAMED)
def test_tables_of_earlier_versions_name_their_successor(name: str) -> None:
    with pytest.raises(StudyError, match=f"{name} is now part of the table {RENAMED[name]}"):
        table_spec(name)
    answer = call("table", name, "study.toml")
    assert answer.code == 2
    assert answer.err == f"error: The table {name} is now part of the table {RENAMED[name]}.\n"
    assert RENAMED[name] in TABLES


def test_unknown_tables_are_refused_with_a_suggestion() -> None:
    with pytest.raises(StudyError, match=r"no table scorse; did you mean 'scores'\? The tables"):
        table_spec("scorse")
    with pytest.raises(StudyError, match=r"no table nothing\. The tables are scores, summary"):
        table_spec("nothing")
