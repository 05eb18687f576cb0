"""The command group ``synthetic``: show the synthetic languages, or write them to files."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Show or export the 17 synthetic languages. Their corpora are parallel.",
    no_args_is_help=True,
)

DIVERSE = ("vesti", "qadir", "ataru", "lianu", "hanbe")
"""Languages of five families, with four scripts and three word orders."""

Split = Annotated[str, typer.Option(help="Split: train, dev or test.")]


@app.command("list")
def list_() -> None:
    """List the languages and their features.

    The features are family, script, word order and morphology.
    """
    from alignscope.cli.synthetic_text import describe_languages

    typer.echo(describe_languages(), nl=False)


@app.command()
def show(
    languages: Annotated[
        list[str], typer.Option(help="Languages, separated by commas. Repeatable.")
    ] = list(DIVERSE),  # noqa: B006 (typer copies it)
    domain: Annotated[str, typer.Option(help="Domain: news, chat or manual.")] = "news",
    split: Split = "test",
    n: Annotated[int, typer.Option("--n", help="Number of sentences.")] = 3,
) -> None:
    """Show parallel sentences.

    Each sentence is shown in several languages, with glosses, trees and entities.
    """
    from alignscope.cli.synthetic_text import parallel_examples

    typer.echo(parallel_examples(_names(languages), domain, split, n))


@app.command()
def write(
    out: Annotated[Path, typer.Option(help="Data folder to write.")],
    languages: Annotated[
        list[str] | None,
        typer.Option(help="Languages, separated by commas. Repeatable.", show_default="all"),
    ] = None,
) -> None:
    """Write the corpora to CoNLL-U and IOB2 files.

    With this folder as `--data`, other commands find the treebank of Vesti's news as
    `ud:vesti_news`, and its named entities as `made:vesti_news`.
    """
    from alignscope.data.synthetic.export import write_treebanks
    from alignscope.data.synthetic.language import languages as all_languages

    names = _names(languages or all_languages())
    files = write_treebanks(out, names)
    typer.echo(f"Written: {len(files)} files in {out}, of {', '.join(names)}.")


def _names(languages: Iterable[str]) -> list[str]:
    """Return the names between commas, without repetition."""
    return list(dict.fromkeys(name.strip() for name in ",".join(languages).split(",")))
