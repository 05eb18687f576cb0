"""Downloads of corpora into the cache, from a local web server."""

import io
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import polars
import pytest

from alignscope.data.corpus import parse_corpus
from alignscope.data.download import (
    UD_RELEASE,
    WIKIANN_REVISION,
    RemoteFile,
    fetch,
    known_codes,
    universal_ner,
)
from alignscope.data.locate import read_corpus
from alignscope.data.paths import DataPaths
from alignscope.errors import DataError

CONLLU = b"1\tHi\t_\tINTJ\t_\t_\t0\troot\t_\t_\n\n"
UD = f"/ud/UD_English-EWT/{UD_RELEASE}/en_ewt-ud-dev.conllu"


class Mirror(ThreadingHTTPServer):
    """A local web server; it announces ``extra`` bytes more than it sends."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, bytes] = {}
        self.extra = 0
        self.code = 200
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        page = self.server.pages.get(self.path)
        self.send_response(404 if page is None else self.server.code)
        self.send_header("Content-Length", str(len(page or b"") + self.server.extra))
        self.end_headers()
        self.wfile.write(page or b"")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    with Mirror() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        for kind in ("ud", "uner", "wikiann"):
            monkeypatch.setenv(f"ALIGNSCOPE_{kind.upper()}_URL", f"{server.url}/{kind}")
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def online(tmp_path: Path) -> DataPaths:
    return DataPaths((), tmp_path / "cache", download=True)


def read(data_paths: DataPaths, name: str = "ud:en_ewt"):
    return read_corpus(parse_corpus(name), "dev", data_paths)


def files(data_paths: DataPaths) -> list[str]:
    return sorted(path.name for path in data_paths.cache.rglob("*") if path.is_file())


def test_every_kind_of_corpus_is_downloaded_from_its_publisher(mirror, online):
    table = io.BytesIO()
    polars.DataFrame({"tokens": [["Hi"]], "ner_tags": [[5]]}).write_parquet(table)
    commit = "8ed072de2fd24022cc62458997fe96a8fe191ea4"
    parquet = f"/wikiann/resolve/{WIKIANN_REVISION}/en/validation-00000-of-00001.parquet"
    mirror.pages = {
        UD: CONLLU,
        f"/uner/UNER_English-EWT/{commit}/en_ewt-ud-dev.iob2": b"1\tHi\tB-PER\t-\t-\n",
        parquet: table.getvalue(),
    }
    assert read(online)[0].heads == (0,)
    assert read(online, "uner:en_ewt")[0].entities == ("B-PER",)
    assert read(online, "wikiann:en")[0].entities == ("B-LOC",)
    assert mirror.requests == list(mirror.pages)


def test_a_downloaded_corpus_is_read_without_network(mirror, online):
    mirror.pages = {UD: CONLLU}
    first = read(online)
    assert read(online) == first
    assert read(DataPaths((), online.cache, download=False)) == first
    assert mirror.requests == [UD]
    assert files(online) == ["dev.conllu", "dev.conllu.sha256"]


def test_a_truncated_download_leaves_no_files(mirror, online):
    mirror.pages, mirror.extra = {UD: CONLLU}, 5
    size = len(CONLLU)
    with pytest.raises(DataError, match=rf"\({size} of {size + 5} bytes arrived\)\. Try again, or"):
        read(online)
    assert files(online) == []
    mirror.extra = 0
    assert len(read(online)) == 1


def test_a_file_without_its_checksum_counts_as_not_downloaded(mirror, online):
    mirror.pages = {UD: CONLLU}
    read(online)
    path = next(online.cache.rglob("dev.conllu"))
    path.write_bytes(CONLLU[:9])
    path.with_name("dev.conllu.sha256").unlink()
    assert len(read(online)) == 1
    assert mirror.requests == [UD, UD]


def test_a_changed_file_in_the_cache_is_refused(mirror, online):
    mirror.pages = {UD: CONLLU}
    read(online)
    path = next(online.cache.rglob("dev.conllu"))
    path.write_bytes(CONLLU.replace(b"Hi", b"Ho"))
    message = re.escape(str(path)) + " has changed since it was downloaded .* Delete it to download"
    with pytest.raises(DataError, match=message):
        read(online)


def test_a_corpus_that_is_not_published_is_reported(mirror, online):
    message = (
        f"{re.escape(mirror.url + UD)} does not exist .404.. The corpus does not exist, or lacks"
    )
    with pytest.raises(DataError, match=message):
        read(online)
    assert files(online) == []


def test_the_error_of_the_server_is_named(mirror, online):
    mirror.pages, mirror.code = {UD: CONLLU}, 503
    with pytest.raises(
        DataError, match=r"could not be downloaded .Service Unavailable.. Try again"
    ):
        read(online)


def test_the_message_about_a_missing_network_names_the_remedy(online):
    with pytest.raises(DataError, match=r"could not be downloaded .*refused.*--data or ALIGNSCOPE"):
        read(online)
    assert files(online) == []


def test_simultaneous_downloads_of_one_file_are_safe(mirror, online):
    content = CONLLU * 20000
    mirror.pages = {"/big": content}
    remote = RemoteFile(f"{mirror.url}/big", Path("big"))
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda _: fetch(remote, online.cache), range(8)))
    assert {path and path.read_bytes() == content for path in paths} == {True}
    assert files(online) == ["big", "big.sha256"]
    assert fetch(remote, online.cache, download=False) == online.cache / "big"


def test_the_lists_of_repositories_follow_the_naming_of_the_projects():
    import alignscope.data.download as module

    for kind, prefix in (("ud", "UD_"), ("uner", "UNER_")):
        for code, (repository, *commit) in module._repositories(kind).items():
            assert repository.startswith(prefix)
            assert code.split("_")[1] == repository.split("-")[1].lower()
            assert all(re.fullmatch("[0-9a-f]{40}", text) for text in commit)
    assert known_codes("ud") == sorted(known_codes("ud"))
    assert universal_ner("xx_none", "test") is None
