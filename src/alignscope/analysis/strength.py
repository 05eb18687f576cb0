"""Strength: how hard windows were hit, and whether encoders were hit equally hard."""

import math
from collections.abc import Iterable

import polars as pl

from alignscope.results.schemas import STRENGTH
from alignscope.results.store import RunResult

UNEQUAL = 1.5
"""The ratio of mean strengths from which a comparison of encoders is warned of."""

_KEYS = ["encoder", "task", "source", "setting", "init", "window", "block"]


def strength_table(outcomes: Iterable[RunResult]) -> pl.DataFrame:
    """Return the table ``strength``: per block of a window, the mean strength over seeds.

    The strength of a block is the mean over tokens of |block(x) − x| / |x|. Runs of versions that
    did not measure it are left out.
    """
    rows = [
        {
            "encoder": outcome.run.encoder.label,
            "task": outcome.run.task,
            "source": outcome.run.source,
            "setting": outcome.run.setting,
            "init": outcome.run.init_label,
            "window": outcome.run.window,
            **block,
        }
        for outcome in outcomes
        for block in outcome.provenance.get("strength", {}).get("blocks", [])
    ]
    by_run = pl.DataFrame(rows, schema={k: v for k, v in STRENGTH.items() if k != "seeds"})
    table = by_run.group_by(_KEYS, maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("seeds"), pl.mean("before"), pl.mean("after")
    )
    return table.select(list(STRENGTH))


def unequal_strengths(table: pl.DataFrame, names: dict[str, str] | None = None) -> list[str]:
    """Return a sentence for every init that hit the encoders of a comparison unequally hard.

    Takes the table ``strength``. Encoders are unequal if the mean strength after the change is more
    than 1.5 times as large in one as in another, for the blocks at one position of the window.
    Positions are apart, because the first block of a window also changes the scale of what it
    reads: its norms are new. This change would hide the differences of other blocks.

    The usual reason is the hidden size: a block with weights from N(0, 0.02) changes its input by
    3 % at width 64, and by 35 % at width 768.

    Args:
        table: the table ``strength``.
        names: short names of encoders by their label.
    """
    first = pl.col("window").str.split("-").list.first().cast(pl.Int64)
    placed = table.with_columns(position=pl.col("block") - first + 1)
    keys = ["init", "position", "encoder"]
    means = placed.group_by(keys, maintain_order=True).agg(pl.mean("after"))
    worst: dict[str, tuple[float, str]] = {}
    for (init, position), group in means.group_by("init", "position", maintain_order=True):
        ordered = group.sort("after").select("encoder", "after").rows()
        (_, low), (_, high) = ordered[0], ordered[-1]
        ratio = high / low if low > 0 else math.inf
        if high > UNEQUAL * low and ratio > worst.get(str(init), (UNEQUAL, ""))[0]:
            ends = " and by ".join(
                f"{100 * mean:.1f} % in {(names or {}).get(encoder, encoder)}"
                for encoder, mean in (ordered[0], ordered[-1])
            )
            worst[str(init)] = ratio, _sentence(str(init), int(str(position)), ends)
    return [sentence for _, sentence in worst.values()]


def _sentence(init: str, position: int, ends: str) -> str:
    return (
        f"Windows were hit unequally hard by {init}: block number {position} of a window changes "
        f"what it reads by {ends}. Effects of these encoders differ in size for this reason alone. "
        "Add init = torch-default, whose strength does not depend on the width, or skip."
    )
