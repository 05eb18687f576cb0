"""The commands about encoders: ``blocks``, ``similarity`` and ``pretrain``."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from alignscope.cli.model_options import with_options_of
from alignscope.cli.options import (
    Data,
    EncoderName,
    Format,
    Offline,
    OutFile,
    RemoteCode,
    Revision,
    TableFormat,
    check_output,
    write_table,
)
from alignscope.config.registry import MEASURE_INFO
from alignscope.config.run import EncoderSpec
from alignscope.config.similarity import Reading, SentencePooling, Split
from alignscope.training.pretraining.config import PretrainingConfig, parse_config


def blocks(
    encoder: Annotated[str, typer.Argument(help="Folder, name on the hub, or `embedded`.")],
    revision: Revision = "main",
    remote_code: RemoteCode = False,
) -> None:
    """List the blocks of an encoder.

    A window may contain any of these blocks. Notes name the parameters outside the blocks.
    """
    import alignscope as al
    from alignscope.cli.text import describe_blocks

    loaded = al.load_encoder(encoder, revision=revision, trust_remote_code=remote_code)
    typer.echo(describe_blocks(loaded))


def similarity(
    source: Annotated[str, typer.Option(help="Parallel corpus, such as `ud:en_pud`.")],
    target: Annotated[list[str], typer.Option(help="Translation of the source. Repeatable.")],
    encoder: EncoderName = "embedded",
    measure: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Similarity measure: {', '.join(MEASURE_INFO.builtin)}, or a registered one. "
            "Repeatable.",
            show_default="cka, retrieval",
            autocompletion=lambda: list(MEASURE_INFO),
        ),
    ] = None,
    layers: Annotated[
        str | None,
        typer.Option(help="Layers, such as `0-3,8`; 0 is the embeddings.", show_default="all"),
    ] = None,
    pooling: Annotated[
        SentencePooling,
        typer.Option(
            help="Vector of a sentence: mean or position-weighted mean of its subwords, or its "
            "first or last token."
        ),
    ] = "mean",
    words: Annotated[
        bool, typer.Option("--words", help="Compare aligned words instead of sentences.")
    ] = False,
    split: Annotated[Split, typer.Option(help="Split of the corpora.")] = "test",
    limit: Annotated[
        int | None, typer.Option(min=20, help="Maximum number of sentences.", show_default="all")
    ] = None,
    text: Annotated[
        Reading,
        typer.Option(
            help="How sentences are read: as running text, or word by word as for fine-tuning."
        ),
    ] = "raw",
    neighbours: Annotated[
        int, typer.Option(min=1, help="Number of neighbours that `mutual-knn` compares.")
    ] = 10,
    plot: Annotated[
        Path | None, typer.Option(help="File of a figure: .png, .pdf or .svg.", show_default=False)
    ] = None,
    revision: Revision = "main",
    remote_code: RemoteCode = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Do not keep representations for the next call.")
    ] = False,
    format: TableFormat = Format.md,
    out: OutFile = None,
    data: Data = None,
    offline: Offline = False,
) -> None:
    """Compare languages in an encoder, layer by layer.

    The source and the targets are parallel corpora: the same sentences under the same ids.
    """
    from alignscope.report.figures.curves import check_figure, write_figure

    check_output(format, out)
    if plot is not None:
        check_figure(plot)
    import alignscope as al

    spec = EncoderSpec(name=encoder, revision=revision, remote_code=remote_code)
    with _warnings_as_sentences():
        table = al.similarity(
            spec,
            source,
            target,
            measures=measure or ("cka", "retrieval"),
            layers=layers,
            pooling=pooling,
            unit="word" if words else "sentence",
            split=split,
            limit=limit,
            text=text,
            neighbours=neighbours,
            data=data or (),
            offline=offline,
            cached=not no_cache,
        )
    write_table("similarity", table, format, out)
    if plot is not None:
        write_figure(al.plot_similarity(table), plot)


@contextmanager
def _warnings_as_sentences() -> Iterator[None]:
    """Print each warning once, without the line of code that caused it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        yield
    for sentence in dict.fromkeys(str(warning.message) for warning in caught):
        typer.echo(f"warning: {sentence}", err=True)


@with_options_of(PretrainingConfig, PretrainingConfig.renamed_keys)
def pretrain(
    corpora: Annotated[
        list[str],
        typer.Option(help="Text: `text:en`, `ud:en_ewt`, `synthetic:*` or a file. Repeatable."),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the new encoder.")],
    data: Data = None,
    **options: Any,
) -> None:
    """Pretrain a small BERT on raw text.

    The command trains the WordPiece tokenizer, too. Interrupted pretraining resumes where it
    stopped.
    """
    import alignscope as al

    config = parse_config(**options)
    al.pretrain(corpora, out, config, data=data or ())
    typer.echo(f"Written: {out}, an encoder of {config.blocks} blocks × {config.hidden}.")


COMMANDS: tuple[Callable[..., None], ...] = (blocks, similarity, pretrain)
