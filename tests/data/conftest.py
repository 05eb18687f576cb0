import os
from pathlib import Path

import pytest

from alignscope.data.paths import DataPaths
from tests.helpers import ROOT


def _shared_folder() -> Path | None:
    named = os.environ.get("ALIGNSCOPE_DATA", "").split(os.pathsep)
    beside = ROOT.parent / "shared" / "data"
    folders = [Path(folder) for folder in named if folder] + [beside]
    return next((folder for folder in folders if (folder / "manifest.json").is_file()), None)


@pytest.fixture(scope="session")
def shared() -> Path:
    folder = _shared_folder()
    if folder is None:
        pytest.skip("no shared data: set ALIGNSCOPE_DATA to a folder with manifest.json")
    return folder


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory) -> None:
    """No test looks into the user's folders or cache."""
    for name in ("ALIGNSCOPE_UD_URL", "ALIGNSCOPE_UNER_URL", "ALIGNSCOPE_WIKIANN_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens on "discard"
    monkeypatch.delenv("ALIGNSCOPE_DATA", raising=False)
    monkeypatch.setenv("ALIGNSCOPE_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def places(tmp_path: Path) -> DataPaths:
    """One data folder, the test's own, and no network."""
    return DataPaths((tmp_path,), tmp_path / "cache", download=False)
