"""Predicted sentences side by side: what REF and an ablated run make of the same words."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from alignscope.analysis.results import StudyResults
from alignscope.config.windows import Window
from alignscope.report.labels import ResultGroup
from alignscope.results.store import RunResult


@dataclass(frozen=True)
class PredictedWord:
    """A word, what it should get, and what it got, run by run."""

    word: str
    gold: str
    predicted: tuple[str, ...]


@dataclass(frozen=True)
class PredictionExample:
    """A sentence of a corpus, read in ``direction`` (``ltr`` or ``rtl``)."""

    corpus: str
    direction: str
    runs: tuple[str, ...]
    """Whose predictions these are: ``("REF", "0-1")``."""
    tokens: tuple[PredictedWord, ...]


def examples_of(found: StudyResults, setting: ResultGroup) -> list[PredictionExample]:
    """An example per corpus: REF of the first seed, and beside it its lowest window."""
    own = [
        outcome
        for outcome in found.outcomes
        if (outcome.run.encoder.label, outcome.run.task, outcome.run.source)
        == (setting.encoder, setting.task, setting.source)
        and outcome.examples
    ]
    references = [outcome for outcome in own if outcome.run.window is None]
    if not references:
        return []
    shown = [references[0], *_lowest(own, references[0].run.seed)]
    rows = [{row["corpus"]: row for row in outcome.examples} for outcome in shown]
    several = len({outcome.run.init for outcome in own if outcome.run.init}) > 1
    names = tuple(_name(outcome, several) for outcome in shown)
    return [
        _example(corpus, names, [of_run[corpus] for of_run in rows])
        for corpus in rows[0]
        if _alike([of_run.get(corpus) for of_run in rows])
    ]


def _name(outcome: RunResult, several: bool) -> str:
    window, init = outcome.run.window, outcome.run.init
    return "REF" if window is None else f"{window} ({init})" if several else window


def _alike(rows: list[dict[str, Any] | None]) -> bool:
    """Whether all runs have an example of a corpus, and it is the same sentence."""
    first = rows[0]
    return first is not None and all(
        row is not None
        and (row["words"], row["gold"]) == (first["words"], first["gold"])
        and len(row["words"]) == len(row["gold"]) == len(row["predicted"])
        for row in rows
    )


def _lowest(own: Iterable[RunResult], seed: int) -> list[RunResult]:
    windowed = [o for o in own if o.run.seed == seed and o.run.window is not None]
    return sorted(windowed, key=lambda o: Window.parse(str(o.run.window)).first)[:1]


def _example(corpus: str, runs: tuple[str, ...], rows: list[dict[str, Any]]) -> PredictionExample:
    words, gold = rows[0]["words"], rows[0]["gold"]
    each = zip(words, gold, *(row["predicted"] for row in rows), strict=True)
    tokens = tuple(PredictedWord(word, label, tuple(predicted)) for word, label, *predicted in each)
    return PredictionExample(corpus, direction("".join(words)), runs, tokens)


def direction(text: str) -> str:
    """``rtl`` where the first letter that has a direction goes right to left, else ``ltr``."""
    kinds = (unicodedata.bidirectional(character) for character in text)
    first = next((kind for kind in kinds if kind in ("L", "R", "AL")), "L")
    return "ltr" if first == "L" else "rtl"
