"""In a real browser the page requests nothing, logs no error, and no text overlaps."""

import html
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from alignscope.analysis.comparison import ComparedResults
from alignscope.analysis.results import StudyResults
from alignscope.report.page import Report
from tests.helpers.imagined import build, study_text

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian's package chromium)"),
]

FRAME = """<!doctype html><link rel="icon" href="data:,"><body style="margin:0">
<iframe src="/{page}" style="border:0;width:{width}px;height:900px"></iframe><pre id="found"></pre>
<script>
document.querySelector("iframe").onload = (event) => {{
  const page = event.target.contentDocument, view = event.target.contentWindow;
  for (const folded of page.querySelectorAll("details")) folded.open = true;
  const box = (node) => [node.textContent, node.getBoundingClientRect()];
  const boxes = (nodes) => [...nodes].map(box);
  const over = [];
  function compare(nodes) {{
    const found = boxes(nodes);
    found.forEach(([one, a], i) => found.slice(0, i).forEach(([other, b]) => {{
      const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (x > 1.5 && y > 3) over.push([one, other]);
    }}));
  }}
  for (const figure of page.querySelectorAll("figure svg")) {{
    compare(figure.querySelectorAll("text"));
  }}
  compare(page.querySelectorAll("figure"));
  compare(page.querySelectorAll(".token"));
  const marks = page.querySelectorAll("[data-tooltip]");
  const at = marks[0].getBoundingClientRect();
  const move = {{bubbles: true, clientX: at.x, clientY: at.y}};
  marks[0].dispatchEvent(new view.PointerEvent("pointermove", move));
  document.getElementById("found").textContent = JSON.stringify({{
    over, wide: page.documentElement.scrollWidth, marks: marks.length,
    tip: page.getElementById("tip").textContent,
    ground: view.getComputedStyle(page.body).backgroundColor,
    ink: view.getComputedStyle(page.querySelector("figure svg text")).fill,
  }});
}};
</script>"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page of a study and the page that compares two encoders."""
    folder = tmp_path_factory.mktemp("pages")
    stores = []
    for name in ("one", "other"):
        (folder / name).mkdir()
        study, store = build(folder / name, study_text(f'"{name}-encoder"'))
        stores.append(store)
        (folder / "report.html").write_text(
            Report(study.name, StudyResults.of(study, store)).html(), encoding="utf-8"
        )
    both = Report("one · other", ComparedResults(stores)).html()
    (folder / "compare.html").write_text(both, encoding="utf-8")
    return folder


@pytest.fixture
def served(pages: Path) -> Iterator[tuple[int, list[str]]]:
    """The port of a server of that folder, and the paths that were requested."""
    requests: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            requests.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(pages)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, requests
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", ["report.html", "compare.html"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_on_a_desktop_and_a_phone_in_both_themes(
    name: str, width: int, scheme: str, pages: Path, served: tuple[int, list[str]], tmp_path: Path
) -> None:
    port, requests = served
    (pages / "frame.html").write_text(FRAME.format(page=name, width=width), encoding="utf-8")
    quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update"]
    ended = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", *quiet,
            "--disable-sync", f"--user-data-dir={tmp_path}", "--enable-logging=stderr",
            f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}",
            "--virtual-time-budget=5000", "--window-size=1400,1000", "--dump-dom",
            f"http://127.0.0.1:{port}/frame.html",
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    (text,) = re.findall(r'<pre id="found">(.*?)</pre>', ended.stdout, re.S)
    found = json.loads(html.unescape(text))
    assert found["over"] == []
    assert found["wide"] <= width
    assert found["marks"] > 100
    assert re.search(r"\d", found["tip"])
    assert "CONSOLE" not in ended.stderr
    assert sorted(set(requests)) == sorted(["/frame.html", f"/{name}"])
    light = found["ground"] == "rgb(255, 255, 255)"
    assert light == (scheme == "light")
    assert found["ink"] != found["ground"]
