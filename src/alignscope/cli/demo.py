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
from alignscope.experiments.executors import ProcessExecutor
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
    summary: pl.DataFrame
    """The table ``summary`` in the main metric of each task."""
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
    swept = run_study(study, store, places, ProcessExecutor(workers))
    found = StudyResults.of(study, store)
    written = _write(folder, {
        "report.html": lambda: Report(study.name, found).html().encode(),
        "summary.md": lambda: export_table("summary", found.summary, "md"),
        "summary.csv": lambda: export_table("summary", found.summary, "csv"),
        "effects.csv": lambda: export_table("effects", found.effects, "csv"),
        "scores.csv": lambda: export_table("scores", found.scores, "csv"),
        "runs.csv": lambda: export_table("runs", found.runs, "csv"),
    })  # fmt: skip
    return Demo(swept, main_metrics(found.summary, found.scores), written)


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


def main_metrics(summary: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the table ``summary`` in the first metric of each task.

    ``scores`` is the table of that name, which has the metrics in the order of the task.
    """
    wanted = set(primary_metrics(scores).items())
    return summary.filter([row in wanted for row in summary.select("task", "metric").rows()])


def describe_demo(summary: pl.DataFrame, files: Iterable[Path]) -> str:
    """One sentence on what is seen, the effects, and where to read on."""
    table = export_table("summary", summary.filter(pl.col("window") != MAJORITY), "md").decode()
    where = ", ".join(map(str, files))
    return f"{WHAT}\n\n{table}\nWritten: {where}"
