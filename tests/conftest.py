"""Fixtures that several folders share: tiny pretrained encoders."""

import importlib.util
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
import torch


def _load(name: str) -> ModuleType:
    """Import a module beside this file: importlib mode puts no test folder on the path."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


_families = _load("families")
_load("gauss")
_load("imagined")
_load("planted")
_load("toys")
_tiny = _load("tiny")
_load("work")


@pytest.fixture(scope="session", params=list(_families.FAMILIES))
def family(request: pytest.FixtureRequest) -> str:
    """The ``config.model_type`` of each family in turn."""
    return str(request.param)


@pytest.fixture(scope="session")
def encoder_folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """From a family's name to the folder of a tiny pretrained encoder; do not write to it."""
    return cache(lambda name: _families.save(name, tmp_path_factory.mktemp(name)))


@pytest.fixture(scope="session")
def encoder_folder(family: str, encoder_folders: Callable[[str], Path]) -> Path:
    """The folder of a tiny pretrained encoder of ``family``; do not write to it."""
    return encoder_folders(family)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real corpora: the first of ``ALIGNSCOPE_DATA``, or beside the repository."""
    named = [Path(name) for name in os.environ.get("ALIGNSCOPE_DATA", "").split(os.pathsep) if name]
    for folder in [*named, Path(__file__).parents[2] / "shared" / "data"]:
        if (folder / "ud" / "en_ewt").is_dir():
            return folder
    pytest.skip("no ud/en_ewt: set ALIGNSCOPE_DATA to a folder that has real corpora")


@pytest.fixture(scope="session")
def tiny_corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with tiny treebanks and named entity corpora; do not write to it."""
    folder: Path = _tiny.write_corpora(tmp_path_factory.mktemp("corpora"))
    return folder


@pytest.fixture
def workshop(
    tmp_path: Path,
    tiny_corpora: Path,
    encoder_folders: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> "_tiny.Workshop":
    """A tiny study of six runs with its data and a tiny BERT, away from the user's folders."""
    monkeypatch.delenv("ALIGNSCOPE_DATA", raising=False)
    monkeypatch.setenv("ALIGNSCOPE_CACHE", str(tmp_path / "cache"))
    # On matrices this small threads only wait for each other, and their number may change a bit.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)
    found = _tiny.Workshop(tmp_path, tiny_corpora, encoder_folders("bert"))
    found.write(_tiny.GRID)
    return found
