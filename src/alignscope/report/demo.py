"""What a person sees at the end of ``alignscope demo``."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from alignscope.analysis.collect import first_metrics
from alignscope.analysis.effects import MAJORITY
from alignscope.report.formats import render

WHAT = (
    "A multilingual encoder was fine-tuned on one language and evaluated on others that it never "
    "saw labels of, once as it is (REF) and once with each window of its blocks made random first: "
    "Δ is what that cost in points, and a window that costs the targets much more than the source "
    "is where the encoder aligns languages."
)


def main_metrics(effects: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
    """Keep the rows of each task's first metric, in which it was selected on dev.

    Takes ``tables.EFFECTS`` and ``tables.SCORES``, where metrics stand in the task's own order;
    returns ``tables.EFFECTS``.
    """
    wanted = set(first_metrics(scores).items())
    return effects.filter([row in wanted for row in effects.select("task", "metric").rows()])


def describe_demo(effects: pl.DataFrame, files: Iterable[Path]) -> str:
    """One sentence on what is seen, the effects, and where to read on."""
    table = render(effects.filter(pl.col("window") != MAJORITY), "md").decode()
    where = ", ".join(map(str, files))
    return f"{WHAT}\n\n{table}\nWritten: {where}"
