"""The commands about studies. Heavy modules are imported inside, so that ``--help`` is quick."""

import shlex
import sys
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignscope.cli import encoders as cli_encoder
from alignscope.cli import report as cli_report
from alignscope.cli import synthetic as cli_synthetic
from alignscope.cli import tables as cli_tables
from alignscope.cli import tune as cli_tune
from alignscope.cli.options import (
    Data,
    Encoders,
    Lockstep,
    Offline,
    Open,
    StoreFolder,
    StudyFile,
    load_study,
    open_page,
)
from alignscope.errors import AlignScopeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alignscope.config.run import RunSpec
    from alignscope.experiments.executors import Executor
    from alignscope.experiments.sweep import SweepSummary

PURPOSE = "Find the blocks of a multilingual encoder that align languages, and those that predict."

app = typer.Typer(
    help=PURPOSE,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(cli_synthetic.app, name="synthetic")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"alignscope {version('alignscope')}")
        raise typer.Exit


@app.callback(help=PURPOSE)
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Accept the options that come before a command."""


class ExecutorName(StrEnum):
    """The executors of `run`."""

    serial = "serial"
    processes = "processes"
    ray = "ray"


def main() -> None:
    """Run the command line; an error of the user is printed, and the exit code is 2."""
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
            help="Estimate time, memory and disk from a few training steps.",
            show_default="only if all encoders and corpora are local",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="Number of processes that the estimate assumes.", show_default="1"
        ),
    ] = None,
    lockstep: Lockstep = None,
    data: Data = None,
    encoder: Encoders = None,
) -> None:
    """List the runs of a study and their cost.

    A pending run is one that is not done yet. The cost covers pending runs only.
    """
    from alignscope.cli.text import describe_cost, describe_domains, describe_plan

    config = load_study(study, encoder)
    runs, pending = config.expand(), config.pending(store)
    typer.echo("\n".join([describe_plan(config, runs, pending), *describe_domains(config)]))
    if price is False or not pending:
        return
    remote = [encoder.name for encoder in config.encoders if not encoder.is_local]
    if remote and not price:
        typer.echo(f"No cost estimate: {remote[0]} is on the hub. --price downloads it.")
        return
    try:
        options = {"workers": workers, "lockstep": lockstep}
        estimates = config.estimate(store, **options, data=data or (), offline=not price)
    except AlignScopeError as error:
        if price:
            raise
        typer.echo(f"No cost estimate: {error}")
        return
    typer.echo(describe_cost(estimates, workers or 1))


@app.command()
def run(
    study: StudyFile,
    store: StoreFolder = Path("results"),
    executor: Annotated[
        ExecutorName, typer.Option(help="Executor: one process, several, or a Ray cluster.")
    ] = ExecutorName.serial,
    workers: Annotated[
        int, typer.Option(min=1, help="Number of processes, with `--executor processes`.")
    ] = 2,
    address: Annotated[
        str | None,
        typer.Option(
            help="Address of the Ray cluster, with `--executor ray`; `auto` finds a running one.",
            show_default="a new one on this machine",
        ),
    ] = None,
    cpus: Annotated[
        float, typer.Option(min=0, help="Cores for each stack of runs, with `--executor ray`.")
    ] = 1,
    gpus: Annotated[
        float,
        typer.Option(
            min=0,
            help="GPUs for each stack of runs, with `--executor ray`; with 0.5, two stacks share "
            "one.",
        ),
    ] = 0,
    lockstep: Lockstep = None,
    shard: Annotated[
        str,
        typer.Option(help="Part of the study to run here, such as `2/8` for the second of eight."),
    ] = "1/1",
    data: Data = None,
    encoder: Encoders = None,
    offline: Offline = False,
) -> None:
    """Run all pending runs of a study. An interrupted study resumes where it stopped."""
    import alignscope as al
    from alignscope.cli.text import describe_domains

    config = load_study(study, encoder)
    executors: dict[ExecutorName, Executor] = {
        ExecutorName.serial: al.SerialExecutor(lockstep),
        ExecutorName.processes: al.ProcessExecutor(workers, lockstep),
        ExecutorName.ray: al.RayExecutor(address, cpus, gpus, lockstep),
    }
    results = al.run_study(
        config, store, executor=executors[executor], shard=shard, data=data or (), offline=offline
    )
    _end(results.sweep, results.planned)
    for note in describe_domains(config):
        typer.echo(note, err=True)
    encoders = [word for name in encoder or [] for word in ("--encoder", name)]
    report = ["alignscope", "report", str(study), "--store", str(store), *encoders]
    typer.echo(f"Next: {shlex.join(report)}", err=True)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder of results, tables and report.")] = Path(
        "alignscope-demo"
    ),
    all_sources: Annotated[
        bool,
        typer.Option("--all-sources", help="Use three source languages instead of Vesti alone."),
    ] = False,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Number of seeds.", show_default="3")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Number of processes.", show_default="one per core")
    ] = None,
    open: Open = False,
) -> None:
    """Run the bundled demo study.

    It fine-tunes a small encoder on three tasks in a synthetic language, and evaluates it on
    sixteen others. An interrupted demo resumes where it stopped.
    """
    # Before the imports, which take seconds themselves.
    typer.echo(f"Fine-tuning the embedded encoder. Results are saved in {out}.", err=True)
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
    """Count the runs of a study by state.

    A run is done, failed or missing; a missing run has not been executed yet.
    """
    from alignscope.api.results import load_results
    from alignscope.cli.text import describe_status

    typer.echo(describe_status(load_results(store, load_study(study, encoder)).runs))


for module in (cli_tables, cli_tune, cli_report, cli_encoder):
    for command in module.COMMANDS:
        app.command()(command)


def _end(swept: "SweepSummary | None", planned: "Sequence[RunSpec]" = ()) -> None:
    """Print what failed, and exit with code 1 if anything did."""
    from alignscope.config.grid import run_label, setting_names

    if swept is None:
        return
    if swept.elsewhere:
        typer.echo(f"{swept.elsewhere} runs are executed by another process.", err=True)
    settings = setting_names(planned)
    for failure in swept.failures:
        typer.echo(f"failed: {run_label(failure.run, settings)}: {failure.reason}", err=True)
    if swept.failures:
        raise typer.Exit(1)
