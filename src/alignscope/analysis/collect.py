"""From stored outcomes to the long tables."""

from collections.abc import Iterable

import polars as pl

from alignscope.store import Outcome, Row, Store
from alignscope.study import Run
from alignscope.tables import RUNS, SCORES, frame

REF = "REF"


def scores_table(outcomes: Iterable[Outcome]) -> pl.DataFrame:
    """One row per run, corpus and metric (``tables.SCORES``); scores are fractions 0-1."""
    rows = [{**_columns(outcome.run), **score} for outcome in outcomes for score in outcome.scores]
    return frame(rows, SCORES)


def runs_table(runs: Iterable[Run], store: Store) -> pl.DataFrame:
    """One row per run of a study (``tables.RUNS``), done or not."""
    return frame([{**_columns(run), **_progress(run, store)} for run in runs], RUNS)


def _columns(run: Run) -> Row:
    return {
        "address": run.address,
        "encoder": run.encoder.name,
        "task": run.task,
        "source": run.source,
        "window": run.window or REF,
        "init": run.init,
        "adapters": run.adapters,
        "seed": run.seed,
    }


def _progress(run: Run, store: Store) -> Row:
    empty: Row = dict.fromkeys(("best_epoch", "dev_score", "steps", "seconds", "reason"))
    outcome = store.get(run)
    if outcome is not None:
        best = max(outcome.epochs, key=lambda epoch: epoch["dev_score"])
        return {
            **empty,
            "status": "done",
            "best_epoch": best["epoch"],
            "dev_score": best["dev_score"],
            "steps": outcome.epochs[-1]["steps"],
            "seconds": outcome.provenance["seconds"],
        }
    failure = store.failure(run)
    if failure is not None:
        return {**empty, "status": "failed", "reason": failure.reason}
    return {**empty, "status": "missing"}
