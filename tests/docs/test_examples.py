"""Every ``>>>`` example in a docstring runs and prints what the docstring shows."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import alignscope

OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
MODULES = [
    module.name
    for module in pkgutil.walk_packages(alignscope.__path__, "alignscope.")
    if not module.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # some examples write files
    monkeypatch.delenv("ALIGNSCOPE_DATA", raising=False)
    monkeypatch.setenv("ALIGNSCOPE_CACHE", str(tmp_path / "cache"))
    module = importlib.import_module(name)
    assert doctest.testmod(module, optionflags=OPTIONS).failed == 0
