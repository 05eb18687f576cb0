"""Fixtures that several folders share: tiny pretrained encoders."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch

from tests.helpers import ROOT, families, tiny


@pytest.fixture(scope="session", params=list(families.FAMILIES))
def family(request: pytest.FixtureRequest) -> str:
    """The ``config.model_type`` of each family in turn."""
    return str(request.param)


@pytest.fixture(scope="session")
def encoder_folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """From a family's name to the folder of a tiny pretrained encoder; do not write to it."""
    return cache(lambda name: families.save(name, tmp_path_factory.mktemp(name)))


@pytest.fixture(scope="session")
def encoder_folder(family: str, encoder_folders: Callable[[str], Path]) -> Path:
    """The folder of a tiny pretrained encoder of ``family``; do not write to it."""
    return encoder_folders(family)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real corpora: the first of ``ALIGNSCOPE_DATA``, or beside the repository."""
    named = [Path(name) for name in os.environ.get("ALIGNSCOPE_DATA", "").split(os.pathsep) if name]
    for folder in [*named, ROOT.parent / "shared" / "data"]:
        if (folder / "ud" / "en_ewt").is_dir():
            return folder
    pytest.skip("no ud/en_ewt: set ALIGNSCOPE_DATA to a folder that has real corpora")


@pytest.fixture(scope="session")
def tiny_corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with tiny treebanks and named entity corpora; do not write to it."""
    folder: Path = tiny.write_corpora(tmp_path_factory.mktemp("corpora"))
    return folder


@pytest.fixture
def workshop(
    tmp_path: Path,
    tiny_corpora: Path,
    encoder_folders: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> tiny.Workshop:
    """A tiny study of six runs with its data and a tiny BERT, away from the user's folders."""
    monkeypatch.delenv("ALIGNSCOPE_DATA", raising=False)
    monkeypatch.setenv("ALIGNSCOPE_CACHE", str(tmp_path / "cache"))
    # On matrices this small threads only wait for each other, and their number may change a bit.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)
    found = tiny.Workshop(tmp_path, tiny_corpora, encoder_folders("bert"))
    found.write(tiny.GRID)
    return found
