"""Every table of a study, by its name."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from alignscope.analysis.boundary import boundaries_table
from alignscope.analysis.claims import claims_table
from alignscope.analysis.collect import run_similarity_table, runs_table, scores_table
from alignscope.analysis.contrasts import contrasts_table
from alignscope.analysis.distances import distances_table
from alignscope.analysis.drift import drift_table
from alignscope.analysis.effects import effects_table
from alignscope.analysis.gap import gaps_table
from alignscope.analysis.intervals import intervals_table
from alignscope.analysis.typology import distance_of
from alignscope.store import Store
from alignscope.study import Run, Thresholds
from alignscope.synthetic.distance import typological_distance

_OF_SCORES = {
    "effects": effects_table,
    "intervals": intervals_table,
    "contrasts": contrasts_table,
    "boundaries": boundaries_table,
}


def make_table(
    name: str,
    runs: Sequence[Run],
    store: Store,
    features: Path | None = None,
    thresholds: Thresholds | None = None,
) -> pl.DataFrame:
    """Make the table of that name from what a store holds of these runs.

    ``features`` is a file that says how far apart languages are (`typology.read_features`),
    ``thresholds`` what claims are held against.

    Raises:
        StoreError: if results cannot be compared, or there is no similarity where one is needed.
        DataError: if the features cannot be used.
    """
    if name == "runs":
        return runs_table(runs, store)
    outcomes = store.outcomes(runs)
    if name == "similarity":
        return run_similarity_table(outcomes)
    if name == "claims":
        compared = run_similarity_table(outcomes) if any(o.similarity for o in outcomes) else None
        windows = _windows(runs)
        return claims_table(scores_table(outcomes), compared, thresholds or Thresholds(), windows)
    if name == "drift":
        return drift_table(run_similarity_table(outcomes))
    scores = scores_table(outcomes)
    if name in _OF_SCORES:
        return _OF_SCORES[name](scores)
    distance = distance_of({*scores["language"]}, features)
    if name == "distances":
        return distances_table(scores, distance or typological_distance)
    if name == "gaps":
        return gaps_table(scores, run_similarity_table(outcomes), distance)
    return scores


def _windows(runs: Sequence[Run]) -> dict[tuple[object, ...], set[str]]:
    """The windows that were planned, by encoder, task, source and initialisation."""
    found: dict[tuple[object, ...], set[str]] = {}
    for run in runs:
        if run.window is not None:
            key = run.encoder.label, run.task, run.source, run.init
            found.setdefault(key, set()).add(run.window)
    return found
