"""One run from start to finish, on tiny corpora: rows, provenance, and every family."""

import hashlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from multiprocessing import parent_process
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from alignscope.config.run import EncoderSpec, RunSpec, SplitLimits, TrainingConfig
from alignscope.data import corpora
from alignscope.data.conllu import write_conllu
from alignscope.data.corpora import subsample_evenly
from alignscope.data.corpus import parse_corpus
from alignscope.data.locate import read_corpus
from alignscope.data.paths import DataPaths
from alignscope.errors import (
    AlignScopeError,
    DataError,
    DivergedError,
    EncoderError,
    InsufficientMemoryError,
)
from alignscope.experiments import evaluation
from alignscope.experiments import run as perform
from alignscope.experiments import setup as prepare
from alignscope.experiments.evaluation import EpochEvaluator, Evaluation
from alignscope.experiments.executors import Executor, ProcessExecutor, SerialExecutor
from alignscope.experiments.grouping import Group
from alignscope.experiments.inputs import load_split
from alignscope.experiments.progress import RunProgress, SilentProgress
from alignscope.experiments.sweep import sweep
from alignscope.results.schemas import RUN_COLUMNS, SCORES
from alignscope.results.store import ResultStore, Row, RunFailure, RunOutcome, RunResult
from alignscope.tasks import TASKS
from alignscope.training.stacked.stack import StackedModel
from tests.helpers import families, toys

Folders = Callable[[str], Path]
METRICS = {
    "pos": ("accuracy",),
    "parsing": ("las", "uas"),
    "ner": ("f1", "f1_strict"),
    "classification": ("accuracy", "macro_f1"),
}
TRAINING = {"epochs": 2, "learning_rate": 5e-5, "tokens_per_batch": 128, "max_length": 64}


@pytest.fixture
def places(tiny_corpora: Path, tmp_path: Path) -> DataPaths:
    return DataPaths((tiny_corpora,), tmp_path / "cache", download=False)


def make_run(folder: Path, task: str = "pos", window: str | None = None, **options: Any) -> RunSpec:
    kind = {"ner": "uner", "classification": "topic"}.get(task, "ud")
    defaults = {
        "encoder": EncoderSpec(name=str(folder)),
        "identity": "tiny",
        "task": task,
        "source": f"{kind}:en_tiny",
        "evaluated": (f"{kind}:en_tiny", f"{kind}:de_tiny", f"{kind}:en_web"),
        "window": window,
        "init": None if window is None else "config",
        "adapters": None if window is None else "reset",
        "seed": 1,
        "training": TrainingConfig(**TRAINING),
        "limits": SplitLimits(),
    }
    return RunSpec.model_validate({**defaults, **options})


def tables(outcome: RunResult) -> tuple[list[Row], list[Row]]:
    return outcome.scores, outcome.epochs


@pytest.mark.parametrize("task", TASKS)
def test_scores_have_one_row_per_corpus_and_metric(
    encoder_folders: Folders, places: DataPaths, task: str
) -> None:
    run = make_run(encoder_folders("bert"), task)
    outcome = perform.execute_run(run, places)
    assert outcome.run is run
    kind = run.source.partition(":")[0]
    rows = [(row["corpus"], row["language"], row["relation"], row["metric"])
             for row in outcome.scores]  # fmt: skip
    assert rows == [
        (f"{kind}:{code}", code[:2], relation, metric)
        for code, relation in (
            ("en_tiny", "in-domain"), ("de_tiny", "cross-lingual"), ("en_web", "cross-domain")
        )
        for metric in METRICS[task]
    ]  # fmt: skip
    for row in outcome.scores:
        assert row.keys() == SCORES.keys() - RUN_COLUMNS.keys() - {"domain"}
        assert 0 <= row["score"] <= 1
        assert row["split"] == "test"
        assert (row["windowed"], row["cut"], row["unknown"]) == (0, 0, 0)
    assert [epoch["epoch"] for epoch in outcome.epochs] == [1, 2]


@pytest.mark.parametrize("task", ["pos", "parsing"])
def test_the_majority_baseline_of_every_score_is_learned_on_the_source(
    encoder_folders: Folders, places: DataPaths, tmp_path: Path, task: str
) -> None:
    (tmp_path / "ud" / "de_odd").mkdir(parents=True)
    odd = [toys.sentence(["barks", "barks", "barks", "dog", "."])] * 3
    write_conllu(odd, tmp_path / "ud" / "de_odd" / "test.conllu")
    places = DataPaths((*places.folders, tmp_path), places.cache, download=False)
    run = make_run(encoder_folders("bert"), task, evaluated=("ud:en_tiny", "ud:de_odd"))
    train = load_split(run, run.source, "train", places)
    source_baseline, target_baseline = TASKS[task].majority(train), TASKS[task].majority(odd)
    metric, rows = TASKS[task].metrics[0], perform.execute_run(run, places).scores
    assert TASKS[task].score(odd, [target_baseline(sentence) for sentence in odd])[metric] > 0.5
    for row in rows:
        gold = read_corpus(parse_corpus(row["corpus"]), "test", places)
        expected = TASKS[task].score(gold, [source_baseline(sentence) for sentence in gold])
        assert row["majority"] == expected[row["metric"]]
        assert (row["sentences"], row["words"]) == (len(gold), sum(map(len, gold)))
    assert rows[-1]["majority"] < 0.5


@pytest.mark.parametrize(("task", "window"), [("pos", None), ("parsing", "1-2"), ("ner", "0")])
def test_repeating_a_run_reproduces_its_tables(
    encoder_folders: Folders, places: DataPaths, task: str, window: str | None
) -> None:
    run = make_run(encoder_folders("bert"), task, window)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    once = perform.execute_run(run, places)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(4)
    assert tables(perform.execute_run(run, places)) == tables(once)


def test_every_part_of_a_specification_changes_the_result(
    encoder_folders: Folders, places: DataPaths
) -> None:
    """Seed, window, way of re-initialising: each of them changes what is learnt."""
    differences: list[dict[str, Any]] = [
        {},
        {"seed": 2},
        {"window": "0-1"},
        {"window": "0-2"},
        {"window": "0-1", "seed": 2},
        {"window": "0-1", "init": "torch-default"},
        {"training": TrainingConfig(**TRAINING, pooling="mean")},
        {"training": TrainingConfig(**{**TRAINING, "learning_rate": 1e-3})},
    ]
    runs = [make_run(encoder_folders("bert"), **difference) for difference in differences]
    losses = {perform.execute_run(run, places).epochs[-1]["loss"] for run in runs}
    assert len(losses) == len(differences)


def test_only_the_window_is_reinitialized(
    encoder_folders: Folders, places: DataPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[dict[str, torch.Tensor]] = []
    original = perform.fine_tune_stacked

    def spy(stack: StackedModel, *arguments: Any, **options: Any) -> Any:
        started.append({name: value.clone() for name, value in stack.encoder.state_dict().items()})
        return original(stack, *arguments, **options)

    monkeypatch.setattr(perform, "fine_tune_stacked", spy)
    for window in (None, "1-2", "1-2"):
        perform.execute_run(make_run(encoder_folders("bert"), window=window), places)
    stored = load_file(encoder_folders("bert") / "model.safetensors")
    ref, ablated, again = started
    assert all(torch.equal(ref[name], stored[f"bert.{name}"]) for name in ref)
    differing = {name.split(".")[2] for name in ref if not torch.equal(ref[name], ablated[name])}
    assert differing == {"1", "2"}
    assert all(torch.equal(ablated[name], again[name]) for name in ref)


def test_provenance_has_the_checksums_of_the_files_read(
    encoder_folders: Folders, places: DataPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: set[tuple[str, str]] = set()
    original = corpora.read_corpus

    def spy(corpus: Any, split: str, *arguments: Any, **options: Any) -> Any:
        read.add((corpus.name, split))
        return original(corpus, split, *arguments, **options)

    monkeypatch.setattr(corpora, "read_corpus", spy)
    run = make_run(encoder_folders("bert"), evaluated=("ud:en_tiny", "ud:de_tiny"))
    checksums = perform.execute_run(run, places).provenance["data"]
    assert set(checksums) == {f"{name}/{split}" for name, split in read}
    assert set(checksums) == {
        "ud:en_tiny/train", "ud:en_tiny/dev", "ud:en_tiny/test", "ud:de_tiny/test"
    }  # fmt: skip
    for name, checksum in checksums.items():
        code, split = name.removeprefix("ud:").split("/")
        content = (places.folders[0] / "ud" / code / f"{split}.conllu").read_bytes()
        assert checksum == hashlib.sha256(content).hexdigest()


def test_provenance_has_versions_encoder_and_seconds(
    encoder_folders: Folders, places: DataPaths
) -> None:
    run = make_run(encoder_folders("bert"))
    provenance = perform.execute_run(run, places).provenance
    assert provenance["encoder"] == {"name": run.encoder.name, "revision": "main", "resolved": None}
    assert provenance["precision"] == "fp32" or torch.cuda.is_available()
    assert provenance["versions"]["torch"] == torch.__version__
    assert set(provenance["laps"]) == {"training", "evaluation", "similarity"}
    assert 0 <= sum(provenance["laps"].values()) <= provenance["seconds"] + 0.01


def test_every_corpus_has_an_example(encoder_folders: Folders, places: DataPaths) -> None:
    run = make_run(encoder_folders("bert"))
    examples = perform.execute_run(run, places).examples
    assert [row["corpus"] for row in examples] == list(run.evaluated)
    for row in examples:
        assert len(row["words"]) == len(row["gold"]) == len(row["predicted"])


@pytest.mark.parametrize("family", ["bert", "xmod"])
@pytest.mark.parametrize("task", TASKS)
def test_stacked_runs_give_the_results_of_separate_runs(
    encoder_folders: Folders, places: DataPaths, family: str, task: str
) -> None:
    runs = [make_run(encoder_folders(family), task, window) for window in (None, "0-1", "2-3")]
    stacked = list(perform.execute_runs(runs, places))
    for run, outcome in zip(runs, stacked, strict=True):
        assert isinstance(outcome, RunResult)
        separate = perform.execute_run(run, places)
        assert outcome.run is run
        assert outcome.scores == separate.scores
        assert outcome.examples == separate.examples
        for epoch, separate_epoch in zip(outcome.epochs, separate.epochs, strict=True):
            assert epoch.pop("scores") == pytest.approx(separate_epoch.pop("scores"), abs=1e-9)
            assert epoch == pytest.approx(separate_epoch, abs=1e-4)
        assert (outcome.provenance["lockstep"], separate.provenance["lockstep"]) == (3, 1)


def test_a_run_that_diverges_does_not_stop_the_others(
    encoder_folders: Folders, places: DataPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [make_run(encoder_folders("bert"), window=window) for window in (None, "0-1", "2-3")]
    original = prepare.load_ablated_encoder

    def load_with_nan(run: RunSpec) -> Any:
        encoder = original(run)
        if run.window == "0-1":
            next(iter(encoder.parameters())).data.fill_(torch.nan)
        return encoder

    for module in (perform, prepare):
        monkeypatch.setattr(module, "load_ablated_encoder", load_with_nan)
    first, failure, last = list(perform.execute_runs(runs, places))
    assert (first.run, failure.run, last.run) == tuple(runs)
    assert isinstance(failure, RunFailure)
    assert failure.reason.startswith("the loss is nan at step 1 of ")
    assert isinstance(first, RunResult)
    assert isinstance(last, RunResult)
    with pytest.raises(DivergedError, match="the loss is nan at step 1 of"):
        perform.execute_run(runs[1], places)


def test_limits_are_kept(
    encoder_folders: Folders, places: DataPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    original = perform.fine_tune_stacked

    def spy(stack: StackedModel, encoded: Any, data: Any, **named: Any) -> Any:
        seen.append(data)
        return original(stack, encoded, data, **named)

    monkeypatch.setattr(perform, "fine_tune_stacked", spy)
    limits = SplitLimits(train=5, dev=2, test=3)
    outcome = perform.execute_run(make_run(encoder_folders("bert"), limits=limits), places)
    train = read_corpus(parse_corpus("ud:en_tiny"), "train", places)
    dev = read_corpus(parse_corpus("ud:en_tiny"), "dev", places)
    assert list(seen[0].train) == list(train[::2])
    assert list(seen[0].dev) == list(dev[::2])
    assert {row["sentences"] for row in outcome.scores} == {3}


@given(st.integers(0, 300), st.none() | st.integers(1, 300))
def test_a_limit_spreads_over_the_whole_file(count: int, limit: int | None) -> None:
    subsample = list(subsample_evenly(range(count), limit))
    assert len(subsample) == (count if limit is None else min(count, limit))
    assert subsample == sorted(set(subsample))
    steps = {after - before for before, after in pairwise(subsample)}
    assert max(steps, default=0) - min(steps, default=0) <= 1
    assert subsample[:1] == [0][:count]


def test_every_step_is_reported(encoder_folders: Folders, places: DataPaths) -> None:
    reported: list[tuple[int, int]] = []
    run = make_run(encoder_folders("bert"))
    progress = SilentProgress()
    progress.step = lambda *step: reported.append(step)  # type: ignore[method-assign]
    outcome = perform.execute_run(run, places, progress)
    steps = outcome.epochs[-1]["steps"]
    assert reported == [(step, steps) for step in range(1, steps + 1)]


def test_two_threads_cannot_execute_runs_at_once(
    encoder_folders: Folders, places: DataPaths
) -> None:
    run = make_run(encoder_folders("bert"))

    class ExecutesAnother(SilentProgress):
        def step(self, step: int, steps: int) -> None:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(perform.execute_run, run, places).result()

    with pytest.raises(AlignScopeError, match="Another thread of this process executes runs"):
        perform.execute_run(run, places, ExecutesAnother())
    assert perform.execute_run(run, places).run == run  # after the error, runs execute again


def test_a_language_adapter_is_chosen_for_every_corpus(
    encoder_folders: Folders, places: DataPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken: list[str] = []
    for module, name in ((perform, "fine_tune_stacked"), (evaluation, "predict_stacked")):
        original = getattr(module, name)

        def spy(
            stack: StackedModel, *arguments: Any, original: Any = original, **options: Any
        ) -> Any:
            spoken.append(stack.encoder.config.default_language)
            return original(stack, *arguments, **options)

        monkeypatch.setattr(module, name, spy)
    run = make_run(encoder_folders("xmod"), window="0-1")
    outcome = perform.execute_run(run, places)
    assert spoken == ["en_XX", *["en_XX", "de_DE", "en_XX"] * 2]
    kept = perform.execute_run(
        make_run(encoder_folders("xmod"), window="0-1", adapters="keep"), places
    )
    assert kept.epochs[0]["loss"] != outcome.epochs[0]["loss"]


@pytest.mark.parametrize("family", ["bert", "xmod"])
def test_targets_change_no_epoch_of_the_training(
    encoder_folders: Folders, places: DataPaths, family: str
) -> None:
    """Nothing of an evaluation reaches the next epoch, not even the language of the adapters."""
    training = TrainingConfig(**TRAINING | {"epochs": 3, "learning_rate": 1e-3})
    alone, beside = (
        perform.execute_run(
            make_run(encoder_folders(family), evaluated=evaluated, training=training), places
        ).epochs
        for evaluated in (("ud:en_tiny",), ("ud:en_tiny", "ud:de_tiny"))
    )
    assert [epoch["scores"].keys() for epoch in beside] == [{"ud:en_tiny", "ud:de_tiny"}] * 3
    for first, second in zip(alone, beside, strict=True):
        assert first["scores"]["ud:en_tiny"] == second["scores"].pop("ud:en_tiny")
        assert {**first, "scores": {}} == {**second, "scores": {}}


@pytest.mark.parametrize("family", ["bert", "xmod", "deberta-v2"])
@pytest.mark.parametrize("task", TASKS)
def test_the_evaluation_of_the_best_epoch_is_that_of_the_final_model(
    encoder_folders: Folders,
    places: DataPaths,
    monkeypatch: pytest.MonkeyPatch,
    family: str,
    task: str,
) -> None:
    """Scores and examples are those of a second evaluation after the training, bit for bit."""
    again: list[tuple[Evaluation, int, int]] = []
    original = EpochEvaluator.best

    def twice(self: EpochEvaluator, member: int, history: Any) -> Any:
        evaluator = EpochEvaluator(self.stack, self.inputs, SilentProgress())
        evaluator.evaluate([member])
        again.append((evaluator._epochs[0][member], history.best, len(history.epochs)))
        return original(self, member, history)

    monkeypatch.setattr(EpochEvaluator, "best", twice)
    windows = (None,) if family == "deberta-v2" else (None, "0-1", "2-3")
    rates = {"epochs": 5, "learning_rate": 2e-2, "head_learning_rate": 2e-2}
    training = TrainingConfig(**TRAINING | rates)
    runs = [make_run(encoder_folders(family), task, w, training=training) for w in windows]
    outcomes = list(perform.execute_runs(runs, places))
    for outcome, (second, best, epochs) in zip(outcomes, again, strict=True):
        assert isinstance(outcome, RunResult)
        assert outcome.scores == second.scores
        assert outcome.examples == second.examples
        assert outcome.counts == second.counts
        assert outcome.epochs[best - 1]["scores"] == second.primary
        assert len(outcome.epochs) == epochs == 5
    assert family == "deberta-v2" or {best for _, best, _ in again} != {5}


@pytest.mark.parametrize("task", TASKS)
def test_the_outcome_of_every_sentence_is_kept(
    encoder_folders: Folders, places: DataPaths, task: str
) -> None:
    outcome = perform.execute_run(make_run(encoder_folders("bert"), task), places)
    for row in outcome.scores:
        counts = outcome.sentence_counts(row["corpus"])
        assert counts is not None
        assert len(counts) == row["sentences"]
        if row["metric"] == METRICS[task][0]:
            numerator, denominator = counts.sum(axis=0)
            assert numerator / max(1, denominator) == pytest.approx(row["score"], abs=1e-12)


def test_a_language_without_an_adapter_is_refused(
    encoder_folders: Folders, tiny_corpora: Path, tmp_path: Path
) -> None:
    shutil.copytree(tiny_corpora / "ud" / "de_tiny", tmp_path / "ud" / "fi_tiny")
    places = DataPaths((tiny_corpora, tmp_path), tmp_path / "cache", download=False)
    run = make_run(encoder_folders("xmod"), evaluated=("ud:en_tiny", "ud:fi_tiny"))
    with pytest.raises(EncoderError, match="fi names 0 language adapters of this encoder"):
        perform.execute_run(run, places)


@pytest.mark.parametrize("window", [None, "1-2"])
def test_a_run_executes_with_every_family(
    encoder_folder: Path, places: DataPaths, window: str | None
) -> None:
    """One step of tagging on four sentences."""
    options = {
        "training": TrainingConfig(epochs=1, learning_rate=5e-5, tokens_per_batch=512),
        "limits": SplitLimits(train=4),
    }
    run = make_run(encoder_folder, window=window, **options)
    outcome = perform.execute_run(run, places)
    (epoch,) = outcome.epochs
    assert epoch["steps"] == 1
    assert len(outcome.scores) == 3
    assert tables(perform.execute_run(run, places)) == tables(outcome)


def test_sentences_longer_than_max_length_are_split(
    encoder_folders: Folders, places: DataPaths
) -> None:
    run = make_run(
        encoder_folders("bert"), training=TrainingConfig(**{**TRAINING, "max_length": 9})
    )
    for row in perform.execute_run(run, places).scores:
        assert 0 < row["windowed"] <= row["sentences"]
        assert row["words"] == sum(
            map(len, read_corpus(parse_corpus(row["corpus"]), "test", places))
        )


def test_a_tokenizer_larger_than_its_encoder_is_refused(
    encoder_folders: Folders, places: DataPaths, tmp_path: Path
) -> None:
    folder = shutil.copytree(encoder_folders("bert"), tmp_path / "bert")
    tokenizer = families.tokenizer()
    tokenizer.add_tokens(["antidisestablishmentarianism"])
    tokenizer.save_pretrained(folder)
    with pytest.raises(EncoderError, match="They do not belong together"):
        perform.execute_run(make_run(folder), places)


def test_a_corpus_without_the_annotation_is_refused(
    encoder_folders: Folders, places: DataPaths
) -> None:
    run = make_run(encoder_folders("bert"), "ner", source="ud:en_tiny")
    with pytest.raises(DataError, match="ud:en_tiny/train lacks entities"):
        perform.execute_run(run, places)


def test_stacks_are_halved_when_memory_runs_out(
    encoder_folders: Folders, places: DataPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [make_run(encoder_folders("bert"), window=w) for w in (None, "0", "1", "2", "3")]
    expected, sizes = list(perform.execute_runs(runs, places)), list[int]()
    original = perform.fine_tune_stacked

    def fail_if_larger_than_two(stack: StackedModel, *arguments: Any, **options: Any) -> Any:
        sizes.append(len(stack))
        histories = original(stack, *arguments, **options)
        if len(stack) > 2:  # after training has changed the weights
            raise torch.OutOfMemoryError("CUDA out of memory")
        return histories

    monkeypatch.setattr(perform, "fine_tune_stacked", fail_if_larger_than_two)
    outcomes = list(perform.execute_runs(runs, places))
    assert sizes == [5, 3, 2, 2, 1]
    for outcome, expected_outcome in zip(outcomes, expected, strict=True):
        assert isinstance(outcome, RunResult)
        assert isinstance(expected_outcome, RunResult)
        assert outcome.run is expected_outcome.run
        assert outcome.scores == expected_outcome.scores

    def always_fail(*arguments: Any, **options: Any) -> Any:
        torch.empty(10**15)

    monkeypatch.setattr(perform, "fine_tune_stacked", always_fail)
    with pytest.raises(InsufficientMemoryError, match="REF seed 1 does not fit in memory"):
        list(perform.execute_runs(runs, places))


@pytest.mark.parametrize(
    ("room", "sizes"), [(0, [1] * 5), (2.9, [2, 2, 1]), (3.5, [3, 2]), (9, [5])]
)
def test_stacks_are_no_larger_than_memory_allows(
    encoder_folders: Folders,
    places: DataPaths,
    monkeypatch: pytest.MonkeyPatch,
    room: float,
    sizes: list[int],
) -> None:
    runs = [make_run(encoder_folders("bert"), window=w) for w in (None, "0", "1", "2", "3")]
    (separate,) = perform.execute_runs(runs[:1], places)
    assert isinstance(separate, RunResult)
    needed = separate.provenance["estimated"]["memory"]
    available = room * needed / prepare.USABLE_MEMORY
    monkeypatch.setattr(prepare, "available_memory", lambda device: available)
    outcomes = list(perform.execute_runs(runs, places))
    assert all(isinstance(outcome, RunResult) for outcome in outcomes)
    stack_sizes = [outcome.provenance["lockstep"] for outcome in outcomes]  # type: ignore[union-attr]
    assert stack_sizes == [size for size in sizes for _ in range(size)]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Handle SIGINT, which is ignored in a background job (``nohup pytest &``)."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("executor", [SerialExecutor(), ProcessExecutor(1)])
def test_an_interrupt_in_the_second_stack_of_a_group_keeps_the_runs_of_the_first(
    encoder_folders: Folders, places: DataPaths, tmp_path: Path, executor: Executor
) -> None:
    """Memory has split a group into stacks of two; Ctrl-C comes while the second is trained."""
    runs = [make_run(encoder_folders("bert"), window=w) for w in (None, "0", "1", "2", "3")]
    store = ResultStore(tmp_path / "store")
    execute = partial(executor.execute, work=stacks_of_two, paths=places, progress=SilentProgress())
    with pytest.raises(KeyboardInterrupt):
        sweep([tuple(runs)], execute, store)
    assert [run in store for run in runs] == [True, True, False, False, False]


def stacks_of_two(group: Group, paths: DataPaths, progress: RunProgress) -> Iterator[RunOutcome]:
    """Execute a group with memory for two runs, and interrupt the training of the second two."""
    stacks: list[int] = []
    original = perform.fine_tune_stacked
    parent = os.getpid() if parent_process() is None else os.getppid()

    def interrupted(stack: StackedModel, *args: Any, **options: Any) -> Any:
        stacks.append(len(stack))
        if len(stacks) == 2:
            os.kill(parent, signal.SIGINT)
            time.sleep(60)
        return original(stack, *args, **options)

    with (
        patch.object(perform, "max_stack_size", lambda *args: 2),
        patch.object(perform, "fine_tune_stacked", interrupted),
    ):
        yield from perform.execute_runs(group, paths, progress)


def test_provenance_has_estimated_and_measured_resources(
    encoder_folders: Folders, places: DataPaths
) -> None:
    training = TrainingConfig(**{**TRAINING, "epochs": 6})
    provenance = perform.execute_run(
        make_run(encoder_folders("bert"), training=training), places
    ).provenance
    assert provenance["estimated"]["memory"] > 0
    assert 0 < provenance["estimated"]["seconds"] < 100
    assert provenance["seconds"] == pytest.approx(sum(provenance["laps"].values()), abs=0.01)
    assert provenance["memory"] is None or provenance["memory"] >= 0
    short = TrainingConfig(**{**TRAINING, "epochs": 1, "tokens_per_batch": 10_000})
    provenance = perform.execute_run(
        make_run(encoder_folders("bert"), training=short), places
    ).provenance
    assert provenance["estimated"]["seconds"] is None, "there was one step, which sets things up"
