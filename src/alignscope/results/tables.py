"""From stored outcomes to the long tables."""

from collections.abc import Callable, Iterable

import polars as pl

from alignscope.config.run import RunSpec
from alignscope.errors import StoreError
from alignscope.results.schemas import RUN_SIMILARITY, RUNS, SCORES, to_frame
from alignscope.results.store import ResultStore, Row, RunResult

REF = "REF"


def scores_table(outcomes: Iterable[RunResult]) -> pl.DataFrame:
    """One row per run, corpus and metric (``tables.SCORES``); scores are fractions 0-1.

    Raises:
        StoreError: if runs of one encoder were not made alike, so that no effect could be taken.
    """
    outcomes = list(outcomes)
    _check_alike(outcomes)
    return to_frame(_rows(outcomes, lambda outcome: outcome.scores), SCORES)


def run_similarity_table(outcomes: Iterable[RunResult]) -> pl.DataFrame:
    """One row per run, state, pair of corpora, layer and estimate (``tables.RUN_SIMILARITY``).

    Raises:
        StoreError: as `scores_table` does, or if no run of the study compared anything.
    """
    outcomes = list(outcomes)
    _check_alike(outcomes)
    rows = _rows(outcomes, lambda outcome: outcome.similarity)
    if not rows:
        raise StoreError(
            "no run of this study has compared languages: it takes a [similarity] table in the "
            "study file"
        )
    return to_frame(rows, RUN_SIMILARITY)


def runs_table(
    runs: Iterable[RunSpec], store: ResultStore, outcomes: Iterable[RunResult] | None = None
) -> pl.DataFrame:
    """One row per run of a study (``tables.RUNS``), done or not.

    ``outcomes`` are what the store holds of them, for whom has read it already.
    """
    runs = list(runs)
    found = store.load_results(runs) if outcomes is None else outcomes
    done = {outcome.run.address: outcome for outcome in found}
    rows = [{**_columns(run), **_progress(run, done.get(run.address), store)} for run in runs]
    return to_frame(rows, RUNS)


def _check_alike(outcomes: Iterable[RunResult]) -> None:
    """Refuse to compare runs of one encoder in other precision, of other commits, on other data."""
    seen: dict[tuple[str, str], tuple[object, object]] = {}
    data: dict[tuple[str, str, str], object] = {}
    for outcome in outcomes:
        name, task = outcome.run.encoder.label, outcome.run.task
        about = outcome.provenance
        made = (about.get("precision"), about.get("encoder", {}).get("resolved"))
        first = seen.setdefault((name, task), made)
        if first != made:
            raise StoreError(
                f"the {task} runs of {name} cannot be compared: some were made in {first[0]} from "
                f"commit {first[1]}, others in {made[0]} from {made[1]}; use a store for each"
            )
        for corpus, checksum in (about.get("data") or {}).items():
            if data.setdefault((name, task, corpus), checksum) != checksum:
                raise StoreError(
                    f"the {task} runs of {name} cannot be compared: they read two different files "
                    f"as {corpus}; use a store for each"
                )


def _rows(outcomes: Iterable[RunResult], part: Callable[[RunResult], list[Row]]) -> list[Row]:
    """The rows of every outcome, each with what its run was."""
    return [
        about | row
        for outcome in outcomes
        for about in (_columns(outcome.run),)
        for row in part(outcome)
    ]


def _columns(run: RunSpec) -> Row:
    return {
        "address": run.address,
        "encoder": run.encoder.label,
        "task": run.task,
        "source": run.source,
        "window": run.window or REF,
        "init": run.init,
        "adapters": run.adapters,
        "seed": run.seed,
    }


def _progress(run: RunSpec, outcome: RunResult | None, store: ResultStore) -> Row:
    empty: Row = dict.fromkeys(("best_epoch", "dev_score", "steps", "seconds", "reason"))
    if outcome is not None:
        best = max(outcome.epochs, key=lambda epoch: epoch["dev_score"])
        return {
            **empty,
            "status": "done",
            "best_epoch": best["epoch"],
            "dev_score": best["dev_score"],
            "steps": outcome.epochs[-1]["steps"],
            "seconds": outcome.provenance.get("seconds"),
        }
    failure = store.load_failure(run)
    if failure is not None:
        return {**empty, "status": "failed", "reason": failure.reason}
    return {**empty, "status": "missing"}


def primary_measure(similarity: pl.DataFrame) -> pl.DataFrame:
    """Keep each encoder's rows of debiased CKA where it was measured, else of its first measure."""
    cka = (pl.col("measure") == "cka") & (pl.col("estimator") == "debiased")
    first = [pl.col(name) == pl.col(name).first() for name in ("measure", "estimator")]
    return similarity.filter(
        pl.when(cka.any()).then(cka).otherwise(first[0] & first[1]).over("encoder")
    )


def primary_metrics(scores: pl.DataFrame) -> dict[str, str]:
    """The first metric of each task, in which it was selected on dev.

    Takes ``tables.SCORES``, where metrics stand in the task's own order.
    """
    first = scores.unique("task", keep="first", maintain_order=True)
    return dict(first.select("task", "metric").rows())
