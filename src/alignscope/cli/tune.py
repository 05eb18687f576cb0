"""The command ``tune``: a range test of learning rates."""

from collections.abc import Callable
from typing import Annotated

import typer

from alignscope.cli.options import Data, Encoders, Offline, StudyFile, load_study
from alignscope.config.range_test import DEFAULT_RATES, format_rate
from alignscope.errors import StudyError


def tune(
    study: StudyFile,
    encoder: Encoders = None,
    task: Annotated[
        list[str] | None,
        typer.Option(help="Task to test. Repeatable.", show_default="all of the study"),
    ] = None,
    rates: Annotated[
        str, typer.Option(help="Learning rates of the encoder to test, separated by commas.")
    ] = ",".join(map(format_rate, DEFAULT_RATES)),
    epochs: Annotated[int, typer.Option(min=1, help="Number of epochs for each rate.")] = 2,
    limit: Annotated[
        int, typer.Option(min=1, help="Maximum number of train and of dev sentences.")
    ] = 1000,
    data: Data = None,
    offline: Offline = False,
) -> None:
    """Find a learning rate by a range test.

    The command fine-tunes each encoder without re-initialisation, briefly and with one seed, at
    several learning rates. It reads the train and dev splits of the sources, never a test split or
    a target, and stores nothing. It suggests the smallest rate whose dev score is within one
    standard error of the best, or within half a point. The exit code is 1 if a task or source has
    no such rate.
    """
    chosen = _parse_rates(rates)
    import alignscope as al
    from alignscope.cli.tune_text import choices_of, describe_tests

    table = al.tune(
        load_study(study, encoder),
        rates=chosen,
        epochs=epochs,
        limit=limit,
        tasks=task or (),
        data=data or (),
        offline=offline,
    )
    typer.echo(describe_tests(table))
    if not all(choice.rate for _, choice in choices_of(table)):
        raise typer.Exit(1)


def _parse_rates(text: str) -> list[float]:
    try:
        return [float(rate) for rate in text.split(",")]
    except ValueError:
        raise StudyError(
            f"The rates {text} are not numbers. Write for example --rates 1e-4,3e-4,1e-3."
        ) from None


COMMANDS: tuple[Callable[..., None], ...] = (tune,)
