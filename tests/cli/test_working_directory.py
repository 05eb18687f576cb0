"""No command writes into the working directory, or beside the study, what it was not told to."""

from pathlib import Path

import pytest
import typer.main

from alignscope.cli import commands
from alignscope.cli import synthetic as cli_synthetic
from tests.helpers.tiny import Workshop, call

GROUP = typer.main.get_command(commands.app).commands  # type: ignore[attr-defined]
SYNTHETIC = typer.main.get_command(cli_synthetic.app).commands  # type: ignore[attr-defined]

STUDY = """
windows = ["none"]
training = { epochs = 1, learning_rate = 1e-3 }
limits = { train = 4, dev = 2, test = 2 }

[similarity]
corpora = ["synthetic:vesti/news", "synthetic:qadir/news"]
limit = 20

[tasks.pos]
sources = ["synthetic:vesti/news"]
"""


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.fixture
def place(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """A study that is done, an empty working directory, and no folder named in the environment."""
    monkeypatch.delenv("ALIGNSCOPE_CACHE")
    for name in ("HOME", "USERPROFILE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(workshop.folder / "home"))
    workshop.write(STUDY)
    (workshop.folder / "empty").mkdir()
    monkeypatch.chdir(workshop.folder / "empty")
    answer = call(*arguments_of("run", workshop))
    assert answer.code == 0, answer.err
    return workshop


def arguments_of(command: str, place: Workshop) -> tuple[str | Path, ...]:
    """A call of each command whose outputs, if any, are named and lie in ``out``."""
    out = place.folder / "out"
    out.mkdir(exist_ok=True)
    study = (place.study, "--store", place.store)
    encoder = ("--encoder", place.encoder)
    corpora = ("--source", "synthetic:vesti/news", "--target", "synthetic:qadir/news")
    text = place.folder / "text.txt"
    text.write_text("the dog barks at a cat\n" * 40, encoding="utf-8")
    size = ("--steps", "2", "--hidden", "16", "--blocks", "1", "--vocabulary", "100")
    calls: dict[str, tuple[str | Path, ...]] = {
        "plan": ("plan", *study, *encoder),
        "run": ("run", *study, *encoder),
        "demo": ("demo", "--help"),  # tests/cli/test_demo.py
        "status": ("status", *study, *encoder),
        "tune": ("tune", study[0], *encoder, "--help"),  # tests/cli/test_tune.py
        "table": ("table", "scores", *study, *encoder),
        "claims": ("claims", *study, *encoder),
        "report": ("report", *study, *encoder, "--out", out / "a.html", "--files", out / "files"),
        "compare": ("compare", place.store, "--out", out / "b.html"),
        "blocks": ("blocks", place.encoder),
        "similarity": ("similarity", *corpora, *encoder, "--limit", "20"),
        "pretrain": ("pretrain", "--corpora", text, "--out", out / "encoder", *size),
        "synthetic list": ("synthetic", "list"),
        "synthetic show": ("synthetic", "show", "--n", "1"),
        "synthetic write": ("synthetic", "write", "--out", out / "data", "--languages", "tamuz"),
    }
    return calls[command]


COMMANDS = [name for name in GROUP if name != "synthetic"]
COMMANDS += [f"synthetic {name}" for name in SYNTHETIC]


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_written_that_was_not_named(command: str, place: Workshop) -> None:
    beside = {path.name for path in place.folder.iterdir()}
    answer = call(*arguments_of(command, place))
    assert answer.code == 0, answer.err
    assert files(place.folder / "empty") == set()
    assert {path.name for path in place.folder.iterdir()} <= beside | {"out", "text.txt", "home"}
