"""Fixtures that several folders share: tiny pretrained encoders."""

import importlib.util
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest


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
