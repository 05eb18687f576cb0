"""Whether REF is trained well enough for its numbers, and the effects on them, to mean anything."""

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from alignscope.analysis.constants import RUN_KEYS
from alignscope.results.schemas import REFERENCE, to_frame
from alignscope.results.tables import REF

SINGLE_SEED_RISE = 0.01
"""With one seed, a dev score that rose by more than this, one point, was still rising."""
SMALLEST_RISE = 0.002
"""A smaller rise, 0.2 points, never counts, however equal the seeds happen to be."""
LOSS_RATIO, LOSS_SHARE = 0.8, 0.05
"""The loss is far from flat if its mean over the last epoch is below 0.8 × that of the epoch before
and the difference is more than 0.05 × the loss of the first epoch. The second condition leaves out
losses near 0, which fall by large factors without any effect on predictions."""
STANDARD_ERRORS = 2
"""REF is better than the majority baseline if it exceeds it by more binomial standard errors."""
MAX_NAMES = 5
"""The largest number of corpora that a reason names."""
CEILING = 0.99
"""From this score on, REF has no room for a difference in points."""


def reference_table(scores: pl.DataFrame, epochs: pl.DataFrame) -> pl.DataFrame:
    """Return the table ``reference``: one row per group of REF runs, with what is wrong with them.

    REF is under-trained if its dev score, as a mean over seeds, rose in the last epoch by more than
    its standard deviation over seeds, if the loss was far from flat, if there was a single epoch,
    so that neither can be judged, or if it is no better than the majority baseline on a corpus.

    Args:
        scores: the table ``scores``.
        epochs: the table ``epochs``.
    """
    reference = scores.filter(window=REF).sort(*RUN_KEYS, "corpus", "seed")
    trained = epochs.filter(window=REF).unique(["address", "epoch"])
    rows = []
    for key, group in reference.group_by(RUN_KEYS, maintain_order=True):
        names = dict(zip(RUN_KEYS, key, strict=True))
        of_group = trained.filter(pl.col("address").is_in(group["address"].unique().implode()))
        by_corpus = _by_corpus(group)
        below = by_corpus.filter("no_better")["corpus"].to_list()
        ceiling = by_corpus.filter(pl.col("score") >= CEILING)["corpus"].to_list()
        reasons = [*_training_reasons(of_group), *_baseline_reasons(below)]
        means = {
            place: by_corpus.filter(relation=relation)["score"].mean()
            for relation, place in _PLACES.items()
        }
        rows.append({
            **names,
            "seeds": group["seed"].n_unique(),
            **means,
            "undertrained": bool(reasons),
            "reasons": " ".join(reasons),
            "no_better": ", ".join(below),
            "ceiling": bool(ceiling),
            "ceiling_corpora": ", ".join(ceiling),
        })  # fmt: skip
    return to_frame(rows, REFERENCE)


_PLACES = {"in-domain": "source_mean", "cross-lingual": "targets_mean"}


def _by_corpus(group: pl.DataFrame) -> pl.DataFrame:
    """Return REF's mean score on each corpus, and whether it is no better than the baseline."""
    means = group.group_by("corpus", "relation", "task", maintain_order=True).agg(
        pl.mean("score"), pl.first("majority", "sentences", "words")
    )
    score, labels_sentences = pl.col("score"), pl.col("task") == "classification"
    units = pl.when(labels_sentences).then("sentences").otherwise("words")
    error = (score * (1 - score) / units).sqrt()
    return means.with_columns(no_better=score <= pl.col("majority") + STANDARD_ERRORS * error)


class _Epoch(NamedTuple):
    """Means over seeds of the metrics of an epoch; the spread is null for a single seed."""

    epoch: int
    dev: float
    spread: float | None
    loss: float


def _training_reasons(trained: pl.DataFrame) -> Iterator[str]:
    """Yield a sentence for each sign that training ended too early."""
    by_epoch = trained.group_by("epoch").agg(
        pl.col("dev_score").sort().mean(),
        pl.col("dev_score").std().alias("spread"),
        pl.col("loss").sort().mean(),
    )
    epochs = [_Epoch(*row) for row in by_epoch.sort("epoch").iter_rows()]
    if len(epochs) < 2:
        yield "REF was trained for a single epoch, so it cannot be judged whether that is enough."
        return
    first, before, last = epochs[0], epochs[-2], epochs[-1]
    rise, spread = last.dev - before.dev, last.spread
    margin = SINGLE_SEED_RISE if spread is None else max(spread, SMALLEST_RISE)
    if rise > margin:
        over = "one point" if spread is None else f"{100 * margin:.1f}, its spread over seeds"
        yield (
            f"REF's dev score still rose by {100 * rise:.1f} points in the last epoch, more than "
            f"{over}."
        )
    fall = before.loss - last.loss
    if last.loss < LOSS_RATIO * before.loss and fall > LOSS_SHARE * first.loss:
        share = f"{100 * fall / before.loss:.0f} %"
        yield f"REF's training loss still fell by {share} in the last epoch."


def _baseline_reasons(corpora: list[str]) -> Iterator[str]:
    if corpora:
        rest = len(corpora) - MAX_NAMES
        names = ", ".join(corpora[:MAX_NAMES]) + (f" and {rest} more corpora" if rest > 0 else "")
        yield f"REF is no better than the majority baseline on {names}."
