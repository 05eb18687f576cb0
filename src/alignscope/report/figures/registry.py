"""The registry of figures: one entry per kind, one file per entry.

A new figure is a new module in this package. It defines a function that yields figures from results
and registers the function::

    @figure("score-histogram", section="effects")
    def score_histograms(results: PrimaryResults) -> Iterator[ReportFigure]:
        for group in result_groups(results):
            data = group.select(results.scores)
            yield ReportFigure(group.key("score-histogram"), group.title, ..., data, draw)

The page, ``--files`` and `figures_of` then show it. A section that the page does not know yet
is added at its end.
"""

import pkgutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module

from alignscope.analysis.results import PrimaryResults, StudyResults
from alignscope.report.figures.figure import ReportFigure

FigureMaker = Callable[[PrimaryResults], Iterable[ReportFigure]]


@dataclass(frozen=True)
class FigureKind:
    """A kind of figure, the section that shows it, and the function that makes its figures."""

    name: str
    section: str
    order: int
    needs_similarity: bool
    make: FigureMaker


_KINDS: dict[str, FigureKind] = {}


def figure(
    name: str, *, section: str, order: int = 0, needs_similarity: bool = False
) -> Callable[[FigureMaker], FigureMaker]:
    """Register a function that makes the figures of one kind.

    Args:
        name: the first part of every key, such as ``corpus-heatmap``.
        section: the anchor of the page's section, such as ``languages``.
        order: the rank among the kinds of a section; equal ranks are sorted by name.
        needs_similarity: whether to leave the kind out of studies that compared no layers.
    """

    def register(make: FigureMaker) -> FigureMaker:
        _KINDS[name] = FigureKind(name, section, order, needs_similarity, make)
        return make

    return register


def figure_kinds() -> list[FigureKind]:
    """Return all kinds of figures in the order of a page."""
    _import_figures()
    return sorted(_KINDS.values(), key=lambda kind: (kind.order, kind.name))


@cache
def _import_figures() -> None:
    package = import_module("alignscope.report.figures")
    for module in pkgutil.iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")


class FigureMap(Mapping[str, ReportFigure]):
    """The figures of a study by key; each is drawn when it is shown.

    In a notebook, this shows a figure::

        figures_of(results)["corpus-heatmap/pos/ud:en_ewt"]
    """

    def __init__(self, figures: Iterable[tuple[str, ReportFigure]]) -> None:
        self._figures: dict[str, ReportFigure] = {}
        self._sections: dict[str, list[ReportFigure]] = {}
        for section, made in figures:
            if made.key in self._figures:
                raise ValueError(f"Two figures have the key {made.key}.")
            self._figures[made.key] = made
            self._sections.setdefault(section, []).append(made)

    def __getitem__(self, key: str) -> ReportFigure:
        return self._figures[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._figures)

    def __len__(self) -> int:
        return len(self._figures)

    def __repr__(self) -> str:
        return "\n".join(["Figures:", *(f"  {key}" for key in self)])

    @property
    def sections(self) -> Mapping[str, list[ReportFigure]]:
        """The figures by the anchor of the section that shows them."""
        return self._sections


def figures_of(results: StudyResults) -> FigureMap:
    """Return every figure of a study by its key; a figure is drawn when it is shown.

    Figures show the first metric of each task and, if a measure has a debiased estimate, that one.
    """
    if not results.outcomes:
        return FigureMap([])
    primary = results if isinstance(results, PrimaryResults) else PrimaryResults(results)
    made = [
        (kind.section, one)
        for kind in figure_kinds()
        if results.compared or not kind.needs_similarity
        for one in kind.make(primary)
    ]
    return FigureMap(_with_distinct_files(made))


def _with_distinct_files(
    figures: Iterable[tuple[str, ReportFigure]],
) -> Iterator[tuple[str, ReportFigure]]:
    """Number figures with one file name: the encoders ``a/b`` and ``a-b`` have the same."""
    seen = Counter[str]()
    for section, one in figures:
        seen[one.name] += 1
        count = seen[one.name]
        yield section, one if count == 1 else replace(one, suffix=f"-{count}")
