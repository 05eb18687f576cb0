"""Runs on a Ray cluster give what they give here; a machine that dies costs nothing but time."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from alignscope.config.grid import EncoderInfo, expand
from alignscope.config.run import RunSpec
from alignscope.config.study import Study
from alignscope.data.paths import DataPaths
from alignscope.errors import AlignScopeError, DataError
from alignscope.experiments.executors import RayExecutor, Work
from alignscope.experiments.grouping import Group
from alignscope.experiments.inputs import input_checksums
from alignscope.experiments.progress import RunProgress, SilentProgress
from alignscope.experiments.remote import execute_shipped, files_to_ship
from alignscope.experiments.run import execute_runs
from alignscope.experiments.sweep import sweep
from alignscope.results.store import ResultStore, RunFailure, RunOutcome, RunResult
from tests.helpers import ROOT, work
from tests.helpers.tiny import Workshop

slow = pytest.mark.slow
NOWHERE = DataPaths((), Path(), download=False)


def plan(*seeds: int, source: str = "ud:en_tiny", encoder: str = "enc") -> list[RunSpec]:
    tasks = {"pos": {"sources": [source], "targets": ["ud:de_tiny"]}}
    grid = {"encoders": [encoder], "seeds": seeds, "windows": ["none"], "tasks": tasks}
    grid |= {"training": {"learning_rate": 5e-5}}
    return expand(Study.model_validate(grid), lambda encoder: EncoderInfo("sha256:1", 4))


def alone(todo: list[RunSpec]) -> list[Group]:
    """Groups of one run each."""
    return [(run,) for run in todo]


def nothing(group: Group, paths: DataPaths) -> dict[str, Path]:
    """Ship no files."""
    return {}


finish_at_once = partial(work.execute_each, work.perform)


def execute(executor: RayExecutor, todo: list[RunSpec], work: Work) -> list[RunOutcome]:
    """Execute runs in groups of one."""
    return list(executor.execute(alone(todo), work, NOWHERE, SilentProgress()))


# Shipped files


def test_all_files_that_a_run_reads_are_shipped(workshop: Workshop, tmp_path: Path) -> None:
    places = DataPaths.of([workshop.data], download=False)
    (run,) = plan(1, encoder=str(workshop.encoder))
    carried = files_to_ship([run], places)
    for name, path in carried.items():
        copy = tmp_path / "there" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    elsewhere = DataPaths(folders=(tmp_path / "there",), cache=tmp_path / "none", download=False)
    assert input_checksums(run, elsewhere) == input_checksums(run, places)
    assert {f"encoders/1/{name}" for name in ("config.json", "model.safetensors")} <= set(carried)


def test_generated_corpora_are_not_shipped() -> None:
    (run,) = plan(1, source="synthetic:vesti/news", encoder="embedded")
    run = run.model_copy(update={"evaluated": ("synthetic:vesti/news", "synthetic:qadir/news")})
    assert files_to_ship([run], NOWHERE) == {}


def test_a_corpus_named_by_its_path_is_not_shipped(workshop: Workshop) -> None:
    path = next(workshop.data.rglob("train.conllu*"))
    (run,) = plan(1, source=f"en={path}")
    with pytest.raises(DataError, match="is named by its path, which other machines do not have"):
        files_to_ship([run], NOWHERE)


def test_a_missing_ray_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(AlignScopeError, match=r"pip install 'alignscope\[ray\]'"):
        execute(RayExecutor(ship=nothing), plan(1), finish_at_once)


# A cluster of two machines, simulated on this one


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head node without cores for runs, and two nodes with one core each."""
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster as Imitated

    monkeypatch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    cluster = Imitated(initialize_head=True, head_node_args={"num_cpus": 0})
    cluster.nodes_of_work = [cluster.add_node(num_cpus=1), cluster.add_node(num_cpus=1)]
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@slow
@pytest.mark.filterwarnings("default")
def test_outcomes_equal_those_of_one_process(cluster: Any, tmp_path: Path) -> None:
    todo = plan(1, 2, work.DIVERGES, 4, 5)
    executor = RayExecutor(cluster.address, ship=nothing)
    swept = sweep(
        [tuple(todo[:2]), *alone(todo[2:])],
        partial(executor.execute, work=finish_at_once, paths=NOWHERE, progress=SilentProgress()),
        ResultStore(tmp_path / "store"),
    )
    assert swept.done == 4
    assert [failure.run.seed for failure in swept.failures] == [work.DIVERGES]
    for outcome in ResultStore(tmp_path / "store").load_results(todo):
        assert outcome.scores == work.outcome(outcome.run).scores
    with pytest.raises(ZeroDivisionError):
        execute(executor, plan(work.CRASHES), finish_at_once)


def long(
    folder: Path, group: Group, paths: DataPaths, progress: RunProgress
) -> Iterator[RunOutcome]:
    """Take two seconds, and leave a note of the time and the place of the start."""
    import ray

    (run,) = group
    node = ray.get_runtime_context().get_node_id()
    (folder / f"{run.seed}-{time.monotonic_ns()}").write_text(node)
    time.sleep(2)
    yield work.outcome(run)


@slow
@pytest.mark.filterwarnings("default")
def test_runs_of_a_lost_machine_are_executed_again(cluster: Any, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    todo, killed = plan(*range(1, 9)), False
    executor = RayExecutor(cluster.address, ship=nothing)
    done: list[int] = []
    for result in executor.execute(alone(todo), partial(long, notes), NOWHERE, SilentProgress()):
        assert not isinstance(result, RunFailure)
        done.append(result.run.seed)
        if not killed:
            cluster.remove_node(cluster.nodes_of_work[1], allow_graceful=False)
            killed = True
    assert sorted(done) == list(range(1, 9))
    begun = [path.name.split("-")[0] for path in notes.iterdir()]
    assert len(begun) <= len(todo) + 2
    assert len({path.read_text() for path in notes.iterdir()}) == 2


@slow
@pytest.mark.filterwarnings("default")
def test_two_groups_share_a_core(cluster: Any, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    executor = RayExecutor(cluster.address, cpus=0.5, ship=nothing)
    execute(executor, plan(1, 2, 3, 4), partial(long, notes))
    begun = sorted(int(path.name.split("-")[1]) for path in notes.iterdir())
    assert begun[-1] - begun[0] < 1.8e9  # all four at once, on two cores
    whole_core = RayExecutor(cluster.address, cpus=1, ship=nothing)
    execute(whole_core, plan(11, 12, 13, 14), partial(long, notes))  # two by two
    when = {int(seed): int(at) for seed, at in (path.name.split("-") for path in notes.iterdir())}
    later = sorted(at for seed, at in when.items() if seed > 10)
    assert later[-1] - later[0] > 1.8e9


@slow
@pytest.mark.filterwarnings("default")
def test_tables_equal_those_of_one_process(workshop: Workshop, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    answer = workshop.run("--executor", "ray", store=tmp_path / "far")
    assert answer.code == 0, answer.err
    assert workshop.run("--lockstep", "1", store=tmp_path / "near").code == 0
    for name in ("scores", "effects"):
        assert workshop.table(name, store=tmp_path / "far") == workshop.table(
            name, store=tmp_path / "near"
        )


def test_an_outcome_names_the_encoder_of_its_run(workshop: Workshop, tmp_path: Path) -> None:
    from alignscope.config.run import SplitLimits, TrainingConfig
    from alignscope.encoders.identity import encoder_identity

    (run,) = plan(1, encoder=str(workshop.encoder))
    training = TrainingConfig(epochs=1, learning_rate=5e-5)
    small = {"training": training, "limits": SplitLimits(train=4, dev=2, test=2)}
    small["identity"] = encoder_identity(str(workshop.encoder))  # type: ignore[assignment]
    run = run.model_copy(update=small)
    for name, path in files_to_ship([run], DataPaths.of([workshop.data], download=False)).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(path.read_bytes())
    (outcome,) = execute_shipped(execute_runs, (run,), tmp_path)
    assert isinstance(outcome, RunResult)
    assert outcome.run == run
    assert outcome.provenance["encoder"]["name"] == str(workshop.encoder)
    assert {row["corpus"] for row in outcome.scores} == {"ud:en_tiny", "ud:de_tiny"}
