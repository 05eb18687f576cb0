"""The package as it is installed: everything the demo needs is in the wheel."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.helpers import ROOT

TINY = """
name = "demo"
encoders = ["embedded"]
windows = ["0-1"]
training = { epochs = 1, learning_rate = 1e-3 }
limits = { train = 8, dev = 4, test = 4 }

[tasks.pos]
sources = ["synthetic:vesti/news"]
targets = ["synthetic:qadir/news"]
domains = ["synthetic:vesti/chat"]
"""
BLOCKED = """
import socket

def refuse(*arguments, **options):
    raise AssertionError("the network was used")

socket.socket.connect = socket.getaddrinfo = refuse

if __name__ == "__main__":
    from alignscope.cli import main
    main()
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the files from which the wheel is built."""
    copy = tmp_path_factory.mktemp("sources")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "src/alignscope", copy / "src/alignscope", ignore=_COMPILED)
    return copy


_COMPILED = shutil.ignore_patterns("__pycache__")


@pytest.fixture(scope="module")
def wheel(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _pip("wheel", "--no-deps", "--wheel-dir", folder, sources)
    return next(folder.glob("*.whl"))


def _pip(*arguments: str | Path) -> None:
    options = ("--quiet", "--disable-pip-version-check")
    subprocess.run([sys.executable, "-m", "pip", *map(str, arguments), *options], check=True)


@pytest.mark.slow
def test_all_data_files_are_in_the_wheel(wheel: Path, sources: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in (sources / "src/alignscope").rglob("*"):
        if path.is_file():
            assert path.relative_to(sources / "src").as_posix() in names


@pytest.mark.slow
def test_the_demo_of_an_installed_wheel(wheel: Path, tmp_path: Path) -> None:
    """In an empty folder, with the network off, twice: the second time nothing is trained."""
    _pip("install", "--no-deps", "--target", tmp_path / "site", wheel)
    (tmp_path / "site/alignscope/cli/demo.toml").write_text(TINY, encoding="utf-8")
    (tmp_path / "blocked.py").write_text(BLOCKED, encoding="utf-8")
    (tmp_path / "empty").mkdir()
    first = _demo(tmp_path)
    assert "2 runs, 0 done, 2 pending\n" in first.stderr
    results = tmp_path / "empty/alignscope-demo/results/runs"
    before = {path: path.stat().st_mtime_ns for path in results.iterdir()}
    assert len(before) == 2
    again = _demo(tmp_path)
    assert "2 runs, 2 done, 0 pending\n" in again.stderr
    assert again.stdout == first.stdout
    assert {path: path.stat().st_mtime_ns for path in results.iterdir()} == before
    assert [path.name for path in (tmp_path / "empty").iterdir()] == ["alignscope-demo"]


def _demo(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the demo of the installed package, with a home that has no cache."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "site"), "HOME": str(folder / "home")}
    return subprocess.run(
        [sys.executable, str(folder / "blocked.py"), "demo", "--workers", "2"],
        cwd=folder / "empty", env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
