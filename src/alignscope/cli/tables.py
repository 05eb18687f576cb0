"""The commands that print tables of a study."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from alignscope.cli.options import (
    Encoders,
    Features,
    Format,
    Genealogy,
    OutFile,
    StoreFolder,
    StudyFile,
    TableFormat,
    check_output,
    load_study,
    write_table,
)
from alignscope.results.specs import TABLES, table_spec

TABLE_HELP = "\n\n".join(
    [
        "Print a table of a study.",
        "REF is the run without re-initialisation, a window a range of re-initialised blocks.",
        "The tables are:",
        *(f"{spec.name}: {spec.description}" for spec in TABLES.values()),
    ]
)


def table(  # noqa: D103, its docstring is set below
    which: Annotated[
        str,
        typer.Argument(
            metavar="TABLE",
            help="The table to print.",
            show_default=False,
            autocompletion=lambda: list(TABLES),
        ),
    ],
    study: StudyFile,
    store: StoreFolder = Path("results"),
    format: TableFormat = Format.md,
    out: OutFile = None,
    encoder: Encoders = None,
    features: Features = None,
    genealogy: Genealogy = None,
) -> None:
    from alignscope.api.results import load_results

    name = table_spec(which).name
    check_output(format, out)
    config = load_study(study, encoder)
    results = load_results(store, config, features=features, genealogy=genealogy)
    write_table(name, results.table(name), format, out)


def claims(
    study: StudyFile,
    store: StoreFolder = Path("results"),
    format: TableFormat = Format.md,
    out: OutFile = None,
    encoder: Encoders = None,
    genealogy: Genealogy = None,
) -> None:
    """Test the hypotheses of the paper.

    A study supports or contradicts each hypothesis of Muller et al. (2021), or leaves it
    undecided.
    """
    from alignscope.api.results import load_results

    check_output(format, out)
    results = load_results(store, load_study(study, encoder), genealogy=genealogy)
    write_table("claims", results.claims, format, out)
    if format is Format.md and out is None:
        typer.echo()
        write_table("claim-notes", results.claims, format, out)


table.__doc__ = TABLE_HELP

COMMANDS: tuple[Callable[..., None], ...] = (table, claims)
