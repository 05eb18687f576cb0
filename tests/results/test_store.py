"""A store holds whole results or none, gives back what it was given, and says what is wrong."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignscope.config.grid import EncoderInfo, expand
from alignscope.config.run import EncoderSpec, RunSpec
from alignscope.config.study import Study
from alignscope.errors import StoreError
from alignscope.results.counts import pack_counts
from alignscope.results.store import ResultStore, RunFailure, RunResult
from alignscope.results.tables import runs_table, scores_table

FOLDER = "sha256:1"


def unfold(study: Study, identity: str = FOLDER) -> list[RunSpec]:
    return expand(study, lambda encoder: EncoderInfo(identity, 4))


def study_of(*encoders: str, **changes: Any) -> Study:
    tasks = {"pos": {"sources": ["ud:en_ewt"]}}
    base = {"encoders": encoders, "tasks": tasks, "training": {"learning_rate": 5e-5}}
    return Study.model_validate(base | changes)


RUNS = unfold(study_of("enc"))
REF, ABLATED = RUNS[:2]
ROW = {
    "corpus": "ud:en_ewt",
    "split": "test",
    "language": "en",
    "relation": "in-domain",
    "metric": "accuracy",
    "score": 0.1 + 0.2,
    "majority": 1 / 3,
    "sentences": 1,
    "words": 2,
    "windowed": 0,
    "cut": 0,
    "unknown": 0,
}


COUNTS = np.array([[3, 4], [0, 2]])


def outcome(run: RunSpec, score: float = 0.1 + 0.2, said: str = "") -> RunResult:
    epochs = [{"epoch": 1, "steps": 3, "loss": 0.5, "dev_score": score}]
    about = {"seconds": 1.5, "data": {}, "é": said}
    similarity, examples = [{"value": score}], [{"words": ["é"], "gold": ["NOUN"]}]
    counts, changes = {"ud:en_ewt": pack_counts(COUNTS)}, [{"block": 0}]
    rows = [ROW | {"score": score}]
    return RunResult(run, rows, epochs, about, similarity, examples, counts, changes)


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    return ResultStore(tmp_path / "results")


def files(store: ResultStore) -> list[str]:
    return sorted(str(path.relative_to(store.folder)) for path in store.folder.rglob("*.*"))


def test_an_empty_store_writes_no_file(store: ResultStore) -> None:
    assert REF not in store
    assert store.load(REF) is None
    assert store.load_failure(REF) is None
    assert store.load_results(RUNS) == []
    assert not store.folder.exists()


def test_counts_of_sentences_are_unpacked(store: ResultStore) -> None:
    store.save(outcome(REF))
    loaded = store.load(REF)
    assert loaded is not None
    counts = loaded.sentence_counts("ud:en_ewt")
    assert counts is not None
    assert counts.tolist() == COUNTS.tolist()
    assert loaded.sentence_counts("ud:de_pud") is None
    broken = replace(loaded, counts={"ud:en_ewt": "x"})
    with pytest.raises(StoreError, match=rf"The result {REF.address} has broken counts of ud:en_e"):
        broken.sentence_counts("ud:en_ewt")


def test_round_trip(store: ResultStore) -> None:
    store.save(outcome(REF, said="ä\u2028ö"))
    assert REF in store
    assert ABLATED not in store
    assert store.load(REF) == outcome(REF, said="ä\u2028ö")
    assert files(store) == [f"runs/{REF.address}.json"]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_comes_back(tmp_path_factory: pytest.TempPathFactory, value: float) -> None:
    store = ResultStore(tmp_path_factory.mktemp("floats"))
    store.save(outcome(REF, value))
    found = store.load(REF)
    assert found is not None
    assert found.scores[0]["score"].hex() == value.hex()


def test_a_file_describes_its_run(store: ResultStore) -> None:
    """The file alone identifies the run."""
    store.save(outcome(REF))
    content = json.loads((store.folder / f"runs/{REF.address}.json").read_text(encoding="utf-8"))
    assert RunSpec.model_validate(content["run"]) == REF


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_refused(store: ResultStore, value: float) -> None:
    store.save(outcome(ABLATED))
    with pytest.raises(ValueError, match="JSON compliant"):
        store.save(outcome(REF, value))
    assert files(store) == [f"runs/{ABLATED.address}.json"]


def test_a_failed_write_leaves_no_file(store: ResultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match=r"cannot be written: .*No space left"):
            store.save(outcome(REF))
    assert files(store) == []
    assert REF not in store
    store.save(outcome(REF))
    assert store.load(REF) == outcome(REF)


def test_a_failed_write_keeps_the_earlier_result(
    store: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(outcome(REF))
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("pulled out")))
    with pytest.raises(StoreError, match="pulled out"):
        store.save(outcome(REF, said="new"))
    assert store.load(REF) == outcome(REF)
    assert files(store) == [f"runs/{REF.address}.json"]


def write(store: ResultStore, code: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a process that writes to the store."""
    start = f"""
        import os, signal, sys, time
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from pathlib import Path
        from test_store import REF, ResultStore, outcome, study_of
        store = ResultStore(Path({str(store.folder)!r}))
        """
    script = textwrap.dedent(start) + textwrap.dedent(code)
    return subprocess.Popen([sys.executable, "-c", script, *arguments])


@pytest.mark.parametrize("put", ["save(outcome(REF))", "save_plan(study_of('enc'), [REF])"])
def test_a_writer_killed_midway_leaves_no_result(put: str, store: ResultStore) -> None:
    """Its leftover is not a result and does not block one."""
    code = "os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)\nstore."
    assert write(store, code + put).wait() == -signal.SIGKILL
    assert len(files(store)) == 1
    assert REF not in store
    assert store.load(REF) is None
    with pytest.raises(StoreError, match="has no results of study"):
        store.load_plan(study_of("enc"))
    store.save(outcome(REF))
    assert store.load(REF) == outcome(REF)


def test_two_processes_write_the_same_run_at_once(store: ResultStore) -> None:
    """A concurrent reader always sees one of the two results, complete."""
    code = """
        ready = store.folder.with_name(sys.argv[1])
        ready.touch()
        while not all(ready.with_name(name).exists() for name in "ab"):
            time.sleep(0.001)
        for _ in range(100):
            store.save(outcome(REF, said=sys.argv[1] * 20000))
        """
    writers = [write(store, code, letter) for letter in "ab"]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        found = store.load(REF)
        if found is not None:
            seen.add(found.provenance["é"])
    assert [writer.wait() for writer in writers] == [0, 0]
    assert seen
    assert seen <= {"a" * 20000, "b" * 20000}
    assert files(store) == [f"runs/{REF.address}.json"]


# Failures


def test_a_success_deletes_an_earlier_failure(store: ResultStore) -> None:
    store.save_failure(RunFailure(REF, "the loss is nan at step 3 of 9"))
    assert store.load_failure(REF) == RunFailure(REF, "the loss is nan at step 3 of 9")
    assert REF not in store
    assert runs_table([REF], store)["status"].to_list() == ["failed"]
    store.save(outcome(REF))
    assert store.load_failure(REF) is None
    assert runs_table([REF], store)["status"].to_list() == ["done"]


# What is broken

BROKEN = {
    "cut short": '{"run": {"enc',
    "empty": "",
    "no table": "[]",
    "null": "null",
    "a word": '"scores"',
    "another table": "{}",
    "not text": b"\xff\xfe",
}


@pytest.mark.parametrize("kind", ["runs", "failed", "plans"])
@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_are_named(case: str, kind: str, store: ResultStore) -> None:
    study = study_of("enc")
    store.save(outcome(REF))
    store.save_failure(RunFailure(REF, "why"))
    store.save_plan(study, [REF])
    name = study.digest if kind == "plans" else REF.address
    path, content = store.folder / kind / f"{name}.json", BROKEN[case]
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    ask = {
        "runs": lambda: store.load(REF),
        "failed": lambda: store.load_failure(REF),
        "plans": lambda: store.load_plan(study),
    }
    with pytest.raises(StoreError) as told:
        ask[kind]()
    assert str(told.value).startswith(f"{path} ")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("key", ["run", "scores", "epochs", "provenance"])
def test_an_incomplete_result_is_refused(key: str, store: ResultStore) -> None:
    store.save(outcome(REF))
    path = store.folder / f"runs/{REF.address}.json"
    content = json.loads(path.read_text())
    del content[key]
    path.write_text(json.dumps(content))
    with pytest.raises(StoreError, match=rf"{REF.address}\.json is not a result of this run"):
        store.load(REF)


@pytest.mark.parametrize("key", ["similarity", "examples"])
def test_a_result_of_the_first_versions_is_read(key: str, store: ResultStore) -> None:
    store.save(outcome(REF))
    path = store.folder / f"runs/{REF.address}.json"
    content = json.loads(path.read_text())
    del content[key]
    path.write_text(json.dumps(content))
    assert store.load(REF) == replace(outcome(REF), **{key: []})


def test_a_result_of_another_run_is_refused(store: ResultStore) -> None:
    store.save(outcome(REF))
    folder = store.folder / "runs"
    (folder / f"{REF.address}.json").rename(folder / f"{ABLATED.address}.json")
    with pytest.raises(StoreError, match="is not a result of this run"):
        store.load(ABLATED)


def test_a_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(StoreError, match="results is a file, not a folder for results"):
        ResultStore(tmp_path / "results")


def test_a_path_below_a_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(StoreError, match="results is a file, not a folder for results"):
        ResultStore(tmp_path / "results" / "inner")


# Plans


def test_a_plan_is_loaded_without_its_encoder(store: ResultStore) -> None:
    store.save_plan(study_of("enc"), RUNS)
    assert store.load_plan(study_of("enc")) == RUNS
    assert store.load_plan(study_of("enc", name="renamed", data=["moved"])) == RUNS
    assert store.load_plan(study_of()) == RUNS


def test_a_short_name_that_was_given_after_the_runs_is_used(store: ResultStore) -> None:
    store.save_plan(study_of("enc"), RUNS)
    named = Study.model_validate(
        study_of("enc").model_dump() | {"encoders": [{"name": "enc", "short_name": "short"}]}
    )
    assert {run.encoder.short_name for run in store.load_plan(named)} == {"short"}
    assert [run.address for run in store.load_plan(named)] == [run.address for run in RUNS]


@pytest.mark.parametrize("other", [{"seeds": [2]}, {"windows": ["all"]}, {"encoders": ["moved"]}])
def test_a_study_that_changed_has_no_plan(other: dict[str, Any], store: ResultStore) -> None:
    store.save_plan(study_of("enc"), RUNS)
    with pytest.raises(StoreError, match="has no results of study renamed as it is now"):
        store.load_plan(study_of(**{"encoders": ["enc"], "name": "renamed", **other}))


def test_a_plan_is_replaced(store: ResultStore) -> None:
    """If the encoder in a folder has been trained further, its runs are new."""
    store.save_plan(study_of("enc"), RUNS)
    again = unfold(study_of("enc"), "sha256:2")
    store.save_plan(study_of("enc"), again)
    assert store.load_plan(study_of("enc")) == again


def test_a_study_without_encoders_has_the_runs_of_all(store: ResultStore) -> None:
    one, two = unfold(study_of("a"), "sha256:a"), unfold(study_of("b"), "sha256:b")
    store.save_plan(study_of("a"), one)
    store.save_plan(study_of("b"), two)
    found = store.load_plan(study_of())
    assert sorted(run.address for run in found) == sorted(run.address for run in [*one, *two])


def test_an_encoder_that_moved_keeps_one_name_in_the_tables(store: ResultStore) -> None:
    """REF was done while the folder was ``old``, a window after it had become ``new``."""
    before, after = unfold(study_of("old")), unfold(study_of("new"))
    assert [run.address for run in before] == [run.address for run in after]
    store.save(outcome(before[0]))
    store.save(outcome(after[1]))
    names = scores_table(store.load_results(after))["encoder"].to_list()
    assert names == ["new", "new"]


def test_other_encoders_and_revisions_do_not_mix(store: ResultStore) -> None:
    hub = study_of().model_copy(update={"encoders": (EncoderSpec(name="x", revision="v1"),)})
    store.save(outcome(unfold(hub, "x@v1")[0]))
    assert unfold(hub, "x@v2")[0] not in store
