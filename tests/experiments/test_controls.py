"""Runs whose window is skipped, permuted, matched or frozen, from the study to the result."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from alignscope.config.grid import EncoderInfo, expand
from alignscope.config.run import EncoderSpec, RunSpec, SplitLimits, TrainingConfig
from alignscope.config.study import Study
from alignscope.config.windows import Window
from alignscope.data.paths import DataPaths
from alignscope.encoders.blocks import block_path, blocks
from alignscope.encoders.load import load_model
from alignscope.encoders.skip import skipped_blocks
from alignscope.errors import EncoderError, StackingError
from alignscope.experiments import cost
from alignscope.experiments import run as perform
from alignscope.experiments.grouping import Shard, group_for_stacking
from alignscope.experiments.setup import (
    build_stack,
    estimate_memory,
    load_ablated_encoder,
    load_inputs,
)
from alignscope.results.store import RunResult
from alignscope.training import frozen, loop
from alignscope.training.stacked.stack import StackedModel

Folders = Callable[[str], Path]
CONTROLS = [
    ("matched", None),
    ("permuted", None),
    ("skip", None),
    ("config", "window"),
    ("skip", "window"),
]


@pytest.fixture
def places(tiny_corpora: Path, tmp_path: Path) -> DataPaths:
    return DataPaths((tiny_corpora,), tmp_path / "cache", download=False)


def make_run(folder: Path, init: str | None = "config", **options: Any) -> RunSpec:
    defaults = {
        "encoder": EncoderSpec(name=str(folder)),
        "identity": "tiny",
        "task": "pos",
        "source": "ud:en_tiny",
        "evaluated": ("ud:en_tiny", "ud:de_tiny"),
        "window": None if init is None else "1-2",
        "init": init,
        "adapters": None if init is None else "reset",
        "seed": 1,
        "training": TrainingConfig(
            epochs=2, learning_rate=1e-3, tokens_per_batch=32, max_length=64, weight_decay=0.1
        ),
        "limits": SplitLimits(),
    }
    return RunSpec.model_validate({**defaults, **options})


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[StackedModel]:
    """The stacks that runs have trained."""
    stacks: list[StackedModel] = []
    original = perform.fine_tune_stacked

    def spy(stack: StackedModel, *arguments: Any, **options: Any) -> Any:
        stacks.append(stack)
        return original(stack, *arguments, **options)

    monkeypatch.setattr(perform, "fine_tune_stacked", spy)
    return stacks


def study(**options: Any) -> Study:
    return Study.model_validate({
        "encoders": ["some"],
        "windows": ["0-1"],
        "training": {"learning_rate": 1e-3},
        "tasks": {"pos": {"sources": ["ud:en_tiny"]}},
        **options,
    })  # fmt: skip


def runs_of(**options: Any) -> list[RunSpec]:
    return expand(study(**options), lambda encoder: EncoderInfo("tiny", 4))


@pytest.mark.parametrize(("init", "freeze"), CONTROLS)
def test_a_control_runs_with_every_family(
    encoder_folder: Path,
    places: DataPaths,
    init: str,
    freeze: str | None,
    trained: list[StackedModel],
) -> None:
    """Every family trains; skipped blocks are the identity before and after the training."""
    run = make_run(encoder_folder, init, freeze=freeze)
    start = load_ablated_encoder(run).state_dict()
    outcome = perform.execute_run(run, places)
    assert len(outcome.scores) == 2
    encoder = trained[0].members[0].encoder
    path, end = block_path(encoder), encoder.state_dict()
    assert skipped_blocks(encoder) == ([f"{path}.1", f"{path}.2"] if init == "skip" else [])
    moved = {name for name in start if not torch.equal(start[name], end[name])}
    inside = {name for name in start if name.startswith((f"{path}.1.", f"{path}.2."))}
    assert moved - inside
    if freeze or init == "skip":
        assert not moved & inside
    else:
        matrices = {name for name in inside if start[name].ndim >= 2 and "adapter" not in name}
        assert moved >= matrices


def test_frozen_weights_have_no_state_in_the_optimizer(
    encoder_folders: Folders, places: DataPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[torch.optim.Optimizer] = []
    original = loop.make_optimizer
    monkeypatch.setattr(
        loop, "make_optimizer", lambda *given: made.append(original(*given)) or made[0]
    )
    perform.execute_run(make_run(encoder_folders("bert"), freeze="window"), places)
    encoder = load_model(str(encoder_folders("bert")))
    window = [p for i in (1, 2) for p in blocks(encoder)[i].parameters()]
    states = made[0].state.values()
    all_weights = len(list(encoder.parameters())) + 2  # those of the head
    assert len(states) == sum(len(group["params"]) for group in made[0].param_groups)
    assert len(states) == all_weights - len(window)


def test_weight_that_moves_although_it_is_frozen_is_detected(
    encoder_folders: Folders, places: DataPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alignscope.experiments.setup.freeze_blocks_", lambda *given: [])
    run = make_run(encoder_folders("bert"), freeze="window")
    with pytest.raises(EncoderError, match=r"Training changed encoder\.layer\.1\..* stay frozen"):
        perform.execute_run(run, places)


def test_one_moved_weight_is_found(encoder_folders: Folders) -> None:
    encoder = load_model(str(encoder_folders("bert")))
    before = frozen.FrozenWeights([encoder], Window(1, 2))
    blocks(encoder)[3].output.dense.weight.data.add_(1)  # outside the window
    before.verify()
    blocks(encoder)[2].output.dense.bias.data[0] += 1e-7
    with pytest.raises(EncoderError, match=r"encoder\.layer\.2\.output\.dense\.bias"):
        before.verify()
    frozen.FrozenWeights([encoder], None).verify()


def test_a_frozen_window_is_the_random_one_that_an_unfrozen_run_starts_from(
    encoder_folders: Folders,
) -> None:
    run = make_run(encoder_folders("bert"), "permuted")
    fixed = load_ablated_encoder(run.model_copy(update={"freeze": "window"}))
    for (name, weight), other in zip(
        fixed.named_parameters(), load_ablated_encoder(run).parameters(), strict=True
    ):
        assert torch.equal(weight, other)
        assert weight.requires_grad == (name.split(".")[2] not in ("1", "2"))
        assert other.requires_grad


def test_results_of_a_skipped_run_do_not_depend_on_the_runs_around_it(
    encoder_folders: Folders, places: DataPaths
) -> None:
    folder = encoder_folders("bert")
    todo = [make_run(folder, init) for init in (None, "config", "skip", "matched")]
    groups = group_for_stacking(todo, most=4)
    assert [[run.init for run in group] for group in groups] == [
        [None, "config", "matched"],
        ["skip"],
    ]
    for group in groups:
        for run, outcome in zip(group, perform.execute_runs(group, places), strict=True):
            assert isinstance(outcome, RunResult)
            assert outcome.scores == perform.execute_run(run, places).scores
            assert outcome.provenance["lockstep"] == len(group)


def test_skipped_and_frozen_runs_train_alone_and_stay_in_one_shard() -> None:
    todo = runs_of(
        init=["config", "skip"], freeze=["none", "window"], windows=["0-1", "2-3"], seeds=[1, 2]
    )
    alone = [run for run in todo if run.trains_alone]
    assert {(run.init_label, run.window) for run in alone} == {
        (label, window) for label in ("skip", "config, frozen") for window in ("0-1", "2-3")
    }
    parts = [Shard(number, 3).select(todo) for number in (1, 2, 3)]
    assert sorted(run.address for part in parts for run in part) == sorted(
        run.address for run in todo
    )


def test_a_stack_of_frozen_and_trained_models_is_refused(encoder_folders: Folders) -> None:
    folder = encoder_folders("bert")
    run = make_run(folder)
    other = run.model_copy(update={"freeze": "window"})
    with pytest.raises(StackingError, match="is frozen in some of the models only"):
        build_stack([run, other], where=torch.device("cpu"))
    with pytest.raises(StackingError, match="changes when the model is stacked"):
        build_stack([run, make_run(folder, "skip")], where=torch.device("cpu"))


def test_freeze_is_an_axis_of_the_grid() -> None:
    todo = runs_of(init=["config", "skip"], freeze=["none", "window"])
    assert [run.init_label for run in todo] == [None, "config", "config, frozen", "skip"]
    assert [run.init_label for run in runs_of(init="matched", freeze="window")] == [
        None,
        "matched, frozen",
    ]
    assert [run.init_label for run in runs_of(init="skip", freeze="window")] == [
        None,
        "skip, frozen",
    ]
    assert len({run.address for run in todo}) == 4
    assert {run.label.split(" ", 2)[2] for run in todo} == {
        "REF seed 1",
        "0-1 (config) seed 1",
        "0-1 (config, frozen) seed 1",
        "0-1 (skip) seed 1",
    }


def test_studies_and_runs_that_freeze_nothing_are_stored_as_before() -> None:
    run = runs_of()[1]
    assert "freeze" not in run.model_dump(mode="json")
    assert "freeze" not in study().grid
    assert study(freeze=["none"]).digest == study().digest
    assert study(freeze="window").digest != study().digest
    stored = runs_of(freeze="window")[1].model_dump(mode="json")
    assert stored["freeze"] == "window"
    assert RunSpec.model_validate(stored).init_label == "config, frozen"


def test_costs_of_runs_that_train_alone_are_measured_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def calibrate(group: Any, paths: object) -> cost.Calibration:
        alone = group[0].trains_alone
        return cost.Calibration(
            lockstep=1 if alone else len(group),
            seconds=10 if alone else 12,
            memory=50 if alone else 40,
            seconds_per_subword=0.1,
            width=8,
        )

    monkeypatch.setattr(cost, "calibrate", calibrate)
    todo = runs_of(init=["config", "matched"], freeze=["none", "window"], seeds=[1, 2])
    stacked: dict[int, list[RunSpec]] = {1: [], 2: []}
    for run in todo:
        if not run.trains_alone:
            stacked[run.seed].append(run)
    groups = [*map(tuple, stacked.values()), *((run,) for run in todo if run.trains_alone)]
    (estimate,) = cost.estimate_costs(groups, DataPaths((), Path(), download=False))
    assert (estimate.runs, estimate.lockstep, estimate.memory) == (10, 3, 50)
    assert estimate.seconds == pytest.approx(2 * 12 + 4 * 10)


def test_memory_of_a_frozen_window_has_no_optimizer_state(
    encoder_folders: Folders, places: DataPaths
) -> None:
    run = make_run(encoder_folders("bert"))
    other = run.model_copy(update={"freeze": "window"})
    encoder = load_ablated_encoder(run)
    inputs = load_inputs(run, encoder, places)
    sizes = [
        estimate_memory(build_stack([spec], inputs.encoded.labels).model, inputs).optimizer
        for spec in (run, other)
    ]
    window = sum(p.nbytes for i in (1, 2) for p in blocks(encoder)[i].parameters())
    assert sizes[0] - sizes[1] == 4 * window
