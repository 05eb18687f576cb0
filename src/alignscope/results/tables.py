"""The tables of measurements, from stored results: scores, similarity and runs."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache

import polars as pl

from alignscope.config.run import RunSpec
from alignscope.data.corpus import parse_corpus, relation_between
from alignscope.errors import DataError, StoreError
from alignscope.results.columns import ADDED_ESTIMATES
from alignscope.results.schemas import CHANGES, EPOCHS, RUN_SIMILARITY, RUNS, SCORES, to_frame
from alignscope.results.store import ResultStore, Row, RunResult

REF = "REF"
"""The name, in the column ``window``, of runs without a re-initialised window."""


WITHOUT_LENGTH = "without length"
"""The estimator, in the table ``gaps``, of debiased CKA with sentence length regressed out."""


def scores_table(results: Iterable[RunResult]) -> pl.DataFrame:
    """Return the table ``scores``: one row per run, corpus and metric; scores are fractions.

    Raises:
        StoreError: if the runs of an encoder differ in precision, commit or data, so that no effect
            can be computed.
    """
    results = list(results)
    _check_comparable(results)
    return to_frame(_rows(results, _score_rows), SCORES)


def split_supervised(scores: pl.DataFrame, runs: Iterable[RunSpec]) -> tuple[pl.DataFrame, ...]:
    """Return the rows of ``scores`` without those of supervised runs, and those rows."""
    addresses = [run.address for run in runs if run.supervised]
    supervised = pl.col("address").is_in(addresses)
    return scores.filter(~supervised), scores.filter(supervised)


def run_similarity_table(results: Iterable[RunResult]) -> pl.DataFrame:
    """Return the table ``similarity``: one row per run, state, pair of corpora, layer and measure.

    Raises:
        StoreError: as `scores_table` does, or if no run has measured similarity.
    """
    results = list(results)
    _check_comparable(results)
    absent = dict.fromkeys(ADDED_ESTIMATES)
    rows = [absent | row for row in _rows(results, lambda result: result.similarity)]
    if not rows:
        raise StoreError(
            "No run of this study has measured similarity. Add a [similarity] table to the study "
            "file and run it again."
        )
    return to_frame(rows, RUN_SIMILARITY)


def epochs_table(results: Iterable[RunResult]) -> pl.DataFrame:
    """Return the table ``epochs``: one row per run, epoch and corpus.

    Results of versions that did not score every epoch have one row per epoch, without a corpus.
    """
    return to_frame(_rows(results, _epoch_rows), EPOCHS)


def changes_table(results: Iterable[RunResult]) -> pl.DataFrame:
    """Return the table ``changes``: one row per run of REF, parallel corpus and block.

    Raises:
        StoreError: if no run has measured changes of blocks.
    """
    rows = _rows(results, lambda result: result.changes)
    if not rows:
        raise StoreError(
            "No run of this study has measured changes of blocks. Add a [similarity] table with "
            "`drift = true` to the study file and run it on a new store."
        )
    return to_frame(rows, CHANGES)


def runs_table(
    runs: Iterable[RunSpec], store: ResultStore, results: Iterable[RunResult] | None = None
) -> pl.DataFrame:
    """Return the table ``runs``: one row per planned run, done or not.

    Args:
        runs: the planned runs.
        store: the store that holds their results and failures.
        results: the results of these runs, if they have been loaded already.
    """
    runs = list(runs)
    loaded = store.load_results(runs) if results is None else results
    by_address = {result.run.address: result for result in loaded}
    rows = [
        {**_run_columns(run), **_status_columns(run, by_address.get(run.address), store)}
        for run in runs
    ]
    return to_frame(rows, RUNS)


def _check_comparable(results: Iterable[RunResult]) -> None:
    """Refuse runs of one encoder and task in different precisions, of other commits or data."""
    precision_and_commit: dict[tuple[str, str], tuple[object, object]] = {}
    checksums: dict[tuple[str, str, str], object] = {}
    for result in results:
        encoder, task = result.run.encoder.label, result.run.task
        provenance = result.provenance
        current = (provenance.get("precision"), provenance.get("encoder", {}).get("resolved"))
        first = precision_and_commit.setdefault((encoder, task), current)
        if first != current:
            raise StoreError(
                f"The {task} runs of {encoder} cannot be compared: some ran in {first[0]} from "
                f"commit {first[1]}, others in {current[0]} from commit {current[1]}. Use a store "
                "for each."
            )
        for corpus, checksum in (provenance.get("data") or {}).items():
            if checksums.setdefault((encoder, task, corpus), checksum) != checksum:
                raise StoreError(
                    f"The {task} runs of {encoder} cannot be compared: they read two different "
                    f"files as {corpus}. Use a store for each."
                )


def _rows(results: Iterable[RunResult], part: Callable[[RunResult], list[Row]]) -> list[Row]:
    """Return the rows of every result, with the columns that identify the run."""
    return [
        run_columns | row
        for result in results
        for run_columns in (_run_columns(result.run),)
        for row in part(result)
    ]


def _score_rows(result: RunResult) -> list[Row]:
    run = result.run
    return [{**row, **_described(run.source, row["corpus"], run.task)} for row in result.scores]


def _epoch_rows(result: RunResult) -> list[Row]:
    relations = {row["corpus"]: row["relation"] for row in _score_rows(result)}
    metric = result.scores[0]["metric"]
    unscored: Row = dict.fromkeys(("corpus", "relation", "score"))
    return [
        {"metric": metric, **{name: epoch[name] for name in _EPOCH_COLUMNS}, **of_corpus}
        for epoch in result.epochs
        for of_corpus in [
            {"corpus": corpus, "relation": relations.get(corpus), "score": score}
            for corpus, score in epoch.get("scores", {}).items()
        ]
        or [unscored]
    ]


_EPOCH_COLUMNS = ("epoch", "steps", "loss", "dev_score")


@cache
def _described(source: str, corpus: str, task: str) -> Row:
    """Return what follows from the names of the source and an evaluated corpus.

    The relation is computed anew, because older versions took another annotation scheme for another
    domain. It stays as stored if a name is a path that is not on this machine.
    """
    try:
        spec = parse_corpus(corpus)
    except DataError:
        return {"domain": None}
    row: Row = {"domain": spec.domain}
    with suppress(DataError):
        row["relation"] = relation_between(parse_corpus(source), spec, task)
    return row


def _run_columns(run: RunSpec) -> Row:
    return {
        "address": run.address,
        "encoder": run.encoder.label,
        "task": run.task,
        "source": run.source,
        "setting": run.setting,
        "window": run.window or REF,
        "init": run.init_label,
        "adapters": run.adapters,
        "seed": run.seed,
    }


def _status_columns(run: RunSpec, result: RunResult | None, store: ResultStore) -> Row:
    empty: Row = dict.fromkeys(("best_epoch", "dev_score", "steps", "seconds", "reason"))
    if result is not None:
        best = max(result.epochs, key=lambda epoch: epoch["dev_score"])
        return {
            **empty,
            "status": "done",
            "best_epoch": best["epoch"],
            "dev_score": best["dev_score"],
            "steps": result.epochs[-1]["steps"],
            "seconds": result.provenance.get("seconds"),
        }
    failure = store.load_failure(run)
    if failure is not None:
        return {**empty, "status": "failed", "reason": failure.reason}
    return {**empty, "status": "missing"}


def primary_measure(similarity: pl.DataFrame) -> pl.DataFrame:
    """Return each encoder's rows of debiased CKA if it was measured, else of its first measure."""
    cka = (pl.col("measure") == "cka") & (pl.col("estimator") == "debiased")
    first = [pl.col(name) == pl.col(name).first() for name in ("measure", "estimator")]
    return similarity.filter(
        pl.when(cka.any()).then(cka).otherwise(first[0] & first[1]).over("encoder")
    )


def primary_metrics(scores: pl.DataFrame) -> dict[str, str]:
    """Return the first metric of each task, the one that selects the epoch on dev.

    Takes the table ``scores``, which has the metrics in the order of the task.
    """
    first = scores.unique("task", keep="first", maintain_order=True)
    return dict(first.select("task", "metric").rows())
