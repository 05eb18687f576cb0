"""``alignscope synthetic``: look at the embedded languages, or write them to files."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The embedded languages, seventeen that say the same.", no_args_is_help=True)

DIVERSE = ("vesti", "qadir", "ataru", "lianu", "hanbe")
"""From five families, in four scripts and three orders of words."""

Split = Annotated[str, typer.Option(help="train, dev or test")]


@app.command("list")
def list_() -> None:
    """List the languages: family, script, order of words and what is marked."""
    from alignscope.cli.synthetic_text import describe_languages

    typer.echo(describe_languages(), nl=False)


@app.command()
def show(
    languages: Annotated[
        list[str], typer.Option(help="the languages, parted by commas; repeatable")
    ] = list(DIVERSE),  # noqa: B006 (typer copies it)
    domain: Annotated[str, typer.Option(help="news, chat or manual")] = "news",
    split: Split = "test",
    n: Annotated[int, typer.Option("--n", help="sentences")] = 3,
) -> None:
    """Show the same sentences in several languages, with glosses, trees and entities."""
    from alignscope.cli.synthetic_text import parallel_examples

    typer.echo(parallel_examples(_names(languages), domain, split, n))


@app.command()
def write(
    out: Annotated[Path, typer.Option(help="the data folder to write")],
    languages: Annotated[
        list[str] | None,
        typer.Option(help="the languages, parted by commas; repeatable; all if nothing is said"),
    ] = None,
) -> None:
    """Write CoNLL-U and IOB2 files, read back with --data as ud:vesti_news and made:vesti_news."""
    from alignscope.data.synthetic.export import write_treebanks
    from alignscope.data.synthetic.language import languages as known

    chosen = _names(languages or known())
    written = write_treebanks(out, chosen)
    typer.echo(f"{out}: {len(written)} files, {len(chosen)} languages")


def _names(languages: Iterable[str]) -> list[str]:
    """Part names at commas; the same one twice is one."""
    return list(dict.fromkeys(name.strip() for name in ",".join(languages).split(",")))
