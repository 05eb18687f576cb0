"""The commands ``report`` and ``compare``, which write one HTML page."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignscope.cli.options import (
    Encoders,
    Features,
    Format,
    Open,
    StoreFolder,
    StudyFile,
    check_output,
    load_study,
    open_page,
)

if TYPE_CHECKING:
    from alignscope.report.page import Report

Out = Annotated[Path, typer.Option(help="HTML file of the page.")]
Files = Annotated[
    Path | None,
    typer.Option(
        help="Folder for every figure (SVG, PDF, PNG, data) and table (CSV, Markdown, LaTeX).",
        show_default=False,
    ),
]


def report(
    study: StudyFile,
    store: StoreFolder = Path("results"),
    out: Out = Path("report.html"),
    files: Files = None,
    encoder: Encoders = None,
    features: Features = None,
    open: Open = False,
) -> None:
    """Write the report of a study, finished or not, as one self-contained HTML page."""
    check_output(Format.md, out)
    from alignscope.analysis.results import StudyResults
    from alignscope.report.page import Report
    from alignscope.results.store import ResultStore

    chosen = load_study(study, encoder)
    found = StudyResults.of(chosen, ResultStore(store), features)
    _write(Report(chosen.name, found), out, files, open)


def compare(
    stores: Annotated[list[Path], typer.Argument(help="Folders of results.", show_default=False)],
    out: Out = Path("compare.html"),
    files: Files = None,
    study: Annotated[
        Path | None,
        typer.Option(help="Study to compare.", show_default="the only one in the stores"),
    ] = None,
    open: Open = False,
) -> None:
    """Compare the encoders of several stores on the corpora that all of them have."""
    check_output(Format.md, out)
    from alignscope.analysis.comparison import ComparedResults
    from alignscope.report.page import Report
    from alignscope.results.store import ResultStore

    chosen = None if study is None else load_study(study, None)
    if chosen is not None:
        chosen = chosen.model_copy(update={"encoders": ()})  # whichever it was run with
    found = ComparedResults([ResultStore(folder) for folder in stores], chosen)
    name = " · ".join(folder.resolve().name for folder in stores)
    _write(Report(name, found, found.notes), out, files, open)


def _write(report: "Report", out: Path, files: Path | None, open: bool) -> None:
    from alignscope.report.files import write_all
    from alignscope.report.summary import completion_note

    write_all(out.parent, {out.name: report.html().encode()})
    typer.echo(f"{completion_note(report.whole)} Written: {out}")
    if files is not None:
        written = report.write_files(files)
        typer.echo(f"Written: {len(written)} files with figures, tables and data in {files}")
    if open:
        open_page(out)


COMMANDS: tuple[Callable[..., None], ...] = (report, compare)
