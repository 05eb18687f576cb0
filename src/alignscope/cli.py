"""The command line. Nothing heavy is imported at the top, so that ``--help`` answers at once."""

import sys
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignscope.errors import AlignScopeError, StudyError

if TYPE_CHECKING:
    from alignscope.data.places import Places
    from alignscope.study import Run, Study
    from alignscope.sweep import Executor

app = typer.Typer(
    help="See where a multilingual encoder aligns languages and where it predicts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

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


class ExecutorName(StrEnum):
    """How runs are performed."""

    serial = "serial"
    processes = "processes"


class TableName(StrEnum):
    """The tables of a study."""

    scores = "scores"
    effects = "effects"
    runs = "runs"


class Format(StrEnum):
    """How a table is written."""

    csv = "csv"
    md = "md"
    latex = "latex"
    parquet = "parquet"


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
    encoder: Encoders = None,
) -> None:
    """List the runs of a study, what is measured, and which of them are done."""
    from alignscope.report.plan import describe_plan
    from alignscope.store import Store

    chosen = _study(study, encoder)
    typer.echo(describe_plan(chosen, _unfold(chosen), Store(store)))


@app.command()
def run(
    study: StudyFile,
    store: StoreFolder = Path("results"),
    executor: Annotated[ExecutorName, typer.Option(help="one process or several")] = (
        ExecutorName.serial
    ),
    workers: Annotated[int, typer.Option(min=1, help="processes, with --executor processes")] = 2,
    data: Data = None,
    encoder: Encoders = None,
    offline: Offline = False,
) -> None:
    """Perform what a study still lacks; killed and called again, it goes on where it was."""
    from alignscope.perform import perform
    from alignscope.report.progress import Reporter
    from alignscope.store import Store
    from alignscope.sweep import check_data, check_encoders, check_store, sweep

    chosen = _study(study, encoder)
    runs, results = _unfold(chosen), Store(store)
    places = _places(chosen, study, data, offline)
    missing = [run for run in runs if run not in results]
    check_data(missing, places)
    check_store(runs, results, places)
    check_encoders(missing, places)
    results.put_plan(chosen, runs)
    with Reporter(done=len(runs) - len(missing), total=len(runs)) as reporter:
        work = partial(perform, places=places)
        if executor == ExecutorName.serial:  # the steps of several processes would mix
            work = partial(work, progress=reporter.step)
        swept = sweep(missing, work, results, _executor(executor, workers), reporter)
    for failure in swept.failures:
        typer.echo(f"failed: {failure.run.label}: {failure.reason}", err=True)
    if swept.failures:
        raise typer.Exit(1)


@app.command()
def status(
    study: StudyFile, store: StoreFolder = Path("results"), encoder: Encoders = None
) -> None:
    """Say how many runs of a study are done, failed and missing."""
    from alignscope.analysis.collect import runs_table
    from alignscope.report.plan import describe_status
    from alignscope.store import Store

    results = Store(store)
    typer.echo(describe_status(runs_table(results.planned(_study(study, encoder)), results)))


@app.command()
def table(
    which: Annotated[TableName, typer.Argument(help="the table", show_default=False)],
    study: StudyFile,
    store: StoreFolder = Path("results"),
    format: Annotated[Format, typer.Option(help="csv and parquet hold fractions")] = Format.md,
    out: Annotated[Path | None, typer.Option(help="a file instead of the screen")] = None,
    encoder: Encoders = None,
) -> None:
    """Print a table of a study: scores, effects or runs."""
    from alignscope.analysis.collect import runs_table, scores_table
    from alignscope.analysis.effects import effects_table
    from alignscope.report.formats import render
    from alignscope.store import Store

    if format == Format.parquet and out is None and sys.stdout.isatty():
        raise StudyError("a parquet table cannot be shown on a screen; name a file with --out")
    results = Store(store)
    runs = results.planned(_study(study, encoder))
    if which == TableName.runs:
        chosen = runs_table(runs, results)
    else:
        chosen = scores_table(results.outcomes(runs))
    if which == TableName.effects:
        chosen = effects_table(chosen)
    content = render(chosen, format.value)
    if out is None:
        sys.stdout.buffer.write(content)
        return
    try:
        out.write_bytes(content)
    except OSError as error:
        raise StudyError(f"{out} cannot be written: {error.strerror}") from None


@app.command()
def blocks(
    encoder: Annotated[str, typer.Argument(help="a folder or a name on the hub")],
    revision: Annotated[str, typer.Option(help="a branch, tag or commit on the hub")] = "main",
    remote_code: Annotated[bool, typer.Option(help="run code that comes with it")] = False,
) -> None:
    """Show which blocks of an encoder can be re-initialised."""
    from alignscope.encoders.blocks import describe, notes
    from alignscope.encoders.load import load_encoder
    from alignscope.report.plan import describe_blocks

    loaded = load_encoder(encoder, revision, remote_code=remote_code)
    typer.echo(describe_blocks(encoder, describe(loaded), notes(loaded)))


@app.command()
def pretrain(
    corpora: Annotated[
        list[str],
        typer.Option(help="a text such as text:en, ntrex:en, ud:en_ewt or a file; repeatable"),
    ],
    out: Annotated[Path, typer.Option(help="the folder to write")],
    blocks: Annotated[int, typer.Option(min=1, help="transformer blocks")] = 6,
    hidden: Annotated[int, typer.Option(min=8, help="size of a representation")] = 128,
    attention_heads: Annotated[int, typer.Option(min=1, help="attention heads")] = 4,
    vocabulary: Annotated[int, typer.Option(min=100, help="WordPiece vocabulary")] = 16_000,
    steps: Annotated[int, typer.Option(min=1, help="optimisation steps")] = 8000,
    batch_pieces: Annotated[int, typer.Option(min=64, help="padded sub-words a step")] = 2048,
    max_pieces: Annotated[int, typer.Option(min=8, help="longest input")] = 128,
    learning_rate: Annotated[float, typer.Option(min=0, help="highest learning rate")] = 2e-3,
    dropout: Annotated[float, typer.Option(min=0, max=1, help="dropout")] = 0.0,
    seed: Annotated[int, typer.Option(help="seed of weights, order and masks")] = 1,
    data: Data = None,
) -> None:
    """Train a WordPiece tokenizer and a small BERT on text; called again, it goes on."""
    from alignscope.data.places import Places
    from alignscope.encoders.corpus_text import gather
    from alignscope.encoders.pretrain import pretrain
    from alignscope.encoders.recipe import recipe_of
    from alignscope.report.progress import StepBar

    recipe = recipe_of(
        blocks=blocks, hidden=hidden, attention_heads=attention_heads, vocabulary=vocabulary,
        steps=steps, batch_pieces=batch_pieces, max_pieces=max_pieces, dropout=dropout,
        learning_rate=learning_rate, seed=seed,
    )  # fmt: skip
    lines, source = gather(corpora, Places.of(data or []))
    with StepBar("pretraining") as bar:
        pretrain(lines, out, recipe, source=source, progress=bar)
    typer.echo(f"{out}: an encoder of {blocks} blocks × {hidden}")


def _study(path: Path, encoders: list[str] | None) -> "Study":
    """Read a study, with other encoders if some were named."""
    from alignscope.study import Encoder, read_study

    study = read_study(path)
    if not encoders:
        return study
    return study.model_copy(update={"encoders": tuple(Encoder(name=name) for name in encoders)})


def _unfold(study: "Study") -> "list[Run]":
    from alignscope.study import runs
    from alignscope.sweep import check_tasks, inspect

    check_tasks(study)

    return runs(study, partial(inspect, count_blocks=study.counts_blocks))


def _places(study: "Study", path: Path, data: list[Path] | None, offline: bool) -> "Places":
    """Look in the folders of the command line, then of the study (relative to its file)."""
    from alignscope.data.places import Places

    own = [path.parent / folder for folder in study.data]
    return Places.of([*(data or []), *own], download=not offline)


def _executor(name: ExecutorName, workers: int) -> "Executor":
    from alignscope.executors.local import processes, serial

    executors: dict[ExecutorName, Callable[[], Executor]] = {
        ExecutorName.serial: lambda: serial,
        ExecutorName.processes: lambda: partial(processes, workers=workers),
    }
    return executors[name]()
