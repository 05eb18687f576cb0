"""Options that several commands share, and how a table leaves them."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignscope.errors import StudyError

if TYPE_CHECKING:
    import polars as pl

    from alignscope.config.study import Study

StudyFile = Annotated[Path, typer.Argument(help="the study, a TOML file", show_default=False)]
StoreFolder = Annotated[Path, typer.Option("--store", help="the folder that holds the results")]
Data = Annotated[
    list[Path] | None,
    typer.Option(
        "--data",
        help="a folder with corpora; repeatable, before those of the study and ALIGNSCOPE_DATA",
    ),
]
Encoders = Annotated[
    list[str] | None,
    typer.Option("--encoder", help="an encoder instead of the study's; repeatable"),
]
Offline = Annotated[bool, typer.Option("--offline", help="download no corpus")]
Lockstep = Annotated[
    int | None,
    typer.Option(min=1, help="runs trained as one, at most; as many as fit if nothing is said"),
]
Features = Annotated[
    Path | None,
    typer.Option(help="for distances and gaps: a CSV file, a column language, then features"),
]


class Format(StrEnum):
    """How a table is written."""

    csv = "csv"
    md = "md"
    latex = "latex"
    parquet = "parquet"


TableFormat = Annotated[Format, typer.Option(help="csv and parquet hold fractions")]
OutFile = Annotated[Path | None, typer.Option(help="a file instead of the screen")]


def load_study(path: Path, encoders: list[str] | None) -> "Study":
    """Read a study, with other encoders if some were named.

    Raises:
        StudyError: as `read_study` does.
    """
    from alignscope.config.run import EncoderSpec
    from alignscope.config.study import read_study

    study = read_study(path)
    if not encoders:
        return study
    return study.model_copy(update={"encoders": tuple(EncoderSpec(name=name) for name in encoders)})


def check_output(format: Format, out: Path | None) -> None:
    """Refuse, before anything is computed, what cannot be written or nobody can read on a screen.

    Raises:
        StudyError: for a file in no folder, or a parquet table without a file.
    """
    if out is not None and out.is_dir():
        raise StudyError(f"{out} cannot be written: it is a folder")
    if out is not None and not out.absolute().parent.is_dir():
        raise StudyError(f"{out} cannot be written: there is no folder {out.absolute().parent}")
    if format == Format.parquet and out is None and sys.stdout.isatty():
        raise StudyError("a parquet table cannot be shown on a screen; name a file with --out")


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
        raise StudyError(f"{out} cannot be written: {error.strerror}") from None


def open_page(page: Path) -> None:
    """Open a page in a browser; where there is no screen, say so instead of opening one in text."""
    import webbrowser

    screens = ("DISPLAY", "WAYLAND_DISPLAY")
    if sys.platform == "linux" and not any(os.environ.get(name) for name in screens):
        typer.echo(f"there is no screen here to open {page} on", err=True)
        return
    webbrowser.open(page.resolve().as_uri())
