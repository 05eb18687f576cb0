"""A sweep does what is missing, once, keeps what is done, and can be killed at any time."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from multiprocessing import active_children
from pathlib import Path

import pytest

from alignscope._util import cpu
from alignscope.config.grid import EncoderInfo, expand
from alignscope.config.run import RunSpec
from alignscope.config.study import Study
from alignscope.data.paths import DataPaths
from alignscope.errors import AlignScopeError, DataError, StoreError
from alignscope.experiments import sweep as whole
from alignscope.experiments.executors import Executor, ProcessExecutor, SerialExecutor
from alignscope.experiments.grouping import Group, Shard
from alignscope.experiments.inputs import input_checksums
from alignscope.experiments.preflight import check_data, check_store
from alignscope.experiments.progress import SilentProgress
from alignscope.experiments.sweep import SweepProgress, SweepSummary
from alignscope.results.store import ResultStore, RunFailure, RunOutcome, RunResult
from tests.helpers import ROOT
from tests.helpers.tiny import GRID, Workshop
from tests.helpers.work import (
    CRASHES,
    DIVERGES,
    INTERRUPTS,
    KILLED,
    NAPS,
    SLOW,
    execute_each,
    outcome,
    perform,
)

NOWHERE = DataPaths((), Path(), download=False)
SERIAL = SerialExecutor()


def sweep(
    todo: Iterable[RunSpec],
    work: Callable[[RunSpec], RunResult],
    store: ResultStore,
    executor: Executor = SERIAL,
    progress: SweepProgress | None = None,
) -> SweepSummary:
    """Execute runs in groups of one."""
    groups = ((run,) for run in todo)
    execute = partial(
        executor.execute,
        work=partial(execute_each, work),
        paths=NOWHERE,
        progress=SilentProgress(),
    )
    return whole.sweep(groups, execute, store, progress)


def outcomes(
    executor: Executor, todo: Iterable[RunSpec], work: Callable[[RunSpec], RunResult]
) -> Iterator[RunOutcome]:
    """Execute runs in groups of one, and yield their outcomes."""
    groups = ((run,) for run in todo)
    return executor.execute(groups, partial(execute_each, work), NOWHERE, SilentProgress())


def plan(*seeds: int, task: str = "pos") -> list[RunSpec]:
    """One run per seed."""
    tasks = {task: {"sources": ["ud:en_tiny"], "targets": ["ud:de_tiny"]}}
    grid = {"encoders": ["enc"], "seeds": seeds, "windows": ["none"], "tasks": tasks}
    grid |= {"training": {"learning_rate": 5e-5}}
    return expand(Study.model_validate(grid), lambda encoder: EncoderInfo("sha256:1", 4))


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    return ResultStore(tmp_path / "results")


@pytest.fixture
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spawned processes can import what lies beside this file."""
    monkeypatch.syspath_prepend(str(ROOT))


class Recorder:
    """Record the callbacks of a sweep."""

    def __init__(self) -> None:
        self.started_runs: list[RunSpec] = []
        self.outcomes: list[RunOutcome] = []

    def started(self, group: Group) -> None:
        self.started_runs += group

    def done(self, result: RunOutcome) -> None:
        self.outcomes.append(result)


# How a sweep treats outcomes


def test_every_result_is_saved_before_the_next_run_starts(store: ResultStore) -> None:
    todo, seen = plan(1, 2, 3), []

    def look(run: RunSpec) -> RunResult:
        seen.append([saved.seed for saved in todo if saved in store])
        return outcome(run)

    swept = sweep(todo, look, store)
    assert seen == [[], [1], [1, 2]]
    assert (swept.done, swept.failures) == (3, [])
    assert store.load_results(todo) == [outcome(run) for run in todo]


def test_finished_runs_are_not_executed_again(store: ResultStore) -> None:
    todo = plan(1, 2, 3)
    store.save(outcome(todo[1]))
    executed: list[int] = []
    swept = sweep(todo, partial(record, executed), store)
    assert (executed, swept.done) == ([1, 3], 2)
    assert sweep(todo, partial(record, executed), store).done == 0
    assert executed == [1, 3]


def record(executed: list[int], run: RunSpec) -> RunResult:
    executed.append(run.seed)
    return perform(run)


def test_runs_that_another_process_finishes_are_skipped(store: ResultStore) -> None:
    todo = plan(1, 2, 3)
    executed: list[int] = []

    def beside_another(run: RunSpec) -> RunResult:
        store.save(outcome(todo[1]))
        return record(executed, run)

    assert sweep(todo, beside_another, store).done == 2
    assert executed == [1, 3]


def test_runs_that_another_process_has_locked_are_skipped(store: ResultStore) -> None:
    todo, executed = plan(1, 2, 3), list[int]()
    other_store = ResultStore(store.folder)
    assert other_store.acquire(todo[1])
    swept = sweep(todo, partial(record, executed), store)
    assert (executed, swept.done, swept.elsewhere) == ([1, 3], 2, 1)
    other_store.release(todo[1])
    assert sweep(todo, partial(record, executed), store).done == 1
    assert executed == [1, 3, 2]
    assert {path.name for path in store.folder.iterdir()} == {"runs"}


def test_the_locks_of_a_killed_process_are_released(store: ResultStore) -> None:
    (run,) = plan(1)
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from alignscope.results.store import ResultStore\n"
        "from alignscope.config.run import RunSpec\n"
        "assert ResultStore(Path(sys.argv[1])).acquire(RunSpec.model_validate_json(sys.argv[2]))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    arguments = [str(store.folder), run.model_dump_json()]
    assert subprocess.run([sys.executable, "-c", code, *arguments], check=False).returncode == -9
    assert any((store.folder / "taken").iterdir())
    assert sweep([run], perform, store).done == 1
    assert not (store.folder / "taken").exists()


def test_a_run_that_is_finished_while_it_is_locked_is_not_executed_again(
    store: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run,) = plan(1)
    acquire = store.acquire

    def acquire_after_another_process(locked: RunSpec) -> bool:
        ResultStore(store.folder).save(outcome(locked))
        return acquire(locked)

    monkeypatch.setattr(store, "acquire", acquire_after_another_process)
    assert sweep([run], lambda run: pytest.fail("done twice"), store).done == 0


def test_a_sweep_that_fails_leaves_no_locks(store: ResultStore) -> None:
    with pytest.raises(ZeroDivisionError):
        sweep(plan(1, CRASHES, 3), perform, store)
    assert {path.name for path in store.folder.iterdir()} == {"runs"}


def test_a_run_that_diverges_is_recorded_and_the_others_continue(store: ResultStore) -> None:
    todo = plan(1, DIVERGES, 3)
    progress = Recorder()
    swept = sweep(todo, perform, store, SERIAL, progress)
    failure = RunFailure(todo[1], f"the loss is nan at step {DIVERGES} of 9")
    assert (swept.done, swept.failures) == (2, [failure])
    assert progress.started_runs == todo
    assert progress.outcomes == [outcome(todo[0]), failure, outcome(todo[2])]
    assert store.load_failure(todo[1]) == failure
    assert todo[1] not in store


def test_a_run_that_diverged_is_executed_again(store: ResultStore) -> None:
    todo = plan(1, DIVERGES)
    sweep(todo, perform, store)
    assert sweep(todo, outcome, store).done == 1
    assert store.load_failure(todo[1]) is None
    assert todo[1] in store


def test_other_errors_end_the_sweep_and_keep_finished_runs(store: ResultStore) -> None:
    todo = plan(1, CRASHES, 3)
    with pytest.raises(ZeroDivisionError):
        sweep(todo, perform, store)
    assert [run in store for run in todo] == [True, False, False]
    assert store.load_failure(todo[1]) is None


def test_errors_of_the_user_are_not_recorded_as_failures(store: ResultStore) -> None:
    def missing(run: RunSpec) -> RunResult:
        raise DataError("gone")

    with pytest.raises(DataError, match="gone"):
        sweep(plan(1), missing, store)
    assert not any(store.folder.iterdir())


# Executors


@pytest.mark.usefixtures("importable")
def test_several_processes_produce_the_outcomes_of_one_process() -> None:
    todo = plan(1, 2, DIVERGES, 4, 5)
    expected = list(outcomes(SERIAL, todo, perform))
    results = list(outcomes(ProcessExecutor(2), todo, perform))
    assert len(results) == len(expected)
    assert sorted(results, key=seed) == sorted(expected, key=seed)
    assert sum(isinstance(result, RunFailure) for result in results) == 1


def seed(result: RunResult | RunFailure) -> int:
    return result.run.seed


@pytest.mark.usefixtures("importable")
def test_the_error_of_a_worker_is_raised(store: ResultStore) -> None:
    todo = plan(1, CRASHES, 3)
    with pytest.raises(ZeroDivisionError):
        sweep(todo, perform, store, ProcessExecutor(1))
    assert [run in store for run in todo] == [True, False, False]


@pytest.mark.usefixtures("importable")
def test_runs_that_end_after_a_crash_of_another_worker_are_kept(store: ResultStore) -> None:
    todo = plan(CRASHES, SLOW)
    with pytest.raises(ZeroDivisionError):
        sweep(todo, perform, store, ProcessExecutor(2))
    assert [run in store for run in todo] == [False, True]


@pytest.mark.usefixtures("importable")
def test_a_killed_worker_is_reported(store: ResultStore) -> None:
    todo = plan(1, KILLED, 3)
    with pytest.raises(AlignScopeError, match=r"A worker process was killed.*runs are kept"):
        sweep(todo, perform, store, ProcessExecutor(1))
    assert todo[0] in store


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Handle SIGINT, which is ignored in a background job (``nohup pytest &``)."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("importable", "interruptible")
def test_an_interrupt_stops_the_workers_and_keeps_finished_runs(store: ResultStore) -> None:
    import_module("polars")  # has signals restart what they would interrupt
    todo, start = plan(1, INTERRUPTS, 3), time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        sweep(todo, perform, store, ProcessExecutor(1))
    assert time.monotonic() - start < 50, "it waited for the run in flight"
    assert not active_children()
    assert [run in store for run in todo] == [True, False, False]


@pytest.mark.usefixtures("importable")
def test_closing_the_outcomes_stops_the_workers() -> None:
    todo, start = plan(1, NAPS), time.monotonic()
    results = outcomes(ProcessExecutor(2), todo, perform)
    assert next(results) == outcome(todo[0])
    results.close()  # type: ignore[attr-defined]
    assert time.monotonic() - start < 50, "it waited for the run in flight"
    assert not active_children()


@pytest.mark.parametrize(
    ("variable", "threads"), [("1", 1), ("3", 3), ("99", 8), ("", 8), ("0", 8), ("2,1", 8)]
)
def test_workers_use_their_share_of_the_cores_or_the_configured_number(
    variable: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu, "available_cores", lambda: 16)
    monkeypatch.setenv("OMP_NUM_THREADS", variable)
    assert cpu.threads_of_each(2) == threads


@pytest.mark.parametrize("executor", [SERIAL, ProcessExecutor(1)])
@pytest.mark.usefixtures("importable")
def test_an_executor_takes_runs_only_when_it_needs_them(executor: Executor) -> None:
    """A run that another process finished meanwhile can then be skipped."""
    drawn = []

    def waiting() -> Iterator[RunSpec]:
        for run in plan(1, 2, 3, 4):
            drawn.append(run.seed)
            yield run

    results = outcomes(executor, waiting(), perform)
    assert seed(next(results)) == 1
    assert drawn == [1]
    assert [seed(result) for result in results] == [2, 3, 4]


# What is checked before anything is done


def test_complete_data_passes_the_check(tiny_corpora: Path) -> None:
    check_data(plan(1), DataPaths((tiny_corpora,), tiny_corpora / "cache", download=False))


def test_missing_data_fails_the_check(tiny_corpora: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="ud:en_tiny was not found"):
        check_data(plan(1), DataPaths((tmp_path,), tmp_path, download=False))
    tasks = {"pos": {"sources": ["ud:en_tiny"], "targets": ["ud:fr_tiny"]}}
    grid = {"encoders": ["enc"], "windows": ["none"], "tasks": tasks}
    study = Study.model_validate({**grid, "training": {"learning_rate": 5e-5}})
    places = DataPaths((tiny_corpora,), tiny_corpora / "cache", download=False)
    with pytest.raises(DataError, match="ud:fr_tiny was not found"):
        check_data(expand(study, lambda encoder: EncoderInfo("sha256:1", 4)), places)


@pytest.mark.parametrize("file", ["en_tiny/train", "en_tiny/dev", "en_tiny/test", "de_tiny/test"])
def test_a_store_made_with_other_data_is_refused(
    file: str, workshop: Workshop, store: ResultStore
) -> None:
    data = own_copy(workshop)
    places = DataPaths((data,), workshop.folder / "cache", download=False)
    todo = plan(1, 2)
    store.save(RunResult(todo[0], [], [], {"data": input_checksums(todo[0], places)}))
    check_store(todo, store, places)
    path = data / "ud" / f"{file}.conllu"
    path.write_text("# one more comment\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(StoreError, match=rf"results made with another ud:{file} .*another store"):
        check_store(todo, store, places)


def test_a_split_that_no_run_reads_may_change(workshop: Workshop, store: ResultStore) -> None:
    data = own_copy(workshop)
    places = DataPaths((data,), workshop.folder / "cache", download=False)
    todo = plan(1)
    store.save(RunResult(todo[0], [], [], {"data": input_checksums(todo[0], places)}))
    (data / "ud/de_tiny/train.conllu").unlink()
    check_store(todo, store, places)


def own_copy(workshop: Workshop) -> Path:
    return Path(shutil.copytree(workshop.data, workshop.folder / "data"))


# Killed, and called again

LONGER = GRID.replace("epochs = 2", "epochs = 12")


@pytest.fixture(scope="module")
def uninterrupted(
    tmp_path_factory: pytest.TempPathFactory,
    tiny_corpora: Path,
    encoder_folders: Callable[[str], Path],
) -> dict[str, str]:
    """Return the tables of an uninterrupted run in one process."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    whole = Workshop(folder, tiny_corpora, encoder_folders("bert"))
    whole.write(LONGER)
    assert whole.run("--lockstep", "1").code == 0
    return tables(whole, whole.store)


@pytest.fixture
def longer(workshop: Workshop) -> Workshop:
    """The same study, long enough to be killed in."""
    workshop.write(LONGER)
    return workshop


def tables(workshop: Workshop, store: Path) -> dict[str, str]:
    return {name: workshop.table(name, store=store) for name in ("scores", "effects")}


@pytest.mark.parametrize("executor", ["serial", "processes"])
def test_a_killed_sweep_resumes(
    executor: str, longer: Workshop, uninterrupted: dict[str, str]
) -> None:
    """Finished results stay unchanged, and the tables equal those of an uninterrupted run."""
    more = ["--executor", executor, "--lockstep", "1"]
    with started(longer, more) as process:
        wait_for(lambda: any((longer.store / "runs").glob("*.json")), process)
        workers = children(process)
        process.send_signal(signal.SIGKILL)
    finished = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in results(longer)}
    assert 0 < len(finished) < 6
    wait_for(lambda: not any(map(alive, workers)))

    answer = longer.run(*more)
    assert answer.code == 0, answer.err
    assert f"6 runs, {len(finished)} done, {6 - len(finished)} pending" in answer.err
    assert len(results(longer)) == 6
    for path, (when, content) in finished.items():
        assert (path.stat().st_mtime_ns, path.read_bytes()) == (when, content)
    assert tables(longer, longer.store) == uninterrupted


@pytest.mark.parametrize("shards", [("1/1", "1/1"), ("1/2", "2/2")])
def test_two_sweeps_at_once_share_the_work(
    shards: tuple[str, str], longer: Workshop, uninterrupted: dict[str, str]
) -> None:
    """Two processes share a store, with or without shards: no run is executed twice or lost."""
    one_run_at_a_time = ["--lockstep", "1"]
    with started(longer, ["--shard", shards[0], *one_run_at_a_time]) as second_sweep:
        wait_for(lambda: (longer.store / "plans").is_dir(), second_sweep)
        answer = longer.run("--shard", shards[1], *one_run_at_a_time)
        assert answer.code == 0
        _, errors = second_sweep.communicate()
        assert second_sweep.returncode == 0
    assert (answer.err + errors.decode()).count("\n[") == 6
    assert tables(longer, longer.store) == uninterrupted
    assert {path.name for path in longer.store.iterdir()} == {"plans", "runs"}
    assert len(results(longer)) == 6


def test_shards_partition_the_runs() -> None:
    todo = plan(*range(1, 30))
    for count in (1, 2, 7, 40):
        parts = [Shard(number, count).select(todo) for number in range(1, count + 1)]
        assert sorted(run.seed for part in parts for run in part) == list(range(1, 30))
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
        assert all(part == sorted(part, key=todo.index) for part in parts)


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/0", "-1/2", "1/2/3", ""])
def test_an_invalid_shard_is_refused(text: str, workshop: Workshop) -> None:
    answer = workshop.run("--shard", text)
    assert answer.code == 2
    assert f"error: The shard {text} is not valid. Write for example 2/8" in answer.err


@contextmanager
def started(workshop: Workshop, more: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start ``alignscope run`` in a process of its own, which does not outlive the block."""
    script = workshop.folder / "started.py"
    script.write_text("from alignscope.cli import main\nif __name__ == '__main__': main()\n")
    command = [sys.executable, str(script), *workshop.arguments(), *more]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def children(process: subprocess.Popen[bytes]) -> list[int]:
    """The processes that a process has started."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []


def results(workshop: Workshop) -> list[Path]:
    return [path for path in (workshop.store / "runs").iterdir() if path.suffix == ".json"]


def wait_for(
    condition: Callable[[], bool],
    process: subprocess.Popen[bytes] | None = None,
    seconds: float = 60,
) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert process is None or process.poll() is None, "it has ended"
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.002)


def alive(process: int) -> bool:
    """Return whether a process still runs; one that ended but was not waited for does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return state.rpartition(")")[2].split()[0] != "Z"
