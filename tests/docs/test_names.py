"""Public names, commands and options that the documentation mentions exist."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import alignscope
from alignscope.cli import app
from tests.helpers import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/results/*.md")])
PAGES = [page for page in PAGES if page.name not in ("CHANGELOG.md", "LOG.md", "cli.md")]


def page_id(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def commands(page: Path) -> Iterator[list[str]]:
    """Yield the arguments of every ``alignscope`` command in the shell blocks of a page."""
    text = page.read_text(encoding="utf-8")
    for block in re.findall(r"^```sh\n(.*?)^```", text, flags=re.M | re.S):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("alignscope "):
                yield shlex.split(line, comments=True)[1:]


def unknown_options(arguments: list[str]) -> list[str]:
    """Return the command, or those of its options, that the command line does not have."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        name, *arguments = arguments
        if name not in command.commands:
            return [name]
        command = command.commands[name]
    known = {option for parameter in command.params for option in parameter.opts}
    known |= {option for parameter in command.params for option in parameter.secondary_opts}
    options = [word.partition("=")[0] for word in arguments if word.startswith("--")]
    return [option for option in options if option not in {*known, "--help"}]


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_public_names_exist(page: Path) -> None:
    names = {*re.findall(r"\bal\.([A-Za-z]\w*)", page.read_text(encoding="utf-8"))}
    assert {name for name in names if not hasattr(alignscope, name)} == set()


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_commands_and_options_exist(page: Path) -> None:
    assert [unknown_options(arguments) for arguments in commands(page)] == [
        [] for _ in commands(page)
    ]


def test_unknown_commands_and_options_are_detected() -> None:
    assert unknown_options(["tabel", "effects"]) == ["tabel"]
    assert unknown_options(["table", "effects", "--storre", "x"]) == ["--storre"]
    assert unknown_options(["synthetic", "write", "--out", "x"]) == []
