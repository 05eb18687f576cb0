"""The command ``demo``: the bundled study on the synthetic languages, with tables and report."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from textwrap import fill

import polars as pl

from alignscope._util.files import replace_file
from alignscope.analysis.effects import MAJORITY
from alignscope.api.studies import run_study_with_paths
from alignscope.config.study import Study, read_study
from alignscope.config.task import TaskConfig
from alignscope.data.paths import DataPaths
from alignscope.errors import StoreError
from alignscope.experiments.executors import ProcessExecutor
from alignscope.experiments.sweep import SweepSummary
from alignscope.report.page import Report
from alignscope.report.tables.export import export_table
from alignscope.results.tables import primary_metrics

MORE_SOURCES = ("zoravi", "qadir")
"""Further sources of ``--all-sources``; they differ from Vesti and from each other."""


@dataclass(frozen=True)
class Demo:
    """The outcome of a demo: the sweep and the files written."""

    swept: SweepSummary | None
    summary: pl.DataFrame
    """The table ``summary`` in the main metric of each task."""
    files: tuple[Path, ...]

    @property
    def page(self) -> Path:
        """The report, which is the file to open first."""
        return self.files[0]


def demo_study(*, all_sources: bool = False, seeds: int | None = None) -> Study:
    """Return the bundled study, with seeds 1 to ``seeds`` if that is given.

    >>> demo_study(seeds=2).seeds
    (1, 2)

    With ``all_sources``, three languages are sources, each evaluated on all others. The runs of
    the first source are the same either way.
    """
    study = read_study(Path(str(files("alignscope.cli") / "demo.toml")))
    if seeds is not None:
        study = study.model_copy(update={"seeds": tuple(range(1, seeds + 1))})
    if all_sources:
        tasks = {task: _widened(grid) for task, grid in study.tasks.items()}
        study = study.model_copy(update={"tasks": tasks})
    return study


def _widened(grid: TaskConfig) -> TaskConfig:
    """Return the corpora of a task with more sources, each a target of the others."""
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
    """Run all pending runs of the study, and write its tables and report into ``folder``.

    .. code-block:: python

        demo = perform_demo(demo_study(), Path("alignscope-demo"), workers=2)
        demo.page  # PosixPath('alignscope-demo/report.html')

    Each result is saved as it arrives; an interrupted demo resumes.

    Raises:
        EncoderError: if this installation has no embedded encoder.
        StoreError: if ``folder`` cannot be written, or has results of other languages.
    """
    # All corpora are generated; folders of the user must not shadow them.
    paths = DataPaths(folders=(), cache=folder / "cache", download=False)
    results = run_study_with_paths(study, folder / "results", paths, ProcessExecutor(workers))
    written = _write(folder, {
        "report.html": lambda: Report(study.name, results).html().encode(),
        "summary.md": lambda: export_table("summary", results.summary, "md"),
        "summary.csv": lambda: export_table("summary", results.summary, "csv"),
        "effects.csv": lambda: export_table("effects", results.effects, "csv"),
        "scores.csv": lambda: export_table("scores", results.scores, "csv"),
        "runs.csv": lambda: export_table("runs", results.runs, "csv"),
    })  # fmt: skip
    return Demo(results.sweep, main_metrics(results.summary, results.scores), written)


def _write(folder: Path, contents: dict[str, Callable[[], bytes]]) -> tuple[Path, ...]:
    """Write files atomically, and return their paths."""
    paths = tuple(folder / name for name in contents)
    for path, content in zip(paths, contents.values(), strict=True):
        try:
            replace_file(content(), path)
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror}.") from None
    return paths


INTRODUCTION = (
    "A multilingual encoder was fine-tuned on one language, the source, and evaluated on others, "
    "the targets, whose labels it never saw. REF is the unchanged encoder. Each window is a range "
    "of blocks that were re-initialised before fine-tuning; Δ is the difference to REF in points, "
    "as mean ± standard deviation over seeds. If a window costs the targets much more than the "
    "source, its blocks align languages. `matched` is a control: the window gets random weights "
    "with the mean and deviation of the pretrained ones."
)


def main_metrics(summary: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the table ``summary`` in the first metric of each task.

    ``scores`` is the table of that name, which has the metrics in the order of the task.
    """
    wanted = set(primary_metrics(scores).items())
    return summary.filter([row in wanted for row in summary.select("task", "metric").rows()])


def describe_demo(summary: pl.DataFrame, files: Iterable[Path]) -> str:
    """Return an introduction, the table of effects, and the files to read on."""
    table = export_table("summary", summary.filter(pl.col("window") != MAJORITY), "md").decode()
    names = ", ".join(map(str, files))
    return f"{fill(INTRODUCTION, 80)}\n\n{table}\nWritten: {names}"
