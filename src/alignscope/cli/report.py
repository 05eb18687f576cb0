"""The commands ``report`` and ``compare``, which write one HTML page."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignscope.cli.options import (
    Encoders,
    Features,
    Format,
    Genealogy,
    Open,
    StoreFolder,
    StudyFile,
    check_output,
    load_study,
    open_page,
)

if TYPE_CHECKING:
    from alignscope.api.results import StudyResults

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
    genealogy: Genealogy = None,
    open: Open = False,
) -> None:
    """Write the report of a study as an HTML page.

    The page is one self-contained file. The study need not be finished.
    """
    check_output(Format.md, out)
    from alignscope.api.results import load_results

    config = load_study(study, encoder)
    results = load_results(store, config, features=features, genealogy=genealogy)
    _write(results, out, files, open)


def compare(
    stores: Annotated[list[Path], typer.Argument(help="Folders of results.", show_default=False)],
    out: Out = Path("compare.html"),
    files: Files = None,
    study: Annotated[
        Path | None,
        typer.Option(
            help="Study file that selects the runs, and the thresholds of claims.",
            show_default="every study in the stores",
        ),
    ] = None,
    open: Open = False,
) -> None:
    """Compare the encoders of several stores.

    The page contains only corpora on which all encoders were evaluated.
    """
    check_output(Format.md, out)
    from alignscope.analysis.strength import unequal_strengths
    from alignscope.api.results import compare_results

    config = None if study is None else load_study(study, None)
    results = compare_results(stores, config)
    _write(results, out, files, open)
    for warning in unequal_strengths(results.strength):
        typer.echo(f"Warning: {warning}", err=True)


def _write(results: "StudyResults", out: Path, files: Path | None, open: bool) -> None:
    from alignscope.report.summary import completion_note

    results.report(out, files=files)
    typer.echo(f"{completion_note(results)} Written: {out}")
    if files is not None:
        typer.echo(f"Figures, tables and data are in {files}.")
    if open:
        open_page(out)


COMMANDS: tuple[Callable[..., None], ...] = (report, compare)
