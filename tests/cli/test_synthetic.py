"""The commands of ``alignscope synthetic``: help, output and exit codes."""

import re
from pathlib import Path

import pytest
import typer.main

from alignscope.cli import synthetic as cli_synthetic
from alignscope.data.corpus import parse_corpus
from alignscope.data.layouts import files_under
from alignscope.data.synthetic.language import languages
from tests.helpers.tiny import call

COMMANDS = typer.main.get_command(cli_synthetic.app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name: str) -> None:
    command = COMMANDS[name]
    assert re.fullmatch(r"[A-Z].*\.", command.help, re.DOTALL)
    for parameter in command.params:
        if parameter.name != "help":
            assert getattr(parameter, "help", None), f"{name} {parameter.name}"
    assert call("synthetic", name, "--help").code == 0


def test_without_a_command_help_is_shown() -> None:
    answer = call("synthetic")
    assert all(name in answer.out + answer.err for name in COMMANDS)


def test_show() -> None:
    answer = call("synthetic", "show", "--languages", "vesti, qadir,vesti", "--n", "2")
    assert (answer.code, answer.err) == (0, "")
    found = re.findall(r"^(\S+?)(?::|$)", answer.out, re.MULTILINE)
    assert [name for name in found if name] == [
        *("news-test-00000", "Vesti", "Qadir"),
        *("news-test-00001", "Vesti", "Qadir"),
    ]


def test_show_has_several_scripts_by_default() -> None:
    answer = call("synthetic", "show", "--n", "1", "--domain", "chat", "--split", "dev")
    assert answer.code == 0
    assert "chat-dev-00000" in answer.out
    for letter in ("\u0627", "\u4e00", "\uac00"):  # Arabic, Han, Hangul
        assert any(letter <= other < chr(ord(letter) + 10_000) for other in answer.out)


def test_languages_may_be_given_one_by_one() -> None:
    together = call("synthetic", "show", "--languages", "vesti,qadir", "--n", "1")
    apart = call(
        "synthetic", "show", "--languages", "vesti", "--languages", "qadir", "--n", "1"
    )  # fmt: skip
    assert together.out == apart.out
    assert "vesti" in apart.out.lower()


def test_list() -> None:
    answer = call("synthetic", "list")
    assert answer.code == 0
    assert answer.out.count("\n") == len(languages()) + 2


def test_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alignscope.data.synthetic.export.SPLITS", ("test",))
    answer = call("synthetic", "write", "--out", tmp_path, "--languages", "tamuz")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == f"Written: 9 files in {tmp_path}, of tamuz.\n"
    for kind in ("ud", "made", "topic"):
        corpus = parse_corpus(f"{kind}:tamuz_manual")
        assert list(files_under(tmp_path, kind, corpus.treebank)) == ["test"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "--languages", "vest"), r"vest is not a synthetic language; did you mean 'vesti"),
        (("show", "--languages", ""), r"An empty name is not a synthetic language"),
        (("show", "--domain", "sports"), r"The synthetic languages have no domain sports"),
        (("show", "--split", "all"), r"The synthetic languages have no split all"),
        (("show", "--n", "0"), r"0 is not a valid number of sentences"),
        (("write", "--out", "x", "--languages", "klingon"), r"klingon is not a synthetic language"),
    ],
)
def test_mistakes_are_one_sentence(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = call("synthetic", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert re.fullmatch(rf"error: {said}.*\n", answer.err)
    assert not list(tmp_path.iterdir())
