"""The page: true, whole, safe and for everybody; and the same numbers wherever they stand."""

import base64
import csv
import hashlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest

from alignscope.analysis.results import StudyResults
from alignscope.config.study import Study
from alignscope.errors import StoreError
from alignscope.report.figures.parallel import ParallelRenderer
from alignscope.report.files import file_name
from alignscope.report.page import Report
from alignscope.report.predictions import direction
from alignscope.results.store import ResultStore, RunFailure, RunResult
from tests.helpers.imagined import LANGUAGES, build, study_text
from tests.helpers.tiny import call

EVIL = "</title></text><script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Study, ResultStore]:
    folder = tmp_path_factory.mktemp("whole")
    return folder, *build(folder)


@pytest.fixture(scope="module")
def report(whole: tuple[Path, Study, ResultStore]) -> Report:
    _, study, store = whole
    return Report(study.name, StudyResults.of(study, store))


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return report.html()


class Elements(HTMLParser):
    """Tags with their attributes, and the text outside of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] not in ("script", "style"):
            self.text += data


def tables_of(page: str) -> dict[str, list[list[str]]]:
    """Cells of each table on the page, header first."""
    found = {}
    for name, body in re.findall(r'id="table-([\w-]+)">(.*?)</table>', page, re.S):
        rows = re.findall(r"<tr>(.*?)</tr>", body, re.S)
        cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in rows]
        found[name] = [[re.sub(r"<[^>]*>", "", cell) for cell in row] for row in cells]
    return found


def test_everything_asked_for_is_on_it(page: str) -> None:
    ids = {str(found["id"]) for _, found in Elements(page).tags if "id" in found}
    sections = "summary claims boundary effects languages similarity gap drift examples methods"
    assert {*sections.split(), "provenance"} <= ids
    kinds = {name.split("-")[0] for name in ids if name.endswith(("news", "config", "cka"))}
    layers = {"similarity", "tuned", "gap", "correlation", "drift"}
    assert kinds == {"contrast", "effects", "heat", *layers}
    assert {"table-effects", "table-claims", "table-boundaries", "table-runs"} <= ids
    text = Elements(page).text
    assert "All 12 runs are done." in text
    assert "of 3 windows, 0-1 costs most: without what it has learnt the 6 targets lose 2" in text
    assert "Prediction begins at block 2" in text
    assert "n = 3" in text
    assert "torch 2.13.0" in text


def test_no_request_leaves_it_and_no_other_script_runs(page: str) -> None:
    tags = Elements(page).tags
    for tag, attributes in tags:
        assert tag not in ("img", "iframe", "object", "base", "form")
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "action", "srcset"):
            target = attributes.get(name)
            assert target is None or target.startswith(("#", "data:")), target
    assert "@import" not in page
    assert set(re.findall(r"url\(([^)#]+)", page)) == set()
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.S)
    policy = next(a["content"] for t, a in tags if a.get("http-equiv"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy is not None
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")


def test_names_are_there_for_whom_sees_no_figure(page: str) -> None:
    pictures = [found for tag, found in Elements(page).tags if tag == "svg"]
    assert len(pictures) == 8
    for found in pictures:
        assert found["role"] == "img"
        assert len(str(found["aria-label"])) > 40
    for tag, found in Elements(page).tags:
        if found.get("class") == "scroll":
            assert found["aria-label"], tag
    assert '<html lang="en">' in page


def test_nothing_on_it_shares_an_id(page: str) -> None:
    ids = [found["id"] for _, found in Elements(page).tags if "id" in found]
    assert len(ids) == len(set(ids))
    for used in re.findall(r"url\(#([^)]+)\)", page) + re.findall(r'href="#([^"]+)"', page):
        assert used in ids


def test_marks_say_their_values(report: Report) -> None:
    for plate in report.plates:
        root = ElementTree.fromstring(plate.inline())
        titles = [part.text for part in root.iter("{http://www.w3.org/2000/svg}title")]
        assert len(titles) >= 6, plate.name
        assert all(re.search(r"\d", str(title)) or ":" not in str(title) for title in titles)
    heat = next(plate for plate in report.plates if plate.name.startswith("heat"))
    said = re.findall(r"<title>(.*?)</title>", heat.inline())
    rows = {
        (row["corpus"], row["window"], row["seed"]): row["value"] for row in heat.data.to_dicts()
    }
    assert 4 * len(said) == len(rows) == 4 * 3 * (len(LANGUAGES) + 1)
    for text in said:
        window, corpus, value = re.findall(r"^(\S+) on (\S+): (\S+) \[", text)[0]
        each = [rows[corpus, window, seed] for seed in (None, 1, 2, 3)]
        assert [value, *text.split("seeds ")[1].split(", ")] == [
            f"{100 * one:+z.1f}".replace("-", "−") for one in each
        ]


def test_every_seed_is_a_point_beside_the_mean(report: Report) -> None:
    for plate in report.plates:
        if plate.name.startswith(("effects", "drift", "gap", "tuned", "heat")):
            assert {1, 2, 3} <= set(plate.data["seed"].drop_nulls()), plate.name
        if plate.name.startswith(("effects", "drift", "gap", "tuned")):
            text = plate.inline()
            assert all(f"seed {seed}" in text for seed in (1, 2, 3)), plate.name


def test_page_csv_latex_and_markdown_have_equal_numbers(report: Report, page: str) -> None:
    shown = tables_of(page)
    assert {sheet.name for sheet in report.tables} == set(shown)
    for sheet in report.tables:
        files = {name.rsplit(".")[-1]: text.decode() for name, text in sheet.write().items()}
        header, *cells = shown[sheet.name]
        lines = [line for line in files["tex"].splitlines() if line.endswith("\\\\")]
        latex = [[plain(cell) for cell in line[:-3].split(" & ")] for line in lines]
        rows = [line.strip("| ").split("|") for line in files["md"].splitlines()]
        assert latex[1:] == [[unescaped(cell) for cell in row] for row in cells]
        assert [[c.strip() for c in row] for row in rows[2:]] == latex[1:]
        assert [c.strip() for c in rows[0]] == header


def plain(cell: str) -> str:
    for sign, text in (("$-$", "−"), ("$<$", "<"), ("$>$", ">"), (r"$\Delta$", "Δ")):
        cell = cell.replace(sign, text)
    return re.sub(r"\\([%_&#$])", r"\1", cell)


def unescaped(cell: str) -> str:
    return cell.replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'")


def test_effects_on_the_page_are_those_of_the_csv(report: Report, page: str) -> None:
    (sheet,) = (sheet for sheet in report.tables if sheet.name == "effects")
    header, *cells = tables_of(page)["effects"]
    rows = list(csv.DictReader(io.StringIO(sheet.write()["effects.csv"].decode())))
    values = {(row["window"], row["on"]): float(row["mean"]) for row in rows}
    columns = {"on source": "source", "on targets": "targets", "on domains": "domains"}
    columns |= dict.fromkeys(["targets − source"], "targets − source")
    for row in cells:
        window = row[header.index("window")]
        for title, on in columns.items():
            shown = row[header.index(title)].split(" [")[0]
            assert shown == f"{100 * values[window, on]:+z.1f}".replace("-", "−")


def test_depths_of_colour_go_with_the_numbers(report: Report, page: str) -> None:
    (body,) = re.findall(r'id="table-effects">(.*?)</table>', page, re.S)
    lost = re.findall(r'class="number lost" style="--depth: ([\d.]+)%">(−[\d.]+)', body)
    gained = re.findall(r'class="number gained" style="--depth: ([\d.]+)%">\+', body)
    assert lost
    assert len(lost) + len(gained) == body.count("--depth") - body.count("--depth: 0.0%")
    largest = 100 * max(map(abs, report.found.effects["mean"]))
    for depth, value in lost:  # to a digit of the number shown, and to a third of it where unsure
        full = 55 * float(value[1:]) / largest
        assert min(abs(float(depth) - full), abs(float(depth) - 0.3 * full)) < 0.3
    rows = re.findall(r'"number lost" style="--depth: ([\d.]+)%">(\S+) \[(\S+), (\S+)\]', body)
    for depth, _, low, high in rows:  # pale where the interval holds 0
        sure = low.startswith("−") == high.startswith("−")
        assert (float(depth) > 17) <= sure


# Not finished


def lose(windows: tuple[str | None, ...]) -> Any:
    return lambda made: None if made.run.window in windows and made.run.seed > 1 else made


def test_an_interrupted_study_says_what_is_missing(tmp_path: Path) -> None:
    study, store = build(tmp_path, change=lose(("2-3", "4-5")))
    found = StudyResults.of(study, store)
    missing = next(run for run in found.planned if run not in store)
    store.save_failure(RunFailure(missing, f"the loss is not a number {EVIL}"))
    page = Report(study.name, StudyResults.of(study, store)).html()
    text = Elements(page).text
    assert "8 of 12 runs are done (1 failed, 3 missing)" in text
    assert "the loss is not a number" in text
    failures = tables_of(page)["failures"]
    assert failures[1][failures[0].index("window")] == missing.window
    states = [row[tables_of(page)["runs"][0].index("status")] for row in tables_of(page)["runs"]]
    assert states.count("missing") == 3
    assert "<script>alert" not in page


@pytest.mark.parametrize("case", ["nothing", "only REF", "only windows", "one seed", "no layers"])
def test_whatever_is_done_has_a_true_page(case: str, tmp_path: Path) -> None:
    changes: dict[str, Any] = {
        "nothing": lambda made: None,
        "only REF": lambda made: made if made.run.window is None else None,
        "only windows": lambda made: None if made.run.window is None else made,
        "one seed": lambda made: made if made.run.seed == 1 else None,
        "no layers": lambda made: made,
    }
    text = study_text(similarity=case != "no layers")
    study, store = build(tmp_path, text, changes[case])
    page = Report(study.name, StudyResults.of(study, store)).html()
    done = {"nothing": 0, "only REF": 3, "only windows": 9, "one seed": 4, "no layers": 12}[case]
    told = Elements(page).text
    assert (f"{done} of 12 runs are done" if done < 12 else "All 12 runs are done") in told
    assert ('id="effects"' in page) == (case in ("one seed", "no layers"))
    if case == "one seed":  # no interval, so no verdict on effects
        header, *rows = tables_of(page)["effects"]
        assert all("[" not in cell for row in rows for cell in row)
        header, *rows = tables_of(page)["claims"]
        verdicts = {row[header.index("verdict")] for row in rows if row[header.index("window")]}
        assert verdicts == {"undecided"}
    if case == "no layers":
        assert "No layers were compared: that takes a [similarity] table" in told
    if case == "only windows":
        assert "No run that compares layers is done yet." in told


# Nothing in the data is markup


def evil(made: RunResult) -> RunResult:
    """Put markup into every text that comes from data."""

    def spoil(row: dict[str, Any], *kept: str) -> dict[str, Any]:
        texts = {k: v for k, v in row.items() if isinstance(v, str) and k not in kept}
        return row | {k: f"{v}{EVIL}" for k, v in texts.items()}

    scores = [spoil(row, "relation", "split", "corpus") for row in made.scores]
    examples = [
        row | {name: [EVIL + word for word in row[name]] for name in ("words", "gold", "predicted")}
        for row in made.examples
    ]
    about = spoil(made.provenance) | {"data": {EVIL: EVIL}, "versions": {EVIL: EVIL}}
    return replace(made, scores=scores, examples=examples, provenance=about)


def test_text_from_data_is_never_markup(tmp_path: Path) -> None:
    name = EVIL.replace("\\", "").replace('"', '\\"')
    text = study_text(f'"{name}"').replace('"imagined"', f'"{name}"')
    study, store = build(tmp_path, text, evil)
    missing = next(iter(StudyResults.of(study, store).planned))
    (store.folder / "runs" / f"{missing.address}.json").unlink()
    store.save_failure(RunFailure(missing, EVIL))
    report = Report(study.name, StudyResults.of(study, store))
    page = report.html()
    assert EVIL in Elements(page).text
    tags = Elements(page).tags
    assert [tag for tag, _ in tags].count("script") == 1
    assert "img" not in {tag for tag, _ in tags}
    assert not [a for _, found in tags for a in found if a.startswith("on")]
    assert [tag for tag, _ in tags].count("svg") == len(report.plates)
    (tmp_path / "two").mkdir()
    other = build(tmp_path / "two", text.replace("sha256", "sha256"), evil)[1]
    both = study_text(f'"{name}", "other"').replace('"imagined"', f'"{name}"')
    two = Report(study.name, StudyResults.of(*build(other.folder.parent, both, evil)))
    for shown in (report, two):
        for html in (shown._repr_html_(), *(plate._repr_html_() for plate in shown.plates)):
            assert not {"script", "img"} & {tag for tag, _ in Elements(html).tags}
    paths = report.write_files(tmp_path / "files")
    assert all(path.parent == tmp_path / "files" for path in paths)


# Examples


def test_right_to_left_words_stand_as_they_are(page: str) -> None:
    blocks = re.findall(r'<div class="tokens" dir="(\w+)">(.*?)</div>', page, re.S)
    words = {tuple(re.findall(r"<bdi[^>]*>(.*?)</bdi>", body)): way for way, body in blocks}
    assert words["بيت", "أحمر", "."] == "rtl"
    assert words["房子", "红", "。"] == "ltr"
    assert words["a", "red", "house"] == "ltr"
    assert page.count('<span class="mark">✗</span> NOUN') == 2 * (len(LANGUAGES) + 1)


@pytest.mark.parametrize(
    ("text", "way"),
    [("1 بيت", "rtl"), ("בית a", "rtl"), ("a בית", "ltr"), ("...", "ltr"), ("", "ltr")],
)
def test_direction(text: str, way: str) -> None:
    assert direction(text) == way


# What is said


def text_of(folder: Path, text: str, change: Any = lambda made: made) -> str:
    study, store = build(folder, text, change)
    return Elements(Report(study.name, StudyResults.of(study, store)).html()).text


def shift(by: float, window: str, relation: str = "cross-lingual") -> Any:
    def change(made: RunResult) -> RunResult:
        for row in made.scores:
            row["score"] = 0.7 + 0.001 * made.run.seed
            if made.run.window == window and row["relation"] == relation:
                row["score"] += by
        return made

    return change


def test_gains_and_losses_are_told_apart(tmp_path: Path) -> None:
    text = text_of(tmp_path, study_text(), shift(0.1, "2-3"))
    assert "of 3 windows, none costs the 6 targets anything in the mean" in text
    text = text_of(tmp_path, study_text(), shift(-0.1, "2-3"))
    assert (
        "of 3 windows, 2-3 costs most: without what it has learnt the 6 targets lose 10.0" in text
    )
    text = text_of(tmp_path, study_text(), shift(0.15, "0-1", "in-domain"))
    assert "on the targets alone" in text


def test_what_is_not_sure_or_not_there_is_said(tmp_path: Path) -> None:
    noise = iter(range(10**6))

    def noisy(made: RunResult) -> RunResult:
        for row in made.scores:
            row["score"] = 0.5 + 0.01 * ((7919 * next(noise)) % 13)
        return made

    assert "That is not told from none (p " in text_of(tmp_path, study_text(), noisy)
    lost = text_of(tmp_path, study_text(), lambda m: None if m.run.window == "0-1" else m)
    (tmp_path / "store").rename(tmp_path / "before")
    lost = text_of(tmp_path, study_text(), lambda m: None if m.run.window == "0-1" else m)
    assert "Not yet known: 0-1." in lost
    assert "only those beyond about ±0.8 are told from none" in lost


def test_methods_say_what_each_task_and_source_had(tmp_path: Path) -> None:
    more = """
        [tasks.ner]
        sources = ["synthetic:qadir/news"]
        targets = ["synthetic:vesti/news", "synthetic:dorun/news"]
        limits = { train = 50 }
        training = { epochs = 7 }
    """
    text = study_text() + more
    changed = lambda m: None if (m.run.task, m.run.seed) in {("ner", 2), ("ner", 3)} else m  # noqa: E731
    told = text_of(tmp_path, text, changed)
    assert "POS tagging from synthetic:vesti/news: windows 0-1, 2-3 and 4-5" in told
    assert "seeds 1, 2 and 3 (n = 3)" in told
    assert "seed 1 (n = 1)" in told
    assert "POS tagging from synthetic:vesti/news: 3 epochs of AdamW, learning rate 5e-05" in told
    assert "7 epochs of AdamW, of at most 50 train sentences" in told
    assert "POS tagging from synthetic:vesti/news: 6 target corpora zero-shot, 1 of other" in told
    assert "Named entities from synthetic:qadir/news: 2 target corpora zero-shot, 0 of" in told
    assert "parsing by LAS" not in told


def test_results_on_two_versions_of_a_corpus_are_refused(tmp_path: Path) -> None:
    def changed(made: RunResult) -> RunResult:
        data = dict.fromkeys(made.provenance["data"], "1" * 64)
        about = {**made.provenance, "data": data}
        return replace(made, provenance=about) if made.run.window == "0-1" else made

    with pytest.raises(StoreError, match="they read two different files as synthetic:"):
        text_of(tmp_path, study_text(), changed)


def test_many_windows_have_room(tmp_path: Path) -> None:
    windows = ", ".join(f'"{i}"' for i in range(8))
    text = study_text().replace('"0-1", "2-3", "4-5"', windows)
    study, store = build(tmp_path, text)
    plates = Report(study.name, StudyResults.of(study, store)).plates
    wide = {plate.name.split("-")[0] for plate in plates if plate.wide}
    assert wide == {"contrast", "effects", "heat"}


def test_long_names_fit_into_a_file_system() -> None:
    one, other = (file_name("heat", "x" * 400 + end) for end in "ab")
    assert one != other
    assert len(one.encode()) < 200
    assert file_name("heat", "ud:en_ewt") == "heat-ud-en_ewt"


# Files and commands


def test_every_figure_and_table_is_written_in_every_format(report: Report, tmp_path: Path) -> None:
    names = {path.name for path in report.write_files(tmp_path)}
    for plate in report.plates:
        assert {f"{plate.name}.{end}" for end in ("svg", "pdf", "png", "csv")} <= names
        assert (tmp_path / f"{plate.name}.pdf").read_bytes().startswith(b"%PDF")
        assert (tmp_path / f"{plate.name}.png").read_bytes().startswith(b"\x89PNG")
        ElementTree.parse(tmp_path / f"{plate.name}.svg")
        assert pl.read_csv(tmp_path / f"{plate.name}.csv").height == plate.data.height
    for sheet in report.tables:
        assert {f"{sheet.name}.{end}" for end in ("csv", "md", "tex")} <= names
    assert pl.read_csv(tmp_path / "scores.csv").height == 12 * 8


def test_a_page_is_the_same_each_time(whole: tuple[Path, Study, ResultStore], page: str) -> None:
    _, study, store = whole
    assert Report(study.name, StudyResults.of(study, store)).html() == page


@pytest.mark.parametrize("killed", [False, True])
def test_a_second_process_draws_the_same(
    killed: bool, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with closing(ParallelRenderer(helped=True)) as drawing:
        assert drawing.helper is not None
        if killed:
            drawing.helper.kill()
            drawing.helper.wait()
        assert drawing.inline(report.plates) == [plate.inline() for plate in report.plates]
    assert drawing.helper.poll() is not None
    assert ParallelRenderer(helped=False).helper is None


def test_the_command(whole: tuple[Path, Study, ResultStore], page: str, tmp_path: Path) -> None:
    folder = whole[0]
    where = [str(folder / "study.toml"), "--store", str(folder / "store")]
    out = tmp_path / "report.html"
    answer = call("report", *where, "--out", str(out))
    assert answer.code == 0, answer.err
    assert answer.out == f"All 12 runs are done. Written: {out}\n"
    assert out.read_text(encoding="utf-8") == page
    answer = call("report", *where, "--out", str(tmp_path / "none" / "report.html"))
    assert answer.code == 2
    assert "there is no folder" in answer.err


def test_a_report_needs_no_torch(whole: tuple[Path, Study, ResultStore], tmp_path: Path) -> None:
    folder, out = whole[0], tmp_path / "report.html"
    code = (
        "import sys; from alignscope.cli import app\n"
        f"sys.argv = ['alignscope', 'report', {str(folder / 'study.toml')!r}, '--store', "
        f"{str(folder / 'store')!r}, '--out', {str(out)!r}]\n"
        "try: app()\nexcept SystemExit as ended: assert not ended.code\n"
        "assert not {'torch', 'transformers', 'tokenizers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert out.stat().st_size > 50_000


def rows_of(html: str) -> Iterator[str]:
    yield from re.findall(r"<li>(.*?)</li>", html)


def test_notebooks_show_a_summary_and_figures(report: Report) -> None:
    said = list(rows_of(report._repr_html_()))
    assert said[0] == "All 12 runs are done."
    assert len(said) == 3
    assert "<svg" in report.plates[0]._repr_html_()
