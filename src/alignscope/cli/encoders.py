"""The commands about encoders: what can be ablated, what looks alike inside, making one."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from alignscope.cli.options import (
    Data,
    Format,
    Offline,
    OutFile,
    TableFormat,
    check_output,
    write_table,
)
from alignscope.config.registry import MEASURE_INFO


def blocks(
    encoder: Annotated[str, typer.Argument(help="a folder, a name on the hub, or embedded")],
    revision: Annotated[str, typer.Option(help="a branch, tag or commit on the hub")] = "main",
    remote_code: Annotated[bool, typer.Option(help="run code that comes with it")] = False,
) -> None:
    """Show which blocks of an encoder can be re-initialised."""
    from alignscope.cli.text import describe_blocks
    from alignscope.encoders.blocks import block_table, caveats
    from alignscope.encoders.load import load_model

    loaded = load_model(encoder, revision, remote_code=remote_code)
    typer.echo(describe_blocks(encoder, block_table(loaded), caveats(loaded)))


def similarity(
    source: Annotated[str, typer.Option(help="a parallel corpus, such as ud:en_pud")],
    target: Annotated[list[str], typer.Option(help="its translation; repeatable")],
    encoder: Annotated[str, typer.Option(help="a folder, a name on the hub, or embedded")] = (
        "embedded"
    ),
    measure: Annotated[
        list[str] | None,
        typer.Option(
            help=f"{', '.join(MEASURE_INFO.builtin)}, or the name of a registered measure; "
            "repeatable [default: cka, retrieval]",
            autocompletion=lambda: list(MEASURE_INFO),
        ),
    ] = None,
    layers: Annotated[
        str | None, typer.Option(help="such as 0-3,8 (0: embeddings); all if nothing is said")
    ] = None,
    pooling: Annotated[
        str, typer.Option(help="what a sentence is: mean, weighted, first or last of its sub-words")
    ] = "mean",
    words: Annotated[
        bool, typer.Option("--words", help="compare words that the corpora align, not sentences")
    ] = False,
    split: Annotated[str, typer.Option(help="train, dev or test")] = "test",
    limit: Annotated[int | None, typer.Option(min=20, help="sentences; all if nothing is said")] = (
        None
    ),
    plot: Annotated[
        Path | None, typer.Option(help="draw it, too: a .png, .pdf or .svg file")
    ] = None,
    revision: Annotated[str, typer.Option(help="a branch, tag or commit on the hub")] = "main",
    remote_code: Annotated[
        bool, typer.Option("--remote-code", help="run code that comes with the encoder")
    ] = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="keep no representations for the next call")
    ] = False,
    format: TableFormat = Format.md,
    out: OutFile = None,
    data: Data = None,
    offline: Offline = False,
) -> None:
    """Compare parallel sentences in two languages, layer by layer."""
    from alignscope._util.validation import parse_options
    from alignscope.config.similarity import SimilarityConfig
    from alignscope.report.figures.curves import check_figure, similarity_figure, write_figure

    check_output(format, out)
    if plot is not None:
        check_figure(plot)
    asked = parse_options(
        SimilarityConfig,
        measures=measure or None,
        layers=layers,
        pooling=pooling,
        words=words,
        split=split,
        limit=limit,
    )
    from alignscope.config.run import EncoderSpec
    from alignscope.data.paths import DataPaths
    from alignscope.similarity.compare import compare_corpora

    places = DataPaths.of(data or [], download=not offline)
    named = EncoderSpec(name=encoder, revision=revision, remote_code=remote_code)
    with _warnings_as_sentences():
        compared = compare_corpora(named, [source, *target], places, asked, cached=not no_cache)
    write_table("similarity", compared, format, out)
    if plot is not None:
        write_figure(similarity_figure(compared), plot)


@contextmanager
def _warnings_as_sentences() -> Iterator[None]:
    """Say each warning once, without the line of code that gave it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        yield
    for sentence in dict.fromkeys(str(warning.message) for warning in caught):
        typer.echo(f"warning: {sentence}", err=True)


def pretrain(
    corpora: Annotated[
        list[str],
        typer.Option(help="a text such as text:en, ud:en_ewt, synthetic:* or a file; repeatable"),
    ],
    out: Annotated[Path, typer.Option(help="the folder to write")],
    blocks: Annotated[int, typer.Option(min=1, help="transformer blocks")] = 6,
    hidden: Annotated[int, typer.Option(min=8, help="size of a representation")] = 128,
    attention_heads: Annotated[int, typer.Option(min=1, help="attention heads")] = 4,
    vocabulary: Annotated[int, typer.Option(min=100, help="WordPiece vocabulary")] = 16_000,
    positions: Annotated[
        Literal["absolute", "rotary"], typer.Option(help="as in BERT, or as in RoFormer")
    ] = "absolute",
    steps: Annotated[int, typer.Option(min=1, help="optimisation steps")] = 8000,
    tokens_per_batch: Annotated[int, typer.Option(min=64, help="padded sub-words a step")] = 2048,
    max_length: Annotated[int, typer.Option(min=8, help="longest input")] = 128,
    learning_rate: Annotated[float, typer.Option(min=0, help="highest learning rate")] = 2e-3,
    masked: Annotated[float, typer.Option(min=0, max=1, help="fraction hidden")] = 0.15,
    whole_words: Annotated[bool, typer.Option(help="hide words whole")] = False,
    dropout: Annotated[float, typer.Option(min=0, max=1, help="dropout")] = 0.0,
    seed: Annotated[int, typer.Option(help="seed of weights, order and masks")] = 1,
    data: Data = None,
) -> None:
    """Train a WordPiece tokenizer and a small BERT on text; called again, it goes on."""
    from alignscope.data.corpora import load_raw_texts
    from alignscope.data.paths import DataPaths
    from alignscope.experiments.progress import StepBar
    from alignscope.training.pretraining.checkpoint import check_not_finished
    from alignscope.training.pretraining.config import parse_config
    from alignscope.training.pretraining.pretrain import pretrain

    recipe = parse_config(
        blocks=blocks, hidden=hidden, attention_heads=attention_heads, vocabulary=vocabulary,
        positions=positions, steps=steps, tokens_per_batch=tokens_per_batch, max_length=max_length,
        learning_rate=learning_rate, masked=masked, whole_words=whole_words, dropout=dropout,
        seed=seed,
    )  # fmt: skip
    check_not_finished(out)
    typer.echo("pretraining: reading the text", err=True)
    lines, source = load_raw_texts(corpora, DataPaths.of(data or []))
    with StepBar("pretraining") as bar:
        pretrain(lines, out, recipe, source=source, progress=bar)
    typer.echo(f"{out}: an encoder of {blocks} blocks × {hidden}")


COMMANDS: tuple[Callable[..., None], ...] = (blocks, similarity, pretrain)
