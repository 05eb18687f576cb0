import os
from pathlib import Path

import pytest

from alignscope.data.paths import DataPaths
from tests.helpers import ROOT


def _shared_folder() -> Path | None:
    from_environment = os.environ.get("ALIGNSCOPE_DATA", "").split(os.pathsep)
    beside = ROOT.parent / "shared" / "data"
    folders = [Path(folder) for folder in from_environment if folder] + [beside]
    return next((folder for folder in folders if (folder / "manifest.json").is_file()), None)


@pytest.fixture(scope="session")
def shared() -> Path:
    folder = _shared_folder()
    if folder is None:
        pytest.skip("no shared data: set ALIGNSCOPE_DATA to a folder with manifest.json")
    return folder


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory) -> None:
    """Keep tests away from the folders and the cache of the user, and from the network."""
    for name in ("ALIGNSCOPE_UD_URL", "ALIGNSCOPE_UNER_URL", "ALIGNSCOPE_WIKIANN_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # the port "discard" is closed
    monkeypatch.delenv("ALIGNSCOPE_DATA", raising=False)
    monkeypatch.setenv("ALIGNSCOPE_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def data_paths(tmp_path: Path) -> DataPaths:
    """The temporary folder of the test as the only data folder, without network."""
    return DataPaths((tmp_path,), tmp_path / "cache", download=False)
