"""The paper's hypotheses as statements that a study can support, contradict or leave undecided."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from alignscope.analysis.constants import RUN_KEYS
from alignscope.analysis.effect_estimates import GroupEffects, estimate_effects
from alignscope.analysis.genealogy import LineageOf, lineage
from alignscope.analysis.similarity_claims import gap_claims, stability_claims
from alignscope.analysis.statements import HYPOTHESES
from alignscope.analysis.verdicts import corrected_verdicts, verdict
from alignscope.analysis.window_claims import window_claims
from alignscope.config.thresholds import HypothesisThresholds
from alignscope.results.schemas import CLAIMS, to_frame

__all__ = ["HYPOTHESES", "Evidence", "PlannedWindows", "claims_table", "verdict"]

PlannedWindows = Mapping[tuple[object, ...], Collection[str]]
"""The windows of a study by encoder, task, source, setting and initialisation."""


@dataclass(frozen=True)
class Evidence:
    """The tables and estimates on which verdicts rest; what is None is computed or unknown."""

    groups: Sequence[GroupEffects] | None = None
    """The effects (`estimate_effects`). None: they are computed."""
    planned: PlannedWindows | None = None
    """The windows that a study plans, of which the lowest and the highest are judged. None: the
    windows that have scores."""
    reference: pl.DataFrame | None = None
    """The table ``reference``, which flags an under-trained REF and ceilings."""
    changes: pl.DataFrame | None = None
    """The table ``changes``, on which *stable* is judged."""
    lineage_of: LineageOf = lineage
    """Returns genus and family of a language."""


def claims_table(
    scores: pl.DataFrame,
    similarity: pl.DataFrame | None,
    thresholds: HypothesisThresholds,
    evidence: Evidence | None = None,
) -> pl.DataFrame:
    """Return the table ``claims``: a verdict on every hypothesis, by encoder, task and source.

    Args:
        scores: the table ``scores``.
        similarity: the table ``similarity``, or None if it was not measured.
        thresholds: the thresholds of the hypotheses.
        evidence: what else is known.

    Returns:
        The table. Each row has the statistic in both readings with its 95 % CIs, the threshold, the
        verdict, and the verdict after Holm's correction over all rows. A hypothesis has no row if a
        study has nothing on it: it has no targets, no similarity, or the window is not done.
    """
    known = evidence or Evidence()
    groups = known.groups
    if groups is None:
        groups = estimate_effects(scores, known.lineage_of)
    rows = [*window_claims(groups, thresholds, known.planned or {})]
    if known.changes is not None:
        rows += stability_claims(scores, known.changes, thresholds, known.lineage_of)
    if similarity is not None:
        rows += gap_claims(scores, similarity, thresholds, known.lineage_of)
    order = {hypothesis.name: place for place, hypothesis in enumerate(HYPOTHESES)}
    rows.sort(
        key=lambda row: [str(row[name]) for name in RUN_KEYS] + [str(order[str(row["claim"])])]
    )
    flagged = [_with_reference(row, known.reference) for row in rows]
    return to_frame(corrected_verdicts(flagged), CLAIMS)


def _with_reference(row: dict[str, object], reference: pl.DataFrame | None) -> dict[str, object]:
    """Add whether REF is under-trained, and the reasons to the notes."""
    if reference is None:
        return {**row, "undertrained": None}
    key = {name: row[name] for name in RUN_KEYS}
    for flags in reference.filter(**key).iter_rows(named=True):
        notes = [str(row["notes"]), flags["reasons"] or ""]
        joined = " ".join(note for note in notes if note)
        return {**row, "undertrained": flags["undertrained"], "notes": joined}
    return {**row, "undertrained": None}
