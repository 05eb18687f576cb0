"""Loading by name from a local hub; no other network is used."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    """Serves ``folder`` as ``lab/tiny``; ``main`` and ``v1`` are the same commit."""

    folder: Path
    requests: list[str]

    def do_HEAD(self) -> None:
        path = self.path.partition("?")[0].strip("/")
        self.requests.append(path)
        _, resolve, file = path.partition("lab/tiny/resolve/")
        revision, _, name = file.partition("/")
        if resolve:
            self._file(revision, self.folder / name)
        elif path.startswith("api/models/lab/tiny"):
            self._json(path)
        else:
            self._answer(404, b"", {"X-Error-Code": "RepoNotFound"})

    do_GET = do_HEAD  # noqa: N815 - the name that http.server calls

    def _file(self, revision: str, file: Path) -> None:
        if revision not in ("main", "v1", COMMIT):
            self._answer(404, b"", {"X-Error-Code": "RevisionNotFound"})
        elif not file.is_file():
            self._answer(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
        else:
            tag = f'"{file.name}-{file.stat().st_size}"'
            self._answer(200, file.read_bytes(), {"ETag": tag, "X-Repo-Commit": COMMIT})

    def _json(self, path: str) -> None:
        files = sorted(file.name for file in self.folder.iterdir())
        tree = [{"type": "file", "path": name, "size": 1, "oid": "0"} for name in files]
        about = {"id": "lab/tiny", "sha": COMMIT, "siblings": [{"rfilename": f} for f in files]}
        body = json.dumps(tree if "/tree/" in path else about)
        self._answer(200, body.encode(), {"Content-Type": "application/json"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print no line per request."""


@pytest.fixture
def hub(encoder_folders: Callable[[str], Path]) -> Iterator[str]:
    Hub.folder, Hub.requests = encoder_folders("bert"), []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


PROGRAM = """
import json, sys
from alignscope.encoders.load import block_count, load_model, load_tokenizer, resolved_revision
from alignscope.errors import EncoderError

answers = []
for name, revision in json.loads(sys.argv[1]):
    try:
        encoder = load_model(name, revision)
        subwords = load_tokenizer(name, revision)("ab")["input_ids"]
        blocks = block_count(name, revision)
        answers.append([type(encoder).__name__, resolved_revision(encoder), blocks, len(subwords)])
    except EncoderError as error:
        answers.append(str(error))
print(json.dumps(answers))
"""


def ask(hub: str, home: Path, *encoders: tuple[str, str], **more: str) -> list[object]:
    """Load in another process, because the address of the hub is read at import."""
    environment = {**os.environ, "HF_ENDPOINT": hub, "HF_HOME": str(home), **more}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, json.dumps(encoders)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: list[object] = json.loads(done.stdout)
    return answer


@pytest.mark.slow
def test_encoder_is_loaded_from_a_hub(hub: str, tmp_path: Path) -> None:
    good = ["BertModel", COMMIT, 4, 4]
    loaded = ask(hub, tmp_path, ("lab/tiny", "main"), ("lab/tiny", "v1"), ("lab/tiny", COMMIT))
    assert loaded == [good, good, good]
    assert not [path for path in Hub.requests if "discussions" in path]

    missing = ask(hub, tmp_path, ("lab/tiny", "v9"), ("lab/none", "main"))
    ending = "is neither a folder nor an encoder on the hub that you can access."
    assert missing == [f"lab/tiny@v9 {ending}", f"lab/none@main {ending}"]

    unreachable = (
        "lab/none is not a folder, and the hub cannot be reached. Correct the path, or connect to "
        "the network."
    )
    offline = ask(hub, tmp_path, ("lab/tiny", "main"), ("lab/none", "main"), HF_HUB_OFFLINE="1")
    assert offline == [good, unreachable]
