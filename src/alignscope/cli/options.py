"""Options that several commands share, and the output of tables."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignscope.errors import StudyError

if TYPE_CHECKING:
    import polars as pl

    from alignscope.api.studies import Study

StudyFile = Annotated[Path, typer.Argument(help="Study file (TOML).", show_default=False)]
StoreFolder = Annotated[Path, typer.Option("--store", help="Folder of the results.")]
Data = Annotated[
    list[Path] | None,
    typer.Option(
        "--data",
        help="Folder with corpora, searched before all other folders. Repeatable.",
    ),
]
Encoders = Annotated[
    list[str] | None,
    typer.Option("--encoder", help="Encoder that replaces those of the study. Repeatable."),
]
EncoderName = Annotated[
    str, typer.Option("--encoder", help="Folder, name on the hub, or `embedded`.")
]
Revision = Annotated[str, typer.Option(help="Branch, tag or commit on the hub.")]
RemoteCode = Annotated[
    bool, typer.Option("--remote-code", help="Allow code that comes with the encoder to run.")
]
Offline = Annotated[bool, typer.Option("--offline", help="Do not download corpora.")]
Lockstep = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Maximum number of runs to train as one stacked model.",
        show_default="as many as fit in memory",
    ),
]
Features = Annotated[
    Path | None,
    typer.Option(
        help="CSV or TSV file of typological features, for the tables `distances` and `gaps`: a "
        "column `language`, then one column per feature.",
        show_default=False,
    ),
]
Genealogy = Annotated[
    Path | None,
    typer.Option(
        help="CSV or TSV file of related languages with columns `language`, `genus` and `family`; "
        "it takes precedence over the built-in table.",
        show_default=False,
    ),
]
Open = Annotated[bool, typer.Option("--open", help="Open the page in a browser.")]


class Format(StrEnum):
    """The formats of tables."""

    csv = "csv"
    md = "md"
    latex = "latex"
    parquet = "parquet"


TableFormat = Annotated[
    Format,
    typer.Option(
        help="Format of the table. Scores are fractions in `csv` and `parquet`, points in the "
        "others."
    ),
]
OutFile = Annotated[Path | None, typer.Option(help="Output file.", show_default="the screen")]


def load_study(path: Path, encoders: list[str] | None) -> "Study":
    """Read a study; ``encoders`` replace those of the file.

    Raises:
        StudyError: if the file cannot be read or is not valid.
    """
    from alignscope.api.studies import Study
    from alignscope.config.run import EncoderSpec

    study = Study.from_toml(path)
    if not encoders:
        return study
    return study.model_copy(update={"encoders": tuple(EncoderSpec(name=name) for name in encoders)})


def check_output(format: Format, out: Path | None) -> None:
    """Check, before anything is computed, that a table can be written.

    Raises:
        StudyError: if ``out`` lies in no folder, or a parquet table would go to the screen.
    """
    if out is not None and out.is_dir():
        raise StudyError(f"{out} cannot be written: it is a folder.")
    if out is not None and not out.absolute().parent.is_dir():
        raise StudyError(f"{out} cannot be written: there is no folder {out.absolute().parent}.")
    if format == Format.parquet and out is None and sys.stdout.isatty():
        raise StudyError("A parquet table cannot be shown on a screen. Name a file with --out.")


def write_table(name: str, table: "pl.DataFrame", format: Format, out: Path | None) -> None:
    """Write a table to a file or the screen.

    Raises:
        StudyError: if the file cannot be written.
    """
    from alignscope.report.tables.export import export_table

    content = export_table(name, table, format.value)
    if out is None:
        sys.stdout.buffer.write(content)
        return
    try:
        out.write_bytes(content)
    except OSError as error:
        raise StudyError(f"{out} cannot be written: {error.strerror}.") from None


def open_page(page: Path) -> None:
    """Open a page in a browser; without a display, print its name instead."""
    import webbrowser

    displays = ("DISPLAY", "WAYLAND_DISPLAY")
    if sys.platform == "linux" and not any(os.environ.get(name) for name in displays):
        typer.echo(f"No display found. Open {page} yourself.", err=True)
        return
    webbrowser.open(page.resolve().as_uri())
