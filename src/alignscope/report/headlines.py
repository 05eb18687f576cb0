"""The verdicts of a study in plain sentences, which a report shows first."""

from collections.abc import Iterator, Mapping
from typing import Any

from alignscope.analysis.contrasts import SAME_DOMAIN
from alignscope.analysis.results import PrimaryResults
from alignscope.analysis.verdicts import CONTRADICTED, DOMAIN, SCALE, SUPPORTED
from alignscope.report.groups import ResultGroup, result_groups, window_groups
from alignscope.report.labels import corpus_label, count_of, format_points, task_label
from alignscope.report.summary import Paragraph

Row = Mapping[str, Any]
DEFAULT_INIT = "config"
"""The initialisation whose verdicts come first; the others are controls."""


def headlines(results: PrimaryResults) -> list[Paragraph]:
    """Return a paragraph per encoder, task, source and setting, in the study's first init.

    It says what the lowest and the highest window do, for these languages and for languages like
    these, and what limits the verdicts.
    """
    return [
        Paragraph(_heading(group), " ".join(sentences))
        for group in result_groups(results)
        if (sentences := [*_sentences(results, group)])
    ]


def _heading(group: ResultGroup) -> str:
    parts = (
        group.encoder_name if group.several_encoders else "",
        f"{task_label(group.task)} from {corpus_label(group.source)}",
        group.setting_name,
    )
    return ", ".join(filter(None, parts))


def _sentences(results: PrimaryResults, group: ResultGroup) -> Iterator[str]:
    inits = [windows.init for windows in window_groups(results) if windows.group == group]
    if not inits:
        return
    inits.sort(key=lambda init: init != DEFAULT_INIT)
    claims = {
        row["claim"]: row
        for row in group.select(results.claims).filter(init=inits[0]).iter_rows(named=True)
    }
    if "crucial" in claims:
        yield _crucial(claims["crucial"])
    if "harmless" in claims:
        yield _harmless(claims["harmless"])
    yield from _controls(results, group, inits, claims.get("crucial"))
    if any(row["undertrained"] for row in claims.values()):
        yield "REF is under-trained, so these verdicts may change with more training."


def _crucial(row: Row) -> str:
    """Return what the lowest window does to the targets, beside the source."""
    blocks = f"Re-initialising the lowest blocks, {row['window']},"
    more = "more" if row["fixed"] <= 0 else "less"
    domain = " in the same domain" if SAME_DOMAIN in row["statistic"] else ""
    size = (
        f"costs the {count_of(row['languages'], 'target language')} "
        f"{format_points(abs(row['fixed']), signed=False)} points {more} than the source "
        f"language{domain}{_interval(row, 'fixed_low', 'fixed_high')}"
    )
    sentence = f"{blocks} {size}."
    conclusion = {
        SUPPORTED: "They align languages",
        CONTRADICTED: "They do not align languages",
        SCALE: f"In log odds, the difference is not significant{_ceiling(row)}: whether they align "
        "languages depends on the scale",
        DOMAIN: "Language and domain are not separated, so this does not show that they align "
        "languages",
    }
    return f"{sentence} {_conclusion(row, conclusion, 'whether they align languages')}"


def _ceiling(row: Row) -> str:
    """Return why points and log odds part, if REF is at the ceiling."""
    if "within a point of 100" not in row["notes"]:
        return ""
    return ", because REF is within a point of 100, where few points are a large loss in log odds"


def _harmless(row: Row) -> str:
    """Return what the highest window does to the targets."""
    verb = "costs" if row["fixed"] <= 0 else "improves"
    size = (
        f"{verb} them {'' if verb == 'costs' else 'by '}"
        f"{format_points(abs(row['fixed']), signed=False)} points"
        f"{_interval(row, 'fixed_low', 'fixed_high')}"
    )
    margin = format_points(-row["threshold"], signed=False)
    conclusion = {
        SUPPORTED: f"Transfer loses less than {margin} points",
        CONTRADICTED: f"Transfer loses more than {margin} points",
        SCALE: f"Whether transfer loses less than {margin} points depends on the scale",
    }
    sentence = f"Re-initialising the highest blocks, {row['window']}, {size}."
    undecided = f"whether transfer loses less than {margin} points"
    return f"{sentence} {_conclusion(row, conclusion, undecided)}"


def _conclusion(row: Row, conclusions: Mapping[str, str], undecided: str) -> str:
    """Return the conclusion for these languages and for languages like these."""
    of_these, like_these = row["fixed_verdict"], row["verdict"]
    first = conclusions.get(of_these)
    if of_these == like_these:
        if first is None:
            return f"It is undecided {undecided}."
        if like_these not in (SUPPORTED, CONTRADICTED):
            return f"{first}."
        holm = "" if row["verdict_holm"] == like_these else ", though not after Holm correction"
        return f"{first}, these languages and languages like these{holm}."
    if first is None:
        return f"For these languages it is undecided {undecided}."
    families = count_of(row["families"], "family", "families")
    if like_these in conclusions:
        return f"{first} in these languages; for languages like these: {like_these}."
    return f"{first} in these languages; for languages like these, {families} cannot decide it."


def _controls(
    results: PrimaryResults, group: ResultGroup, inits: list[str], crucial: Row | None
) -> Iterator[str]:
    """Yield the effect of the lowest window under each control."""
    if crucial is None:
        return
    effects = group.select(results.effects).filter(window=crucial["window"], on="targets")
    by_init = {row["init"]: row for row in effects.iter_rows(named=True)}
    parts = [
        f"{format_points(by_init[init]['fixed'])} points with {init}"
        for init in inits
        if init in by_init
    ]
    if len(parts) > 1:
        yield (
            f"The mean effect of {crucial['window']} on the targets by how its weights are drawn: "
            f"{', '.join(parts)}."
        )


def _interval(row: Row, low: str, high: str) -> str:
    """Return `` (95 % CI 10.1 to 12.3)``: of the cost if the effect is negative, else the gain."""
    if row[low] is None or row[high] is None:
        return ""
    sign = -1 if row["fixed"] <= 0 else 1
    ends = sorted(sign * row[end] for end in (low, high))
    return f" (95 % CI {' to '.join(format_points(end, signed=False) for end in ends)})"
