"""What every task promises: a new entry in ``TASKS`` is tested here without being told."""

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, stack_module_state, vmap

from alignscope.data.sentence import Sentence
from alignscope.errors import DataError
from alignscope.tasks import TASKS, Task

HIDDEN = 32

pytestmark = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())


class Batch:
    """Gold sentences as a trainer would hand them over, with random word vectors."""

    def __init__(self, task: Task, sentences: Sequence[Sentence], padding: int = 0) -> None:
        self.sentences = sentences
        self.labels = task.labels(sentences)
        self.lengths = [len(sentence) for sentence in sentences]
        shape = (len(sentences), max(self.lengths) + padding)
        self.mask = torch.arange(shape[1]) < torch.tensor(self.lengths)[:, None]
        # In the padding stand large numbers: whoever looks at them is found out.
        self.vectors = torch.full((*shape, HIDDEN), 100.0)
        for row, sentence in enumerate(sentences):
            for column, word in enumerate(sentence.words):
                self.vectors[row, column] = vector(word)
        encoded = [task.encode(sentence, self.labels) for sentence in sentences]
        self.gold = {name: self._pad([one[name] for one in encoded]) for name in encoded[0]}

    def only(self, row: int) -> "Batch":
        """Return one sentence of the batch, without padding."""
        one, length = copy(self), self.lengths[row]
        one.sentences, one.lengths = [self.sentences[row]], [length]
        one.vectors = self.vectors[row : row + 1, :length]
        one.mask = self.mask[row : row + 1, :length]
        return one

    def _pad(self, rows: list[list[int]]) -> Tensor:
        width = self.mask.shape[1]
        return torch.tensor([row + [0] * (width - len(row)) for row in rows])


def vector(word: str) -> Tensor:
    """Return a random vector, always the same for the same word."""
    seed = int.from_bytes(word.encode(), "big") % 2**31
    return torch.randn(HIDDEN, generator=torch.Generator().manual_seed(seed))


def new_head(task: Task, labels: Sequence[str], seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return task.head(HIDDEN, labels).eval()


def predict(task: Task, head: nn.Module, batch: Batch, labels: Sequence[str]) -> list[Sentence]:
    with torch.no_grad():
        output = head(batch.vectors, batch.mask)
    annotations = task.decode(output, batch.lengths, labels)
    assert len(annotations) == len(batch.sentences)
    bare = [Sentence(words=sentence.words) for sentence in batch.sentences]
    return [replace(one, **new) for one, new in zip(bare, annotations, strict=True)]


def tensors(output: Any) -> tuple[Tensor, ...]:
    return (output,) if isinstance(output, Tensor) else tuple(output)


def test_the_name_is_the_key(task: Task) -> None:
    assert TASKS[task.name] is task


def test_labels_are_sorted_and_do_not_depend_on_the_order(task: Task, gold: list[Sentence]) -> None:
    labels = task.labels(gold)
    assert labels == tuple(sorted(set(labels))) == task.labels(gold[::-1])
    assert len(labels) > 1


def test_labels_need_annotated_words(task: Task, gold: list[Sentence]) -> None:
    with pytest.raises(DataError, match="found not one"):
        task.labels([])
    with pytest.raises(DataError, match=f"has no ({'|'.join(task.needs)})"):
        task.encode(replace(gold[0], **dict.fromkeys(task.needs)), task.labels(gold))


def test_encode_gives_one_class_per_word(task: Task, gold: list[Sentence]) -> None:
    labels = task.labels(gold)
    for sentence in gold:
        for values in task.encode(sentence, labels).values():
            assert len(values) == len(sentence)
            assert min(values) >= 0


def test_the_output_has_a_row_per_sentence_and_no_gaps(task: Task, gold: list[Sentence]) -> None:
    batch = Batch(task, gold)
    for tensor in tensors(new_head(task, batch.labels)(batch.vectors, batch.mask)):
        assert tensor.shape[0] == len(gold)
        assert tensor.isfinite().all()


def test_over_fitting_reaches_a_perfect_score(task: Task, gold: list[Sentence]) -> None:
    batch = Batch(task, gold)
    head = new_head(task, batch.labels)
    before = predict(task, head, batch, batch.labels)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.02)
    losses = []
    for _ in range(60):
        loss = task.loss(head(batch.vectors, batch.mask), batch.gold, batch.mask)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < 0.1 * losses[0] < float("inf")
    after = predict(task, head, batch, batch.labels)
    assert task.score(gold, after)[task.metrics[0]] > 0.99
    assert task.score(gold, before)[task.metrics[0]] < 0.9


def test_the_gradient_reaches_every_parameter(task: Task, gold: list[Sentence]) -> None:
    batch = Batch(task, gold)
    head = new_head(task, batch.labels).train()
    task.loss(head(batch.vectors, batch.mask), batch.gold, batch.mask).backward()
    for name, parameter in head.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_gold_scores_one(task: Task, gold: list[Sentence]) -> None:
    assert task.score(gold, gold) == dict.fromkeys(task.metrics, 1.0)


def test_predictions_can_be_gold(task: Task, gold: list[Sentence]) -> None:
    batch = Batch(task, gold)
    predicted = predict(task, new_head(task, batch.labels), batch, batch.labels)
    assert task.score(predicted, predicted)[task.metrics[0]] in (0.0, 1.0)
    for sentence in predicted:
        encoded = task.encode(sentence, batch.labels)
        assert all(number >= 0 for values in encoded.values() for number in values)


@pytest.mark.parametrize("padding", [1, 30])
def test_padding_changes_nothing(task: Task, gold: list[Sentence], padding: int) -> None:
    batch, padded = Batch(task, gold), Batch(task, gold, padding)
    head = new_head(task, batch.labels)
    losses = [task.loss(head(one.vectors, one.mask), one.gold, one.mask) for one in (batch, padded)]
    assert losses[1].item() == pytest.approx(losses[0].item(), abs=1e-6)
    assert predict(task, head, padded, batch.labels) == predict(task, head, batch, batch.labels)


def test_a_batch_of_one_is_a_batch_of_many(task: Task, gold: list[Sentence]) -> None:
    batch = Batch(task, gold)
    head = new_head(task, batch.labels)
    alone = [predict(task, head, batch.only(row), batch.labels)[0] for row in range(len(gold))]
    assert alone == predict(task, head, batch, batch.labels)


def test_the_loss_is_a_mean_over_words(task: Task, gold: list[Sentence]) -> None:
    whole = Batch(task, gold)
    head = new_head(task, whole.labels)
    output = head(whole.vectors, whole.mask)
    total = 0.0
    for row, length in enumerate(whole.lengths):
        mask = torch.zeros_like(whole.mask)
        mask[row] = whole.mask[row]
        total += task.loss(output, whole.gold, mask).item() * length
    mean = task.loss(output, whole.gold, whole.mask).item()
    assert mean == pytest.approx(total / sum(whole.lengths), rel=1e-5)


def test_stacked_heads_are_the_heads_one_by_one(task: Task, gold: list[Sentence]) -> None:
    """Runs that differ in window and seed will be trained as one stacked model."""
    batch = Batch(task, gold)
    heads = [new_head(task, batch.labels, seed) for seed in (1, 2)]

    def loss(parameters: dict[str, Tensor], vectors: Tensor) -> Tensor:
        output = functional_call(heads[0], parameters, (vectors, batch.mask))
        return task.loss(output, batch.gold, batch.mask)

    stacked, _ = stack_module_state(heads)
    vectors = torch.stack((batch.vectors, batch.vectors.flip(-1)))
    together = vmap(grad(loss))(stacked, vectors)
    for run, head in enumerate(heads):
        alone = grad(loss)(dict(head.named_parameters()), vectors[run])
        for name, gradient in alone.items():
            torch.testing.assert_close(together[name][run], gradient)


def test_seeded_heads_are_equal(task: Task, gold: list[Sentence]) -> None:
    labels = task.labels(gold)
    one, same, other = (new_head(task, labels, seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not any(torch.equal(one[name], other[name]) for name in one)


def test_the_majority_baseline_predicts_valid_sentences(task: Task, gold: list[Sentence]) -> None:
    predictor = task.majority(gold)
    predicted = [predictor(Sentence(words=sentence.words)) for sentence in gold]
    labels = task.labels(gold)
    for sentence in predicted:
        encoded = task.encode(sentence, labels)
        assert all(number >= 0 for values in encoded.values() for number in values)
    scores = task.score(gold, predicted)
    assert tuple(scores) == task.metrics
    assert all(0 <= value <= 1 for value in scores.values())
    with pytest.raises(DataError):
        task.majority([])


def test_what_does_not_line_up_is_not_scored(task: Task, gold: list[Sentence]) -> None:
    with pytest.raises(ValueError, match="7 gold sentences but 6 predicted ones"):
        task.score(gold, gold[1:])
    with pytest.raises(ValueError, match=r"sentence 1 has 5 gold words .* but 1 predicted ones"):
        task.score(gold, [gold[1], *gold[1:]])
    with pytest.raises(DataError, match=f"has no ({'|'.join(task.needs)})"):
        task.score(gold, [Sentence(words=sentence.words) for sentence in gold])
