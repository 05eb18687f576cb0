"""``alignscope demo``: the packaged study on the embedded languages, from nothing to its tables."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import polars as pl

from alignscope._util.files import replace_file
from alignscope.analysis.effects import MAJORITY
from alignscope.analysis.results import StudyResults
from alignscope.config.study import Study, TaskConfig, read_study
from alignscope.data.paths import DataPaths
from alignscope.errors import StoreError
from alignscope.experiments.study import run_study
from alignscope.experiments.sweep import SweepSummary
from alignscope.report.page import Report
from alignscope.report.tables.export import export_table
from alignscope.results.store import ResultStore
from alignscope.results.tables import primary_metrics

MORE_SOURCES = ("zoravi", "qadir")
"""Languages that ``--all-sources`` fine-tunes on too: unlike Vesti, and unlike each other."""


@dataclass(frozen=True)
class Demo:
    """What a demo gave: how it went, and what it wrote."""

    swept: SweepSummary
    effects: pl.DataFrame
    """``tables.EFFECTS`` of the main metric of each task."""
    files: tuple[Path, ...]

    @property
    def page(self) -> Path:
        """The file that a person opens first."""
        return self.files[0]


def demo_study(*, all_sources: bool = False, seeds: int | None = None) -> Study:
    """Read the packaged study, with seeds 1 to ``seeds`` if so many are asked for.

    >>> demo_study(seeds=3).seeds
    (1, 2, 3)

    With ``all_sources`` each of three languages is fine-tuned on and evaluated on all others;
    the runs of the first source are the same either way.
    """
    study = read_study(Path(str(files("alignscope.cli") / "demo.toml")))
    if seeds is not None:
        study = study.model_copy(update={"seeds": tuple(range(1, seeds + 1))})
    if all_sources:
        tasks = {task: _widened(grid) for task, grid in study.tasks.items()}
        study = study.model_copy(update={"tasks": tasks})
    return study


def _widened(grid: TaskConfig) -> TaskConfig:
    """The grid with more sources, each of which is a target of the others."""
    here = f":{_language(grid.sources[0])}/"

    def in_all(names: tuple[str, ...]) -> tuple[str, ...]:
        elsewhere = [
            name.replace(here, f":{language}/") for language in MORE_SOURCES for name in names
        ]
        return (*names, *elsewhere)

    changed = {
        "sources": in_all(grid.sources),
        "targets": (*grid.targets, *grid.sources),
        "domains": in_all(grid.domains),
    }
    return grid.model_copy(update=changed)


def _language(name: str) -> str:
    return name.partition(":")[2].partition("/")[0]


def perform_demo(study: Study, folder: Path, workers: int) -> Demo:
    """Perform what ``folder`` lacks of the study, and write its tables there.

    >>> perform_demo(demo_study(), Path("alignscope-demo"), workers=2).page
    PosixPath('alignscope-demo/report.html')

    Results are kept below ``folder`` one by one: killed and called again, it goes on.

    Raises:
        EncoderError: if this installation has no embedded encoder.
        StoreError: if ``folder`` cannot be written, or has results made with other languages.
    """
    store = ResultStore(folder / "results")
    # Every corpus is made, none is read: folders of the user have no say in it.
    places = DataPaths(folders=(), cache=folder / "cache", download=False)
    swept = run_study(study, store, places, workers)
    found = StudyResults.of(study, store)
    written = _write(folder, {
        "report.html": lambda: Report(study.name, found).html().encode(),
        "effects.md": lambda: export_table(found.effects, "md"),
        "effects.csv": lambda: export_table(found.effects, "csv"),
        "scores.csv": lambda: export_table(found.scores, "csv"),
        "runs.csv": lambda: export_table(found.runs, "csv"),
    })  # fmt: skip
    return Demo(swept, main_metrics(found.effects, found.scores), written)


def _write(folder: Path, contents: dict[str, Callable[[], bytes]]) -> tuple[Path, ...]:
    """Write files, each of them whole or not at all; the first is the one to open."""
    paths = tuple(folder / name for name in contents)
    for path, content in zip(paths, contents.values(), strict=True):
        try:
            replace_file(content(), path)
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror}") from None
    return paths


WHAT = (
    "A multilingual encoder was fine-tuned on one language and evaluated on others that it never "
    "saw labels of, once as it is (REF) and once with each window of its blocks made random first: "
    "Δ is what that cost in points, and a window that costs the targets much more than the source "
    "is where the encoder aligns languages."
)


def main_metrics(effects: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
    """Keep the rows of each task's first metric, in which it was selected on dev.

    Takes ``tables.EFFECTS`` and ``tables.SCORES``, where metrics stand in the task's own order;
    returns ``tables.EFFECTS``.
    """
    wanted = set(primary_metrics(scores).items())
    return effects.filter([row in wanted for row in effects.select("task", "metric").rows()])


def describe_demo(effects: pl.DataFrame, files: Iterable[Path]) -> str:
    """One sentence on what is seen, the effects, and where to read on."""
    table = export_table(effects.filter(pl.col("window") != MAJORITY), "md").decode()
    where = ", ".join(map(str, files))
    return f"{WHAT}\n\n{table}\nWritten: {where}"
