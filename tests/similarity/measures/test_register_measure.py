"""A registered function becomes a measure with an interval and a null, everywhere."""

import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from alignscope.config.registry import MEASURE_INFO, export_registrations, import_registrations
from alignscope.config.similarity import ComparisonConfig
from alignscope.config.study import Study
from alignscope.errors import SimilarityError, StudyError
from alignscope.report.labels import measure_label
from alignscope.results.store import ResultStore
from alignscope.similarity.arrays import similarity_of_arrays
from alignscope.similarity.measures.cka import biased_cka, debiased_cka
from alignscope.similarity.measures.estimate import Estimate
from alignscope.similarity.measures.intervals import jackknife
from alignscope.similarity.measures.registry import (
    MEASURES,
    Measure,
    get_measure,
    register_measure,
    unregister_measure,
)
from tests.helpers import tiny
from tests.helpers.gauss import related, shuffles
from tests.similarity.test_compare import make_run


@pytest.fixture(autouse=True)
def _forget_registrations() -> Iterator[None]:
    before = set(MEASURES)
    yield
    for name in set(MEASURES) - before:
        unregister_measure(name)


def distance_correlation(x: Tensor, y: Tensor) -> float:
    a, b = (
        d - d.mean(0) - d.mean(1, keepdim=True) + d.mean()
        for d in (torch.cdist(x, x), torch.cdist(y, y))
    )
    scale = ((a * a).mean() * (b * b).mean()).sqrt()
    return float(((a * b).mean() / scale).clamp(min=0).sqrt())


def estimate(name: str, x: Tensor, y: Tensor) -> Estimate:
    measure = get_measure(name)
    (found,) = measure.compare(measure.prepare(x), measure.prepare(y))
    return found


def test_registered_function_gives_value_interval_and_null() -> None:
    registered = register_measure("dcor", title="distance correlation", bounds=(0, 1))
    assert registered(distance_correlation) is distance_correlation
    x, y = related(30, 4)
    found = estimate("dcor", x, y)
    assert (found.estimator, found.value) == ("plain", distance_correlation(x, y))
    rows = [[j for j in range(30) if j != i] for i in range(30)]
    without = torch.tensor([distance_correlation(x[kept], y[kept]) for kept in rows])
    assert (found.low, found.high) == pytest.approx(jackknife(found.value, without.double()))
    values = [distance_correlation(x, y[order]) for order in shuffles(30, 400)]
    inside = np.mean([found.null_low <= value <= found.null_high for value in values])
    assert 0.85 <= inside <= 1
    assert found.value > found.null_high


def test_interval_of_a_function_equals_that_of_the_built_in_measure() -> None:
    """The jackknife of the harness leaves rows out one by one; that of CKA does it at once."""
    register_measure("slow-cka", title="CKA, slowly")(debiased_cka)
    x, y = related(25, 3)
    built_in = get_measure("cka").compare(*map(get_measure("cka").prepare, (x, y)))[0]
    found = estimate("slow-cka", x, y)
    assert found.value == pytest.approx(built_in.value, abs=1e-9)
    assert (found.low, found.high) == pytest.approx((built_in.low, built_in.high), abs=1e-9)


def test_function_gets_double_precision_whatever_the_sides_have() -> None:
    kinds = set()

    @register_measure("kinds", title="kinds")
    def _kinds(x: Tensor, y: Tensor) -> float:
        kinds.update((x.dtype, y.dtype))
        return float((x * y).mean().tanh())

    x, y = related()
    similarity_of_arrays(x.float(), y.half(), ["kinds"])
    assert kinds == {torch.float64}


def test_registered_name_is_known_to_studies_tables_and_labels() -> None:
    with pytest.raises(ValueError, match="dcor is not a measure"):
        ComparisonConfig(measures=("dcor",))
    register_measure("dcor", title="distance correlation", bounds=(0, 1))(distance_correlation)
    assert ComparisonConfig(measures=("dcor",)).measures == ("dcor",)
    assert measure_label("dcor", "plain") == "distance correlation"
    assert MEASURE_INFO["dcor"].bounds == (0, 1)
    table = similarity_of_arrays(*related(), ["dcor", "cka"])
    assert table["measure"].to_list() == ["dcor", "cka", "cka"]


def test_command_line_compares_by_a_registered_measure(tmp_path: Path) -> None:
    register_measure("dcor", title="distance correlation", bounds=(0, 1))(distance_correlation)
    out = tmp_path / "table.csv"
    arguments = ["--measure", "dcor", "--layers", "8", "--limit", "20", "--offline", "--no-cache"]
    corpora = ["--source", "synthetic:vesti/news", "--target", "synthetic:qadir/news"]
    answer = tiny.call("similarity", *corpora, *arguments, "--format", "csv", "--out", out)
    assert answer.code == 0, answer.err
    header, row = out.read_text(encoding="utf-8").splitlines()
    assert dict(zip(header.split(","), row.split(","), strict=True))["measure"] == "dcor"


def test_function_registered_again_replaces_the_old_one() -> None:
    register_measure("mine", title="first")(lambda x, y: 0.25)
    register_measure("mine", title="second")(lambda x, y: 0.5)
    assert estimate("mine", *related()).value == 0.5
    assert MEASURE_INFO["mine"].title == "second"


def test_expert_form_is_used_as_it_is() -> None:
    measure = Measure(lambda side: side.mean(), lambda x, y: [Estimate("plain", 0, -1, 1, -1, 1)])
    assert register_measure("expert", title="expert form")(measure) is measure
    assert get_measure("expert") is measure


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (math.nan, "measure odd returned nan for 60 rows, but its bounds are 0 and 1"),
        (1.01, "measure odd returned 1.01 for 60 rows, but its bounds are 0 and 1"),
        (-0.01, "measure odd returned -0.01"),
        (torch.ones(2), r"returned a tensor of shape \(2,\) for 60 rows. Return one number"),
        (None, "returned a NoneType for 60 rows"),
    ],
)
def test_values_that_are_no_number_within_the_bounds_are_refused(
    returned: Any, message: str
) -> None:
    register_measure("odd", title="odd", bounds=(0, 1))(lambda x, y: returned)
    with pytest.raises(SimilarityError, match=message):
        similarity_of_arrays(*related(), ["odd"])


def test_value_may_miss_its_bounds_by_rounding() -> None:
    register_measure("one", title="one", bounds=(0, 1))(lambda x, y: torch.tensor(1 + 1e-9))
    assert estimate("one", *related()).value == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "title", "bounds", "error", "message"),
    [
        ("cka", "mine", (0, 1), StudyError, "cka is a built-in measure. Choose another name"),
        ("My CKA", "mine", (0, 1), SimilarityError, "'My CKA' cannot be the name of a measure"),
        ("", "mine", (0, 1), SimilarityError, "cannot be the name"),
        ("mine", " ", (0, 1), SimilarityError, "needs a title"),
        ("mine", "mine", (1, 0), SimilarityError, r"bounds of mine are \(1, 0\)"),
        ("mine", "mine", (0, math.inf), SimilarityError, "two finite numbers"),
    ],
)
def test_registrations_that_make_no_sense_are_refused(
    name: str, title: str, bounds: tuple[float, float], error: type[Exception], message: str
) -> None:
    before = dict(MEASURES)
    with pytest.raises(error, match=message):
        register_measure(name, title=title, bounds=bounds)(biased_cka)
    assert before == MEASURES


def test_name_without_a_function_is_refused() -> None:
    register_measure("lost", title="lost")(distance_correlation)
    measure = MEASURES.pop("lost")
    try:
        with pytest.raises(SimilarityError, match="measure lost has a title but no function here"):
            get_measure("lost")
    finally:
        MEASURES["lost"] = measure


def test_registration_survives_the_way_to_a_worker() -> None:
    """The worker registers in its own tables, also a function that no module defines."""
    offset = 0.5
    register_measure("local", title="local", bounds=(0, 1))(lambda x, y: offset)
    exported = export_registrations()
    unregister_measure("local")
    import_registrations(exported)
    assert estimate("local", *related()).value == 0.5
    assert MEASURE_INFO["local"].title == "local"
    code = (
        "import torch\n"
        "from alignscope.config.registry import import_registrations\n"
        f"import_registrations({exported!r})\n"
        "from alignscope.similarity.arrays import similarity_of_arrays\n"
        "x = torch.randn(30, 4)\n"
        "print(similarity_of_arrays(x, x, ['local'])['value'].item())\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert answer.stdout.strip() == "0.5"


def test_stored_run_is_read_where_its_measure_is_not_registered(tmp_path: Path) -> None:
    register_measure("dcor", title="distance correlation", bounds=(0, 1))(distance_correlation)
    run = make_run()
    assert run.similarity is not None
    config = {**run.similarity.model_dump(), "measures": ("dcor",)}
    run = run.model_copy(update={"similarity": type(run.similarity)(**config)})
    study = Study.model_validate({"name": "s", "tasks": {"pos": {"sources": [run.source]}}})
    store = ResultStore(tmp_path)
    store.save_plan(study, [run])
    unregister_measure("dcor")
    assert store.load_all_plans() == [run]


def test_function_is_called_as_often_as_documented() -> None:
    calls: list[int] = []

    @register_measure("counting", title="counting")
    def _counting(x: Tensor, y: Tensor) -> float:
        calls.append(len(x))
        return 0.0

    estimate("counting", *related(25, 3))
    assert sorted(calls) == [24] * 25 + [25] * 40
