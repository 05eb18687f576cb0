"""Strength: how hard windows were hit, and whether encoders were hit equally hard."""

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

    Takes the table ``strength``. Encoders are unequal if the mean strength of the blocks after the
    change is more than 1.5 times as large in one as in another. The usual reason is the hidden
    size: a block with weights from N(0, 0.02) changes its input by 3 % at width 64, and by 35 % at
    width 768.

    Args:
        table: the table ``strength``.
        names: short names of encoders by their label.
    """
    sentences = []
    means = table.group_by("init", "encoder", maintain_order=True).agg(pl.mean("after"))
    for (init,), group in means.group_by("init", maintain_order=True):
        weakest, strongest = group.sort("after").row(0), group.sort("after").row(-1)
        if strongest[2] > UNEQUAL * weakest[2]:
            low, high = (
                f"{100 * mean:.1f} % in {(names or {}).get(encoder, encoder)}"
                for _, encoder, mean in (weakest, strongest)
            )
            sentences.append(
                f"Windows were hit unequally hard by {init}: their blocks change what they read by "
                f"{low} and by {high}. Effects of these encoders differ in size for this reason "
                "alone. Add init = torch-default, whose strength does not depend on the width, or "
                "skip."
            )
    return sentences
