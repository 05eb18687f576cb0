"""The command line. Nothing heavy is imported at the top, so that ``--help`` answers at once."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignscope.cli import encoders as cli_encoder
from alignscope.cli import report as cli_report
from alignscope.cli import synthetic as cli_synthetic
from alignscope.cli.options import (
    Data,
    Encoders,
    Features,
    Format,
    Lockstep,
    Offline,
    OutFile,
    StoreFolder,
    StudyFile,
    TableFormat,
    check_output,
    load_study,
    open_page,
    write_table,
)
from alignscope.errors import AlignScopeError
from alignscope.results.specs import TABLES, table_spec

if TYPE_CHECKING:
    from alignscope.config.study import Study
    from alignscope.data.paths import DataPaths
    from alignscope.experiments.sweep import SweepSummary
    from alignscope.results.store import ResultStore

app = typer.Typer(
    help="See where a multilingual encoder aligns languages and where it predicts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(cli_synthetic.app, name="synthetic")


class ExecutorName(StrEnum):
    """How runs are performed."""

    serial = "serial"
    processes = "processes"
    ray = "ray"


def main() -> None:
    """Run the command line; a mistake of the user ends with one sentence and exit code 2."""
    try:
        app()
    except AlignScopeError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)


@app.command()
def plan(
    study: StudyFile,
    store: StoreFolder = Path("results"),
    price: Annotated[
        bool | None,
        typer.Option(
            help="take a few steps to estimate time, memory and disk; if nothing is said, where "
            "encoders and corpora are on this machine"
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="as for run --executor processes")
    ] = None,
    lockstep: Lockstep = None,
    data: Data = None,
    encoder: Encoders = None,
) -> None:
    """List the runs of a study, what is measured, what is done, and what the rest will cost."""
    from alignscope.cli.text import describe_plan
    from alignscope.experiments.study import expand_study
    from alignscope.results.store import ResultStore

    chosen = load_study(study, encoder)
    planned = expand_study(chosen)
    typer.echo(describe_plan(chosen, planned, ResultStore(store)))
    if price is not False and any(run not in ResultStore(store) for run in planned):
        places = _places(chosen, study, data, offline=not price)
        typer.echo(
            _priced(chosen, ResultStore(store), places, workers, lockstep, asked=bool(price))
        )


def _priced(
    study: "Study",
    store: "ResultStore",
    places: "DataPaths",
    workers: int | None,
    lockstep: int | None,
    *,
    asked: bool,
) -> str:
    """What the missing runs cost, or why nobody can tell; only if it is asked for, nothing else."""
    from alignscope.cli.text import describe_price
    from alignscope.encoders.device import device_name
    from alignscope.encoders.resolve import EMBEDDED
    from alignscope.experiments.study import estimate_cost

    far = [e.name for e in study.encoders if e.name != EMBEDDED and not Path(e.name).is_dir()]
    if far and not asked:
        return f"not priced, since {far[0]} is on the hub: --price loads it"
    try:
        quotes = estimate_cost(study, store, places, workers, lockstep)
    except AlignScopeError as error:
        if asked:
            raise
        return f"not priced: {error}"
    return describe_price(quotes, workers or 1, device_name())


@app.command()
def run(
    study: StudyFile,
    store: StoreFolder = Path("results"),
    executor: Annotated[
        ExecutorName, typer.Option(help="one process, several, or a Ray cluster")
    ] = (ExecutorName.serial),
    workers: Annotated[int, typer.Option(min=1, help="processes, with --executor processes")] = 2,
    address: Annotated[
        str | None,
        typer.Option(help="the cluster, with --executor ray; a new one here if nothing is said"),
    ] = None,
    cpus: Annotated[float, typer.Option(min=0, help="cores of a run, with --executor ray")] = 1,
    gpus: Annotated[
        float, typer.Option(min=0, help="GPUs of a run, with --executor ray; 0.5: two share one")
    ] = 0,
    lockstep: Lockstep = None,
    shard: Annotated[
        str, typer.Option(help="the part of this machine, such as 2/8 for the second of eight")
    ] = "1/1",
    data: Data = None,
    encoder: Encoders = None,
    offline: Offline = False,
) -> None:
    """Perform what a study still lacks; killed and called again, it goes on where it was."""
    from alignscope.experiments.executors import (
        Executor,
        ProcessExecutor,
        RayExecutor,
        SerialExecutor,
    )
    from alignscope.experiments.grouping import Shard
    from alignscope.experiments.study import run_study
    from alignscope.results.store import ResultStore

    part = Shard.parse(shard)
    chosen = load_study(study, encoder)
    executors: dict[ExecutorName, Executor] = {
        ExecutorName.serial: SerialExecutor(lockstep),
        ExecutorName.processes: ProcessExecutor(workers, lockstep),
        ExecutorName.ray: RayExecutor(address, cpus, gpus, lockstep),
    }
    paths = _places(chosen, study, data, offline)
    _end(run_study(chosen, ResultStore(store), paths, executors[executor], part))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="the folder for results and tables")] = (
        Path("alignscope-demo")
    ),
    all_sources: Annotated[
        bool, typer.Option("--all-sources", help="fine-tune on three languages, not only Vesti")
    ] = False,
    seeds: Annotated[
        int | None,
        typer.Option(
            min=1, help="how often all is done, each time from another seed; 2 if nothing is said"
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="processes; all cores if nothing is said")
    ] = None,
    open: Annotated[bool, typer.Option("--open", help="open the report when it is there")] = (
        False
    ),
) -> None:
    """See it happen: the three tasks on the embedded languages; called again, it goes on."""
    # Before the imports, which take seconds themselves.
    typer.echo(f"fine-tuning the embedded encoder; results are kept in {out}", err=True)
    from alignscope._util.cpu import available_cores
    from alignscope.cli.demo import demo_study, describe_demo, perform_demo

    study = demo_study(all_sources=all_sources, seeds=seeds)
    shown = perform_demo(study, out, workers or available_cores())
    typer.echo(describe_demo(shown.summary, shown.files))
    if open:
        open_page(shown.page)
    _end(shown.swept)


@app.command()
def status(
    study: StudyFile, store: StoreFolder = Path("results"), encoder: Encoders = None
) -> None:
    """Say how many runs of a study are done, failed and missing."""
    from alignscope.analysis.results import StudyResults
    from alignscope.cli.text import describe_status
    from alignscope.results.store import ResultStore

    typer.echo(
        describe_status(StudyResults.of(load_study(study, encoder), ResultStore(store)).runs)
    )


TABLE_HELP = "\n\n".join(
    [
        "Print a table of a study. The tables are:",
        *(f"{spec.name}: {spec.description}" for spec in TABLES.values()),
    ]
)


@app.command(help=TABLE_HELP)
def table(
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
) -> None:
    """Print a table of a study."""
    from alignscope.analysis.results import StudyResults
    from alignscope.results.store import ResultStore

    name = table_spec(which).name
    check_output(format, out)
    found = StudyResults.of(load_study(study, encoder), ResultStore(store), features)
    write_table(name, found.table(name), format, out)


@app.command()
def claims(
    study: StudyFile,
    store: StoreFolder = Path("results"),
    format: TableFormat = Format.md,
    out: OutFile = None,
    encoder: Encoders = None,
) -> None:
    """Say which of the paper's hypotheses a study supports, contradicts or leaves undecided."""
    from alignscope.analysis.results import StudyResults
    from alignscope.results.store import ResultStore

    check_output(format, out)
    claims = StudyResults.of(load_study(study, encoder), ResultStore(store)).claims
    write_table("claims", claims, format, out)


for module in (cli_report, cli_encoder):
    for command in module.COMMANDS:
        app.command()(command)


def _end(swept: "SweepSummary") -> None:
    """End with code 1, and say why, if runs have failed."""
    if swept.elsewhere:
        typer.echo(f"{swept.elsewhere} runs were left to another process at work on them", err=True)
    for failure in swept.failures:
        typer.echo(f"failed: {failure.run.label}: {failure.reason}", err=True)
    if swept.failures:
        raise typer.Exit(1)


def _places(study: "Study", path: Path, data: list[Path] | None, offline: bool) -> "DataPaths":
    """Look in the folders of the command line, then of the study (relative to its file)."""
    from alignscope.data.paths import DataPaths

    own = [path.parent / folder for folder in study.data]
    return DataPaths.of([*(data or []), *own], download=not offline)
