"""The page is complete, safe and accessible, and shows the numbers of its files."""

import base64
import csv
import hashlib
import io
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alignscope.analysis.results import StudyResults
from alignscope.report.page import Report
from alignscope.report.predictions import direction
from alignscope.results.store import RunFailure, RunResult
from tests.helpers.imagined import LANGUAGES, build, study_text
from tests.helpers.pages import Elements, tables_of
from tests.helpers.tiny import call
from tests.report.conftest import FinishedStudy

EVIL = "</title></text><script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


def test_the_page_has_every_section_figure_and_table(page: str) -> None:
    ids = {str(found["id"]) for _, found in Elements(page).tags if "id" in found}
    sections = "summary scores claims boundary effects languages similarity gap drift examples"
    assert {*sections.split(), "methods", "provenance"} <= ids
    figures = set(re.findall(r'<figure id="([\w-]+)-synthetic-vesti-news', page))
    assert figures == {
        "contrasts-pos", "effects-pos", "corpus-heatmap-pos", "similarity",
        "similarity-finetuned-pos", "gap-pos", "gap-by-layer-pos", "drift-pos",
        "block-changes-pos",
    }  # fmt: skip
    assert {"table-effects", "table-claims", "table-boundaries", "table-runs"} <= ids
    assert "table-reference-scores" in ids


def test_the_page_requests_nothing_and_runs_no_other_script(page: str) -> None:
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


def test_figures_and_tables_have_alternative_texts(page: str) -> None:
    pictures = [found for tag, found in Elements(page).tags if tag == "svg"]
    assert len(pictures) == 9
    for found in pictures:
        assert found["role"] == "img"
        assert len(str(found["aria-label"])) > 40
    for tag, found in Elements(page).tags:
        if found.get("class") == "scroll":
            assert found["aria-label"], tag
    assert '<html lang="en">' in page


def test_every_id_is_unique_and_every_reference_has_a_target(page: str) -> None:
    ids = [found["id"] for _, found in Elements(page).tags if "id" in found]
    assert len(ids) == len(set(ids))
    for used in re.findall(r"url\(#([^)]+)\)", page) + re.findall(r'href="#([^"]+)"', page):
        assert used in ids


def test_page_csv_latex_and_markdown_have_equal_numbers(report: Report, page: str) -> None:
    shown = tables_of(page)
    assert {table.name for table in report.tables} == set(shown)
    for table in report.tables:
        files = {name.rsplit(".")[-1]: text.decode() for name, text in table.write().items()}
        header, *cells = shown[table.name]
        lines = [line for line in files["tex"].splitlines() if line.endswith("\\\\")]
        latex = [[plain(cell) for cell in line[:-3].split(" & ")] for line in lines]
        rows = [line.strip("| ").split("|") for line in files["md"].splitlines()]
        assert latex[1:] == [[unescaped(cell) for cell in row] for row in cells]
        assert [[c.strip() for c in row] for row in rows[2:]] == latex[1:]
        assert [c.strip() for c in rows[0]] == header


def plain(cell: str) -> str:
    for sign, text in (("$-$", "−"), ("$<$", "<"), ("$>$", ">"), ("$\\pm$", "±")):
        cell = cell.replace(sign, text)
    return re.sub(r"\\([%_&#$])", r"\1", cell.replace(r"$\Delta$", "Δ"))


def unescaped(cell: str) -> str:
    return cell.replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'")


def test_effects_on_the_page_equal_those_of_the_csv(report: Report, page: str) -> None:
    (table,) = (table for table in report.tables if table.name == "effects")
    header, *cells = tables_of(page)["effects"]
    rows = list(csv.DictReader(io.StringIO(table.write()["effects.csv"].decode())))
    values = {(row["window"], row["on"]): float(row["mean"]) for row in rows}
    columns = {"on source": "source", "on targets": "targets", "on domains": "domains"}
    columns |= dict.fromkeys(["targets − source"], "targets − source")
    for row in cells:
        window = row[header.index("window")]
        for title, on in columns.items():
            shown = row[header.index(title)].split(" [")[0]
            assert shown == f"{100 * values[window, on]:+z.1f}".replace("-", "−")


def test_cells_are_coloured_by_their_numbers(report: Report, page: str) -> None:
    (body,) = re.findall(r'id="table-effects">(.*?)</table>', page, re.S)
    lost = re.findall(r'class="number lost" style="--depth: ([\d.]+)%">(−[\d.]+)', body)
    gained = re.findall(r'class="number gained" style="--depth: ([\d.]+)%">\+', body)
    assert lost
    assert len(lost) + len(gained) == body.count("--depth") - body.count("--depth: 0.0%")
    largest = 100 * max(map(abs, report.results.effects["mean"]))
    for depth, value in lost:  # 30 % of the colour where the interval includes 0
        full = 55 * float(value[1:]) / largest
        assert min(abs(float(depth) - full), abs(float(depth) - 0.3 * full)) < 0.3
    rows = re.findall(r'"number lost" style="--depth: ([\d.]+)%">(\S+) \[(\S+), (\S+)\]', body)
    for depth, _, low, high in rows:
        excludes_zero = low.startswith("−") == high.startswith("−")
        assert (float(depth) > 17) <= excludes_zero


def test_the_page_has_ref_scores_beside_the_majority_baseline(report: Report, page: str) -> None:
    header, *rows = tables_of(page)["reference-scores"]
    assert len(rows) == len(LANGUAGES) + 1
    scores = report.results.scores.filter(window="REF")
    for cells in rows:
        row = dict(zip(header, cells, strict=True))
        mean = scores.filter(corpus=row["corpus"])["score"].mean()
        assert isinstance(mean, float)
        assert row["REF"].split(" ± ")[0] == f"{100 * mean:.1f}"
        assert (row["majority"], row["REF − majority"]) == ("20.0", f"{100 * mean - 20:+.1f}")


# Unfinished studies


def only_first_seed(windows: tuple[str | None, ...]) -> Any:
    return lambda made: None if made.run.window in windows and made.run.seed > 1 else made


def test_an_unfinished_study_lists_what_is_missing(tmp_path: Path) -> None:
    study, store = build(tmp_path, change=only_first_seed(("2-3", "4-5")))
    results = StudyResults.of(study, store)
    missing = next(run for run in results.planned if run not in store)
    store.save_failure(RunFailure(missing, f"the loss is not a number {EVIL}"))
    page = Report(study.name, StudyResults.of(study, store)).html()
    text = Elements(page).text
    assert "8 of 12 runs are done (1 failed, 3 missing). Everything below" in text
    assert "the loss is not a number" in text
    failures = tables_of(page)["failures"]
    assert failures[1][failures[0].index("window")] == missing.window
    states = [row[tables_of(page)["runs"][0].index("status")] for row in tables_of(page)["runs"]]
    assert states.count("missing") == 3
    assert "<script>alert" not in page


@pytest.mark.parametrize("case", ["nothing", "only REF", "only windows", "one seed", "no layers"])
def test_every_state_of_a_study_has_a_page(case: str, tmp_path: Path) -> None:
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
    shown = Elements(page).text
    assert (f"{done} of 12 runs are done" if done < 12 else "All 12 runs are done") in shown
    assert ('id="effects"' in page) == (case in ("one seed", "no layers"))
    if case == "one seed":  # there is no interval, so no claim on effects has a verdict
        header, *rows = tables_of(page)["effects"]
        assert all("[" not in cell for row in rows for cell in row)
        header, *rows = tables_of(page)["claims"]
        verdicts = {row[header.index("verdict")] for row in rows if row[header.index("window")]}
        assert verdicts == {"undecided"}
        assert "With a single seed there is no CI over seeds and no p-value." in shown
    if case == "no layers":
        assert "The study compares no layers. Add a [similarity] table" in shown
    if case == "only windows":
        assert "No run that compares layers is done yet." in shown
        assert "No window is done together with its REF yet." in shown


# Text from the data is never markup


def with_markup(result: RunResult) -> RunResult:
    """Put markup into every text that comes from data."""

    def spoil(row: dict[str, Any], *kept: str) -> dict[str, Any]:
        texts = {k: v for k, v in row.items() if isinstance(v, str) and k not in kept}
        return row | {k: f"{v}{EVIL}" for k, v in texts.items()}

    scores = [spoil(row, "relation", "split", "corpus") for row in result.scores]
    examples = [
        row | {name: [EVIL + word for word in row[name]] for name in ("words", "gold", "predicted")}
        for row in result.examples
    ]
    record = spoil(result.provenance) | {"data": {EVIL: EVIL}, "versions": {EVIL: EVIL}}
    return replace(result, scores=scores, examples=examples, provenance=record)


def test_text_from_data_is_never_markup(tmp_path: Path) -> None:
    name = EVIL.replace('"', '\\"')
    text = study_text(f'"{name}"').replace('"imagined"', f'"{name}"')
    study, store = build(tmp_path, text, with_markup)
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
    assert [tag for tag, _ in tags].count("svg") == len(report.figures)
    (tmp_path / "two").mkdir()
    both = study_text(f'"{name}", "other"').replace('"imagined"', f'"{name}"')
    two = Report(study.name, StudyResults.of(*build(tmp_path / "two", both, with_markup)))
    for shown in (report, two):
        for html in (shown._repr_html_(), *(f._repr_html_() for f in shown.figures.values())):
            assert not {"script", "img"} & {tag for tag, _ in Elements(html).tags}
    paths = report.write_files(tmp_path / "files")
    assert all(path.parent == tmp_path / "files" for path in paths)


# Examples


def test_right_to_left_words_keep_their_direction(page: str) -> None:
    blocks = re.findall(r'<div class="tokens" dir="(\w+)">(.*?)</div>', page, re.S)
    words = {tuple(re.findall(r"<bdi[^>]*>(.*?)</bdi>", body)): way for way, body in blocks}
    assert words["بيت", "أحمر", "."] == "rtl"
    assert words["房子", "红", "。"] == "ltr"
    assert words["a", "red", "house"] == "ltr"
    assert page.count('<span class="mark">✗</span> NOUN') == 2 * (len(LANGUAGES) + 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1 بيت", "rtl"), ("בית a", "rtl"), ("a בית", "ltr"), ("...", "ltr"), ("", "ltr")],
)
def test_direction_is_that_of_the_first_letter(text: str, expected: str) -> None:
    assert direction(text) == expected


# Commands


def test_a_page_is_the_same_in_every_call(finished: FinishedStudy, page: str) -> None:
    _, study, store = finished
    assert Report(study.name, StudyResults.of(study, store)).html() == page


def test_the_command_writes_the_page(finished: FinishedStudy, page: str, tmp_path: Path) -> None:
    folder = finished[0]
    options = [str(folder / "study.toml"), "--store", str(folder / "store")]
    out = tmp_path / "report.html"
    answer = call("report", *options, "--out", str(out))
    assert answer.code == 0, answer.err
    assert answer.out == f"All 12 runs are done. Written: {out}\n"
    assert out.read_text(encoding="utf-8") == page
    answer = call("report", *options, "--out", str(tmp_path / "none" / "report.html"))
    assert answer.code == 2
    assert "there is no folder" in answer.err


def test_a_report_needs_no_torch(finished: FinishedStudy, tmp_path: Path) -> None:
    folder, out = finished[0], tmp_path / "report.html"
    code = (
        "import sys; from alignscope.cli import app\n"
        f"sys.argv = ['alignscope', 'report', {str(folder / 'study.toml')!r}, '--store', "
        f"{str(folder / 'store')!r}, '--out', {str(out)!r}]\n"
        "try: app()\nexcept SystemExit as ended: assert not ended.code\n"
        "assert not {'torch', 'transformers', 'tokenizers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert out.stat().st_size > 50_000
