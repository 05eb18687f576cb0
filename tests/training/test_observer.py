"""Looking at targets after every epoch changes nothing, and sees the models as they will be."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn

from alignscope.config.windows import Window
from alignscope.data.sentence import Sentence
from alignscope.encoders.reinitialize import reinitialize_
from alignscope.training import trimmed_embeddings
from alignscope.training.encoded_task import EncodedTask
from alignscope.training.finetune import AfterEpoch, Observer, TrainingData, fine_tune_stacked
from alignscope.training.loop import TrainingHistory
from alignscope.training.predict import predict_stacked
from alignscope.training.stacked.stack import StackedModel
from tests.helpers import toys

Folders = Callable[[str], Path]
TRAIN, DEV = (
    [sentence for sentence in toys.sentences(count, seed) if "sees" not in sentence.words]
    for count, seed in ((60, 1), (20, 2))
)
DATA = TrainingData(TRAIN, DEV)
TARGET = toys.sentences(12, seed=3)
"""These have a subword that neither train nor dev has."""
WINDOWS = {1: [None], 3: [None, "0-1", "2-3"]}
FAST = {"epochs": 4, "learning_rate": 3e-3, "head_learning_rate": 3e-3, "weight_decay": 0.3}


def outputs(stack: StackedModel, encoded: EncodedTask, gold: Sequence[Sentence]) -> list[Tensor]:
    """Return the scores that every model gives to the labels of sentences."""
    stack.model.eval()
    with torch.inference_mode():
        return [output.clone() for output in stack(encoded.collate(encoded.encode(gold)))]


@dataclass
class Trained:
    """A stack after its fine-tuning, and the batches and random states on the way."""

    stack: StackedModel
    encoded: EncodedTask
    histories: list[TrainingHistory] = field(default_factory=list)
    batches: list[Tensor] = field(default_factory=list)
    states: list[Tensor] = field(default_factory=list)
    dropped: list[Tensor] = field(default_factory=list)

    def before(self, module: nn.Module, args: Any, named: dict[str, Tensor]) -> None:
        if module.training:
            self.batches.append(named["input_ids"].clone())
            self.states.append(torch.get_rng_state())

    def after(self, module: nn.Module, given: tuple[Tensor], output: Tensor) -> None:
        if module.training:
            self.dropped.append((output == 0) & (given[0] != 0))

    @property
    def weights(self) -> list[Tensor]:
        return [value for member in self.stack.members for value in member.state_dict().values()]


def train(
    folder: Path,
    count: int,
    look: Callable[[StackedModel, EncodedTask], AfterEpoch] | None = None,
) -> Trained:
    """Fine-tune a stack of models, with or without somebody who looks at it after every epoch."""
    members = [toys.model(folder, "pos", [*TRAIN, *TARGET]) for _ in WINDOWS[count]]
    for model, window in zip(members, WINDOWS[count], strict=True):
        if window is not None:
            reinitialize_(model.encoder, Window.parse(window), seed=1)
    stack = StackedModel(members)
    encoded = toys.encoded_task(folder, "pos", [*TRAIN, *TARGET], **FAST)  # type: ignore[arg-type]
    trained = Trained(stack, encoded)
    stack.encoder.register_forward_pre_hook(trained.before, with_kwargs=True)
    for module in stack.model.modules():
        if isinstance(module, nn.Dropout):
            module.register_forward_hook(trained.after)
    observer = Observer(epoch=None if look is None else look(stack, encoded))
    trained.histories = fine_tune_stacked(stack, encoded, DATA, seed=1, observer=observer)
    return trained


def test_the_target_has_a_subword_that_training_never_reads(encoder_folders: Folders) -> None:
    tokenizer = toys.subwords(encoder_folders("bert"))
    read, needed = (
        {id for part in tokenizer.split(gold) for chunk in part.chunks for id in chunk}
        for gold in ([*TRAIN, *DEV], TARGET)
    )
    assert needed - read


@pytest.mark.parametrize("family", ["bert", "modernbert", "xmod", "eurobert"])
@pytest.mark.parametrize("count", [1, 3])
def test_evaluating_targets_after_every_epoch_changes_no_bit(
    encoder_folders: Folders, family: str, count: int
) -> None:
    """Weights, batches, random states, dropout, losses and the chosen epochs stay the same."""
    seen = []

    def look(stack: StackedModel, encoded: EncodedTask) -> AfterEpoch:
        def evaluate(alive: Sequence[int]) -> None:
            torch.rand(13)
            seen.append(alive)
            predict_stacked(stack, alive, encoded, {"target": TARGET})

        return evaluate

    alone, watched = (train(encoder_folders(family), count, look_) for look_ in (None, look))
    assert seen == [tuple(range(count))] * 4
    assert alone.histories == watched.histories
    assert [one.best for one in alone.histories] == [one.best for one in watched.histories]
    for name in ("batches", "states", "dropped", "weights"):
        first, second = getattr(alone, name), getattr(watched, name)
        assert len(first) == len(second) > 4
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("family", ["bert", "modernbert", "xmod", "eurobert", "deberta-v2"])
@pytest.mark.parametrize("count", [1, 3])
def test_the_best_epoch_is_seen_bit_for_bit_as_it_is_restored(
    encoder_folders: Folders, family: str, count: int
) -> None:
    """So the evaluation after that epoch is the final one, for every subword."""
    if family == "deberta-v2" and count > 1:
        pytest.skip("DeBERTa cannot be stacked")
    seen: list[list[Tensor]] = []

    def look(stack: StackedModel, encoded: EncodedTask) -> AfterEpoch:
        return lambda alive: seen.append(outputs(stack, encoded, TARGET))

    trained = train(encoder_folders(family), count, look)
    final = outputs(trained.stack, trained.encoded, TARGET)
    for member, history in enumerate(trained.histories):
        assert torch.equal(seen[history.best - 1][member], final[member])
        others = [epoch[member] for n, epoch in enumerate(seen, start=1) if n != history.best]
        assert not any(torch.equal(other, final[member]) for other in others)


def test_subwords_that_training_does_not_read_have_decayed(
    encoder_folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows put together when they are read are those of a table that was trained whole."""
    seen: list[list[Tensor]] = []

    def look(stack: StackedModel, encoded: EncodedTask) -> AfterEpoch:
        return lambda alive: seen.append(outputs(stack, encoded, TARGET))

    train(encoder_folders("bert"), 1, look)
    monkeypatch.setattr(trimmed_embeddings, "is_untied", lambda model, weight: False)
    train(encoder_folders("bert"), 1, look)
    for trimmed, whole in zip(seen[:4], seen[4:], strict=True):
        assert torch.allclose(trimmed[0], whole[0], rtol=1e-3, atol=1e-4)


def test_an_error_while_looking_leaves_the_trimmed_table_usable(encoder_folders: Folders) -> None:
    stack = StackedModel([toys.model(encoder_folders("bert"), "pos", TRAIN)])
    encoded = toys.encoded_task(encoder_folders("bert"), "pos", TRAIN)
    batch = encoded.collate(encoded.encode(TRAIN))
    ids = {int(id) for id in batch.ids.flatten()}
    trimmed = trimmed_embeddings.TrimmedEmbedding(stack, ids)
    before, table = outputs(stack, encoded, TRAIN), trimmed.table.weight

    def fail_after_reading() -> None:
        outputs(stack, encoded, TARGET)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), trimmed.reading_all(0.5):
        fail_after_reading()
    assert trimmed.table.weight is table
    assert torch.equal(outputs(stack, encoded, TRAIN)[0], before[0])
    with pytest.raises(IndexError):
        outputs(stack, encoded, TARGET)


def test_an_observer_can_return_nothing() -> None:
    """A callback after an epoch gets positions of models alone, and its answer is ignored."""
    assert get_args(AfterEpoch)[-1] is None
    assert list(inspect.signature(fine_tune_stacked).parameters) == [
        "stack", "encoded", "data", "seed", "observer"
    ]  # fmt: skip
