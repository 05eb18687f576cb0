"""Predicted sentences side by side: REF and an ablated run on the same words."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from alignscope.analysis.results import StudyResults
from alignscope.config.windows import Window
from alignscope.report.groups import ResultGroup
from alignscope.results.store import RunResult


@dataclass(frozen=True)
class PredictedWord:
    """A word with its gold label and the label that each run predicted."""

    word: str
    gold: str
    predicted: tuple[str, ...]


@dataclass(frozen=True)
class PredictionExample:
    """A sentence of a corpus, written from left to right (``ltr``) or right to left (``rtl``)."""

    corpus: str
    direction: str
    runs: tuple[str, ...]
    """The runs that predicted, in order: ``("REF", "0-1")``."""
    tokens: tuple[PredictedWord, ...]


def examples_of(results: StudyResults, group: ResultGroup) -> list[PredictionExample]:
    """Return one example per corpus: REF of the first seed beside its lowest window."""
    outcomes = [
        outcome for outcome in results.outcomes if group.contains(outcome.run) and outcome.examples
    ]
    references = [outcome for outcome in outcomes if outcome.run.window is None]
    if not references:
        return []
    shown = [references[0], *_lowest_window(outcomes, references[0].run.seed)]
    examples = [{row["corpus"]: row for row in outcome.examples} for outcome in shown]
    several = len({outcome.run.init_label for outcome in outcomes if outcome.run.window}) > 1
    names = tuple(_run_name(outcome, several) for outcome in shown)
    return [
        _example(corpus, names, [of_run[corpus] for of_run in examples])
        for corpus in examples[0]
        if _same_sentence([of_run.get(corpus) for of_run in examples])
    ]


def _run_name(outcome: RunResult, several_inits: bool) -> str:
    window, init = outcome.run.window, outcome.run.init_label
    if window is None:
        return "REF"
    return f"{window} ({init})" if several_inits else window


def _same_sentence(rows: list[dict[str, Any] | None]) -> bool:
    first = rows[0]
    return first is not None and all(
        row is not None
        and (row["words"], row["gold"]) == (first["words"], first["gold"])
        and len(row["words"]) == len(row["gold"]) == len(row["predicted"])
        for row in rows
    )


def _lowest_window(outcomes: Iterable[RunResult], seed: int) -> list[RunResult]:
    windowed = [o for o in outcomes if o.run.seed == seed and o.run.window is not None]
    return sorted(windowed, key=lambda o: Window.parse(str(o.run.window)).first)[:1]


def _example(corpus: str, runs: tuple[str, ...], rows: list[dict[str, Any]]) -> PredictionExample:
    words, gold = rows[0]["words"], rows[0]["gold"]
    columns = zip(words, gold, *(row["predicted"] for row in rows), strict=True)
    tokens = tuple(PredictedWord(word, label, tuple(labels)) for word, label, *labels in columns)
    return PredictionExample(corpus, direction("".join(words)), runs, tokens)


def direction(text: str) -> str:
    """Return ``rtl`` if the first letter with a direction is written right to left, else ``ltr``.

    >>> direction("1 בית"), direction("a בית"), direction("...")
    ('rtl', 'ltr', 'ltr')
    """
    kinds = (unicodedata.bidirectional(character) for character in text)
    first = next((kind for kind in kinds if kind in ("L", "R", "AL")), "L")
    return "ltr" if first == "L" else "rtl"
