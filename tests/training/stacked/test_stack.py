"""Stacked models compute and learn the same as separate models."""

import gc
import weakref
from collections.abc import Callable
from contextlib import nullcontext
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from scipy.stats import ks_2samp, ttest_1samp
from torch import Tensor, nn

from alignscope.config.run import TrainingConfig
from alignscope.config.windows import Window
from alignscope.encoders.reinitialize import reinitialize_
from alignscope.errors import DivergedError, StackingError
from alignscope.tasks import TASKS
from alignscope.training import loop
from alignscope.training import trimmed_embeddings as vocabulary
from alignscope.training.finetune import TrainingData, fine_tune_stacked
from alignscope.training.loop import TrainingHistory
from alignscope.training.model import TaskModel
from alignscope.training.predict import predict_stacked
from alignscope.training.stacked import modules as folded
from alignscope.training.stacked import stack as stack_module
from alignscope.training.stacked.dropout import SharedDropout
from alignscope.training.stacked.stack import StackedModel
from tests.helpers import toys

Folders = Callable[[str], Path]
TRAIN, DEV = toys.sentences(72, seed=1), toys.sentences(12, seed=2)
STACKED = [
    "bert", "distilbert", "xlm-roberta", "rembert", "roformer", "modernbert", "eurobert", "xmod",
    "electra",
]  # fmt: skip
ALONE = ["deberta-v2", "mt5"]
WINDOWS = [None, "0-1", "2-3"]


def models(folder: Path, task: str = "pos", *, drop: bool = False) -> list[TaskModel]:
    """Return the models of REF and two windows, by default without dropout."""
    members = [toys.model(folder, task, TRAIN) for _ in WINDOWS]
    for model, window in zip(members, WINDOWS, strict=True):
        if window is not None:
            reinitialize_(model.encoder, Window.parse(window), seed=1)
        if not drop:
            without_dropout(model)
    return members


def without_dropout(model: TaskModel) -> None:
    """Set the dropout of modules, and the rates that eager and fused attention read, to 0."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        for name in ("dropout", "dropout_prob", "attention_dropout", "dropout_p"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, 0.0)


DATA = TrainingData(TRAIN, DEV)


def learn(
    stack: StackedModel, folder: Path, task: str, seed: int = 1, **options: object
) -> list[TrainingHistory]:
    """Fine-tune in lockstep, for 50 steps or more.

    The learning rate of the head is low, because the arc scores of the parser share a bias whose
    gradient is zero up to rounding errors, and Adam scales these up to steps of full size.
    """
    rates = {"learning_rate": 1e-4, "head_learning_rate": 2e-4}
    settings = {"epochs": 2, "tokens_per_batch": 64, **rates, **options}
    encoded = toys.encoded_task(folder, task, TRAIN, **settings)  # type: ignore[arg-type]
    return fine_tune_stacked(stack, encoded, DATA, seed=seed)


def scores(stack: StackedModel, folder: Path, task: str) -> list[dict[str, float]]:
    encoded = toys.encoded_task(folder, task, TRAIN)
    predictions = predict_stacked(stack, range(len(stack)), encoded, {"dev": DEV})
    return [TASKS[task].score(DEV, member["dev"].sentences) for member in predictions]


def farthest(first: nn.Module, second: nn.Module) -> float:
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    return max((a - b).abs().max().item() for a, b in pairs)


@pytest.mark.parametrize(
    ("family", "task"),
    [(f, "pos") for f in STACKED] + [(f, t) for f in STACKED[:3] for t in ("parsing", "ner")],
)
def test_stacked_models_learn_the_same_as_separate_models(
    encoder_folders: Folders, family: str, task: str
) -> None:
    """At least fifty steps in single precision; weights within 1e-4, scores within 1e-6."""
    folder = encoder_folders(family)
    separate_models, stacked_models = models(folder, task), models(folder, task)
    expected = [learn(StackedModel([model]), folder, task)[0] for model in separate_models]
    stack = StackedModel(stacked_models)
    for separate, stacked in zip(expected, learn(stack, folder, task), strict=True):
        assert stacked.epochs[-1].steps >= 50
        for a, b in zip(separate.epochs, stacked.epochs, strict=True):
            assert b.loss == pytest.approx(a.loss, abs=1e-4)
            assert b.dev_score == pytest.approx(a.dev_score, abs=1e-6)
    for a, b in zip(separate_models, stacked_models, strict=True):
        assert farthest(a, b) < 1e-4
    for stacked_scores, model in zip(scores(stack, folder, task), separate_models, strict=True):
        (separate_scores,) = scores(StackedModel([model]), folder, task)
        assert stacked_scores == pytest.approx(separate_scores, abs=1e-6)


@pytest.mark.parametrize("family", ["bert", "modernbert", "electra"])
def test_stacked_models_share_the_dropout_masks_of_a_separate_model(
    encoder_folders: Folders, family: str
) -> None:
    """On the CPU, masks are those of a separate run, also in attention."""
    folder = encoder_folders(family)
    separate_models, stacked_models = (models(folder, "parsing", drop=True) for _ in range(2))
    expected = [learn(StackedModel([model]), folder, "parsing")[0] for model in separate_models]
    histories = learn(StackedModel(stacked_models), folder, "parsing")
    for separate, stacked in zip(expected, histories, strict=True):
        assert stacked.epochs[0].loss == pytest.approx(separate.epochs[0].loss, rel=1e-5)
    without = learn(StackedModel(models(folder, "parsing")), folder, "parsing")
    assert [history.epochs[0].loss for history in without] != pytest.approx(
        [history.epochs[0].loss for history in histories], rel=1e-3
    )


@pytest.mark.slow
def test_losses_with_separate_dropout_masks_have_the_distribution_of_separate_runs(
    encoder_folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU, where every model has masks of its own: twenty seeds, Kolmogorov-Smirnov."""
    monkeypatch.setattr(stack_module, "SharedDropout", lambda models: nullcontext())
    folder, apart, together = encoder_folders("bert"), list[float](), list[float]()
    for seed in range(20):
        alone = [
            learn(StackedModel([m]), folder, "pos", seed)[0] for m in models(folder, drop=True)
        ]
        stacked = learn(StackedModel(models(folder, drop=True)), folder, "pos", seed)
        apart += [history.epochs[-1].loss for history in alone]
        together += [history.epochs[-1].loss for history in stacked]
    differences = [a - b for a, b in zip(apart, together, strict=True)]
    assert max(map(abs, differences)) > 1e-4, "the masks were the same"
    assert ks_2samp(apart, together).pvalue > 0.05
    assert ttest_1samp(differences, 0).pvalue > 0.01


def test_members_share_the_weights_of_the_stack(
    encoder_folders: Folders,
) -> None:
    folder = encoder_folders("bert")
    stack = StackedModel(models(folder))
    learn(stack, folder, "pos")
    encoded = toys.encoded_task(folder, "pos", TRAIN)
    batch = encoded.collate(encoded.encode(TRAIN)[:5])
    stack.model.eval()
    with torch.no_grad():
        for member, output in zip(stack.members, stack(batch), strict=True):
            torch.testing.assert_close(member.eval()(batch), output)
    assert farthest(stack.members[0], stack.members[1]) > 0.01


def test_a_model_that_diverges_does_not_change_the_others(
    encoder_folders: Folders,
) -> None:
    folder = encoder_folders("bert")
    well, ill = models(folder, "parsing"), models(folder, "parsing")
    with torch.no_grad():
        ill[1].head.arc.weight.fill_(torch.nan)
    stack = StackedModel(well)
    expected = learn(stack, folder, "parsing")
    broken = StackedModel(models(folder, "parsing"))
    with torch.no_grad():
        broken.members[1].head.arc.weight.fill_(torch.nan)
    histories = learn(broken, folder, "parsing")
    assert isinstance(histories[1].error, DivergedError)
    assert str(histories[1].error).startswith("the loss is nan at step 1 of ")
    assert histories[1].epochs == []
    assert (histories[0], histories[2]) == (expected[0], expected[2])
    with torch.no_grad():
        broken = StackedModel(models(folder, "parsing"))
        for member in broken.members:
            member.head.arc.weight.fill_(torch.nan)
    assert all(history.error is not None for history in learn(broken, folder, "parsing"))


@pytest.mark.parametrize("family", ALONE)
def test_encoders_that_cannot_be_stacked_are_refused_unchanged(
    encoder_folders: Folders, family: str
) -> None:
    folder = encoder_folders(family)
    refused, unchanged = models(folder), models(folder)
    with pytest.raises(StackingError, match=r"^\w+ cannot be stacked: \w+ .*"):
        StackedModel(refused)
    assert [farthest(*pair) for pair in zip(refused, unchanged, strict=True)] == [0, 0, 0]
    assert learn(StackedModel(refused[:1]), folder, "pos")[0].error is None


def test_verification_restores_the_weights(encoder_folders: Folders) -> None:
    verified, unchanged = models(encoder_folders("bert")), models(encoder_folders("bert"))
    StackedModel(verified)
    assert [farthest(*pair) for pair in zip(verified, unchanged, strict=True)] == [0, 0, 0]


def test_verification_finds_a_stack_that_mixes_up_its_models(
    encoder_folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it happens: also in weights that are the same in all models to begin with."""
    forward = folded.StackedNorm.forward

    def mixed(self: folded.StackedNorm, x: Tensor) -> Tensor:
        return forward(self, x.roll(1, dims=0))

    monkeypatch.setattr(folded.StackedNorm, "forward", mixed)
    with pytest.raises(StackingError, match="an output changes when the model is stacked"):
        StackedModel([toys.model(encoder_folders("bert"), "pos", TRAIN) for _ in range(3)])


@pytest.mark.parametrize("count", [2, 35])
def test_many_models_fit_into_a_stack(encoder_folders: Folders, count: int) -> None:
    """For any number of models, verification needs no longer input than the encoder accepts."""
    model = toys.model(encoder_folders("xlm-roberta"), "pos", TRAIN)
    assert len(StackedModel([deepcopy(model) for _ in range(count)])) == count


def test_a_stack_is_freed_without_garbage_collection(encoder_folders: Folders) -> None:
    """A GPU may be full before the garbage collector runs."""
    stack = StackedModel(models(encoder_folders("bert")))
    weight = weakref.ref(next(iter(stack.model.parameters())))
    gc.collect()
    gc.disable()
    try:
        del stack
        assert weight() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("padding", [None, 0, 170])
def test_encoders_with_any_padding_id_can_be_stacked(
    encoder_folders: Folders, padding: int | None
) -> None:
    model = toys.model(encoder_folders("bert"), "pos", TRAIN)
    table = model.encoder.get_input_embeddings()
    table.padding_idx = padding
    assert learn(StackedModel([model]), encoder_folders("bert"), "pos")[0].error is None
    assert table.padding_idx == padding


def test_causal_attention_stays_causal_under_dropout() -> None:
    torch.manual_seed(1)
    query, key, value = torch.randn(3, 4, 2, 6, 8)
    attend = torch.nn.functional.scaled_dot_product_attention
    with SharedDropout(2):
        attended = attend(query, key, value, dropout_p=1e-9, is_causal=True)
    torch.testing.assert_close(attended, attend(query, key, value, is_causal=True))


def test_tensors_that_all_models_share_have_one_dropout_mask() -> None:
    """Examples are the position embeddings, (1, subwords, hidden), and non-contiguous tensors."""
    once, apart = torch.ones(1, 50, 8), torch.ones(8, 50, 4).transpose(0, 2)
    with SharedDropout(3):
        dropped = torch.nn.functional.dropout(once, 0.5)
    assert set(dropped.flatten().tolist()) == {0.0, 2.0}
    with SharedDropout(2):
        first, second = torch.nn.functional.dropout(apart, 0.5).chunk(2)
    assert torch.equal(first, second)
    assert set(first.flatten().tolist()) == {0.0, 2.0}


def test_models_of_different_shapes_are_refused(encoder_folders: Folders) -> None:
    tagger = toys.model(encoder_folders("bert"), "pos", TRAIN)
    recogniser = toys.model(encoder_folders("bert"), "ner", TRAIN)
    with pytest.raises(
        StackingError, match="BertModel cannot be stacked: Linear has different shapes"
    ):
        StackedModel([tagger, recogniser])


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("family", ["bert", "xlm-roberta", "mt5", "electra"])
def test_rows_that_are_not_trained_are_decayed(
    encoder_folders: Folders, family: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training only the rows that are read gives what training all of them gives."""
    if family in ALONE and size > 1:
        pytest.skip("cannot be stacked")
    folder = encoder_folders(family)
    cut, whole = (StackedModel(models(folder)[:size]) for _ in range(2))
    before = cut.members[0].encoder.get_input_embeddings().weight.detach().clone()
    trained: list[int] = []
    original = loop.make_optimizer

    def watched(stack: StackedModel, options: TrainingConfig) -> torch.optim.Optimizer:
        trained.append(stack.encoder.get_input_embeddings().weight.shape[-2])
        return original(stack, options)

    monkeypatch.setattr(loop, "make_optimizer", watched)
    trimmed_histories = learn(cut, folder, "pos", weight_decay=0.5)
    monkeypatch.setattr(vocabulary, "is_untied", lambda model, weight: False)
    expected = learn(whole, folder, "pos", weight_decay=0.5)
    assert trained[0] < trained[1] == len(before) or family == "mt5"
    for trimmed, untrimmed in zip(trimmed_histories, expected, strict=True):
        assert [epoch.loss for epoch in trimmed.epochs] == pytest.approx(
            [epoch.loss for epoch in untrimmed.epochs]
        )
    for trimmed, untrimmed in zip(cut.members, whole.members, strict=True):
        assert farthest(trimmed, untrimmed) < 1e-5
        after = trimmed.encoder.get_input_embeddings().weight
        assert after.shape == before.shape
        assert not torch.isclose(after, before).all(dim=1).any(), "each row decayed"
