"""The results of a study in sentences, in the form of a paper's results section."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import polars as pl
from scipy.special import stdtrit

from alignscope._util.confidence import CONFIDENCE
from alignscope.analysis.results import PrimaryResults, StudyResults
from alignscope.analysis.verdicts import VERDICTS
from alignscope.config.windows import Window
from alignscope.report.groups import ResultGroup, WindowGroup, result_groups, window_groups
from alignscope.report.labels import (
    corpus_label,
    count_of,
    equals_p,
    format_points,
    join_names,
    task_label,
)
from alignscope.report.reference import reference_notes
from alignscope.report.tables.settings import robustness_sentence
from alignscope.results.tables import REF

LEAD = (
    "A window is a range of blocks that are re-initialised before fine-tuning on the source "
    "language; REF is the same fine-tuning without re-initialisation. If a window costs the other "
    "languages, the targets, much more than the source, its blocks align languages. Prediction "
    "begins above the last such block."
)
_GAP = "The gap of a target is REF's score on the source minus REF's score on the target."
SIGNIFICANCE = 0.05


def completion_note(results: StudyResults) -> str:
    """Return a sentence on how many runs of a study are done."""
    counts = Counter(results.runs["status"])
    total, done = len(results.runs), counts["done"]
    if done == total:
        return "The 1 run is done." if total == 1 else f"All {total} runs are done."
    states = [f"{counts[state]} {state}" for state in ("failed", "missing") if counts[state]]
    return (
        f"{done} of {count_of(total, 'run')} are done ({', '.join(states)}). Everything below "
        "refers to the runs that are done and may change."
    )


def power_note(languages: int) -> str:
    """Return a sentence on the smallest correlation that is significant for so many languages."""
    if languages < 5:
        need = "Correlations are computed over target languages and need at least five of them."
        return f"{_GAP} {need}"
    t = float(stdtrit(languages - 2, (1 + CONFIDENCE) / 2))
    smallest = t / math.sqrt(languages - 2 + t**2)
    return (
        f"{_GAP} Correlations are computed over {languages} target languages, so only |ρ| above "
        f"about {smallest:.1f} is significant at the 5 % level."
    )


class Paragraph(NamedTuple):
    """A paragraph of the summary under its heading."""

    heading: str
    text: str


def summarise(results: PrimaryResults) -> list[Paragraph]:
    """Return a paragraph for each group and initialisation, then a sentence on the claims."""
    paragraphs = [text for group in result_groups(results) for text in _paragraphs(results, group)]
    counts = Counter(results.claims["verdict"])
    if counts:
        verdicts = join_names(f"{counts[name]} {name}" for name in VERDICTS if counts[name])
        tests = count_of(counts.total(), "test")
        text = f"{tests}, of which {verdicts}."
        text = " ".join(filter(None, [text, robustness_sentence(results)]))
        paragraphs.append(
            Paragraph("Claims of Muller et al. (2021), for languages like these", text)
        )
    return paragraphs


def _paragraphs(results: PrimaryResults, group: ResultGroup) -> Iterator[Paragraph]:
    effects = group.select(results.effects)
    reference = _reference(results, group)
    inits = set(effects["init"])
    for windows in window_groups(results):
        if windows.group != group or windows.init not in inits:
            continue
        sentences = [
            reference,
            _largest_effect(windows.select(results.effects)),
            _missing_windows(results, windows),
            _boundary(results, windows),
        ]
        init = f", initialised by {windows.init}" if windows.several_inits else ""
        yield Paragraph(f"{_heading(group)}{init}", " ".join(filter(None, sentences)))
    if not inits:
        planned = any(group.contains(run) and run.window for run in results.planned)
        lack = (
            "No window is done together with its REF yet."
            if planned
            else "The study has no windows."
        )
        yield Paragraph(_heading(group), " ".join(filter(None, [reference, lack])))


def _heading(group: ResultGroup) -> str:
    task, source = task_label(group.task), corpus_label(group.source)
    where = ", ".join(filter(None, [f"{task} from {source}", group.setting_name]))
    return f"Encoder {group.encoder_name}, {where} ({group.metric_title})"


def _reference(results: PrimaryResults, group: ResultGroup) -> str:
    """Return sentences on REF's scores beside the majority baseline."""
    scores = group.select(results.scores).filter(window=REF)
    if scores.is_empty():
        return ""
    means = scores.group_by("corpus", "relation").agg(pl.mean("score"), pl.first("majority"))
    source, targets = (means.filter(relation=r) for r in ("in-domain", "cross-lingual"))
    parts = [
        f"{_mean_points(part, 'score')} on {place} (majority baseline "
        f"{_mean_points(part, 'majority')})"
        for part, place in ((source, "the source"), (targets, _targets(len(targets))))
        if len(part)
    ]
    seeds = count_of(scores["seed"].n_unique(), "seed")
    scored = f"REF scores {' and '.join(parts)}; n = {seeds}."
    return " ".join(filter(None, [scored, reference_notes(results, group)]))


def _mean_points(table: pl.DataFrame, column: str) -> str:
    mean = table[column].sort().mean()
    assert isinstance(mean, float)
    return format_points(mean, signed=False)


def _targets(count: int) -> str:
    return "the target" if count == 1 else f"the {count} targets"


def _largest_effect(effects: pl.DataFrame) -> str:
    """Return sentences on the window that costs the targets most."""
    means = effects.filter(on="targets").sort("fixed")
    if means.is_empty():
        return "The study has no targets."
    largest = means.row(0, named=True)
    targets = _targets(largest["corpora"])
    if largest["fixed"] >= 0:
        return f"No window has a negative mean effect on {targets}."
    source = effects.filter(on="source", window=largest["window"])
    on_source = (
        f" and {_change('the source', source.row(0, named=True), '')}" if len(source) else ""
    )
    window = largest["window"]
    selection = (
        f"The only window is {window}"
        if means.height == 1
        else f"Of {means.height} windows, {window} has the largest effect"
    )
    n = f", n = {count_of(largest['seeds'], 'seed')}"
    return (
        f"{selection}: re-initialising it {_change(targets, largest, n)}"
        f"{on_source}.{_languages_like_these(largest)}"
    )


def _change(place: str, row: Mapping[str, Any], n: str) -> str:
    """Return ``costs the source 15.2 points (95 % CI 10.3 to 20.0)``."""
    mean, sign = row["fixed"], -1 if row["fixed"] < 0 else 1
    if mean == 0:
        return f"does not change {place}"
    verb = f"costs {place}" if mean < 0 else f"improves {place} by"
    if format_points(abs(mean), signed=False) == "0.0":  # neither a cost nor a gain to a reader
        verb = f"changes {place} by"
    low_high = _ends(row["seeds_low"], row["seeds_high"], sign)
    details = (f"95 % CI {low_high}{n}" if low_high else n).removeprefix(", ")
    size = f"{format_points(abs(mean), signed=False)} points"
    return f"{verb} {size} ({details})" if details else f"{verb} {size}"


def _ends(low: float | None, high: float | None, sign: int) -> str:
    ends = sorted(sign * end for end in (low, high) if end is not None)
    return " to ".join(format_points(end, signed=False) for end in ends)


def _languages_like_these(row: Mapping[str, Any]) -> str:
    """Return sentences on the effect in the reading in which families are a sample."""
    p, corrected = row["p"], row["p_holm"]
    if row["seeds"] == 1:
        ends = _ends(row["sentences_low"], row["sentences_high"], -1)
        other = f" For other sentences, the 95 % CI of the cost is {ends} points." if ends else ""
        return f" With a single seed there is no CI over seeds and no p-value.{other}"
    if row["families"] < 2:
        return " The targets are of one family, so nothing follows for languages like these."
    ends = _ends(row["low"], row["high"], -1)
    sentence = (
        f" For languages like these, of {count_of(row['families'], 'family', 'families')}, the "
        f"cost is {format_points(-row['mean'], signed=False)} points (95 % CI {ends})"
    )
    if corrected is None or p is None:
        return f"{sentence}."
    if corrected <= SIGNIFICANCE:
        return f"{sentence}, which is significant (Holm-corrected {equals_p(corrected)})."
    if p <= SIGNIFICANCE:
        return (
            f"{sentence}, which is not significant after Holm correction (corrected "
            f"{equals_p(corrected)}, uncorrected {equals_p(p)}); the CI is not corrected."
        )
    return f"{sentence}, which is not significant (Holm-corrected {equals_p(corrected)})."


def _missing_windows(results: PrimaryResults, windows: WindowGroup) -> str:
    """Return a sentence on the planned windows without a result."""
    planned = {
        run.window
        for run in results.planned
        if windows.group.contains(run) and run.init_label == windows.init and run.window
    }
    known = set(windows.select(results.effects)["window"])
    missing = sorted(planned - known, key=lambda name: Window.parse(name).first)
    return f"Windows without a result yet: {', '.join(missing)}." if missing else ""


def _boundary(results: PrimaryResults, windows: WindowGroup) -> str:
    rows = windows.select(results.boundaries)
    if rows.is_empty():
        return ""
    row = rows.row(0, named=True)
    if row["block"] is None:
        return f"No boundary is reported ({row['reason']})."
    return (
        f"Prediction begins at block {row['block']} (95 % of the resampled boundaries: blocks "
        f"{row['low']} to {row['high']})."
    )
