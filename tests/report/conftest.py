"""A finished study with imagined results, its report and its page."""

from pathlib import Path

import pytest

from alignscope.analysis.results import StudyResults
from alignscope.config.study import Study
from alignscope.report.page import Report
from alignscope.results.store import ResultStore
from tests.helpers.imagined import build

FinishedStudy = tuple[Path, Study, ResultStore]


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> FinishedStudy:
    """The folder of a finished study with its file ``study.toml`` and its ``store``."""
    folder = tmp_path_factory.mktemp("finished")
    return folder, *build(folder)


@pytest.fixture(scope="session")
def report(finished: FinishedStudy) -> Report:
    """The report of the finished study."""
    _, study, store = finished
    return Report(study.name, StudyResults.of(study, store))


@pytest.fixture(scope="session")
def page(report: Report) -> str:
    """The page of the finished study."""
    return report.html()
