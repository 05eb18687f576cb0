"""One vector per word: whatever stands beside it in the batch."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from alignscope.config.run import Pooling
from alignscope.encoders.batching import EncodedSentence, collate
from alignscope.encoders.load import load_model
from alignscope.encoders.tokenization import WordTokenizer
from alignscope.tasks import TASKS
from alignscope.training.model import TaskModel, build_model
from tests.helpers import toys

Folders = Callable[[str], Path]
GOLD = toys.sentences(6, most=7)


def examples(subwords: WordTokenizer, task: str = "pos") -> list[EncodedSentence]:
    labels = TASKS[task].labels(GOLD)
    return [
        EncodedSentence(pieces, TASKS[task].encode(sentence, labels))
        for sentence, pieces in zip(GOLD, subwords.split(GOLD), strict=True)
    ]


def tensors(output: Any) -> Sequence[Tensor]:
    return (output,) if isinstance(output, Tensor) else output


def crop(tensor: Tensor, like: Tensor) -> Tensor:
    return tensor[tuple(slice(size) for size in like.shape)]


@torch.no_grad()
def brute_force(model: TaskModel, example: EncodedSentence, pooling: Pooling) -> list[Tensor]:
    """Encode each chunk alone, without padding, and average in a loop."""
    vectors = []
    for chunk, first, last in example.subwords.spans:
        ids = torch.tensor([example.subwords.chunks[chunk]])
        hidden = model.encoder(input_ids=ids).last_hidden_state[0]
        vectors.append(hidden[first] if pooling == "first" else hidden[first:last].mean(0))
    return vectors


@pytest.mark.parametrize("pooling", ["first", "mean"])
def test_word_vectors_equal_those_of_separately_encoded_chunks(
    encoder_folder: Path, pooling: Pooling
) -> None:
    model = toys.model(encoder_folder, "pos", GOLD).eval()
    split = examples(toys.subwords(encoder_folder, max_length=10))
    assert sum(example.subwords.is_split for example in split) >= 3
    batch = collate(split, 0, pooling)
    with torch.no_grad():
        vectors = model.words(batch)
    for row, mask, example in zip(vectors, batch.mask, split, strict=True):
        expected = torch.stack(brute_force(model, example, pooling))
        torch.testing.assert_close(row[mask], expected, atol=1e-5, rtol=0)
        assert not row[~mask].any()


def test_special_tokens_are_not_in_the_mean(encoder_folders: Folders) -> None:
    model = toys.model(encoder_folders("bert"), "pos", GOLD).eval()
    batch = collate(examples(toys.subwords(encoder_folders("bert"))), 0, "mean")
    used = batch.ids.flatten()[batch.subword_index]
    assert not torch.isin(used, torch.tensor([0, 2, 3])).any()
    marked = torch.zeros_like(batch.ids, dtype=torch.float)
    marked[(batch.ids == 2) | (batch.ids == 3)] = torch.nan

    def spoil(_: object, __: object, output: Any) -> Any:
        output.last_hidden_state = output.last_hidden_state + marked[..., None]
        return output

    model.encoder.register_forward_hook(spoil)
    assert model.words(batch).isfinite().all()


@pytest.mark.parametrize("task", TASKS)
@torch.no_grad()
def test_padding_does_not_change_outputs(encoder_folder: Path, task: str) -> None:
    """Outputs are compared for every family and every head."""
    model = toys.model(encoder_folder, task, GOLD).eval()
    split = examples(toys.subwords(encoder_folder, max_length=16), task)
    tight, wide = (collate(split, 0, "mean", length=n, words=n) for n in (0, 37))
    assert wide.ids.shape[1] == wide.mask.shape[1] == 37
    outputs = zip(tensors(model(tight)), tensors(model(wide)), strict=True)
    for unpadded, padded in outputs:
        is_score = unpadded > torch.finfo(unpadded.dtype).min
        torch.testing.assert_close(
            crop(padded, unpadded)[is_score], unpadded[is_score], atol=1e-5, rtol=0
        )
    losses = [TASKS[task].loss(model(batch), batch.gold, batch.mask) for batch in (tight, wide)]
    torch.testing.assert_close(losses[0], losses[1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("task", TASKS)
@torch.no_grad()
def test_other_sentences_of_a_batch_do_not_change_outputs(encoder_folder: Path, task: str) -> None:
    model = toys.model(encoder_folder, task, GOLD).eval()
    split = examples(toys.subwords(encoder_folder, max_length=16), task)
    batched_outputs = tensors(model(collate(split, 0, "first")))
    for row, example in enumerate(split):
        separate_outputs = tensors(model(collate([example], 0, "first")))
        for separate, batched in zip(separate_outputs, batched_outputs, strict=True):
            is_score = separate[0] > torch.finfo(separate.dtype).min
            cropped = crop(batched[row], separate[0])
            torch.testing.assert_close(cropped[is_score], separate[0][is_score], atol=1e-5, rtol=0)


@pytest.mark.parametrize("task", TASKS)
def test_the_weights_of_a_head_depend_on_the_seed_alone(
    encoder_folders: Folders, task: str
) -> None:
    def head(seed: int, noise: int) -> dict[str, Tensor]:
        torch.manual_seed(noise)
        return toys.model(encoder_folders("bert"), task, GOLD, seed).head.state_dict()

    first, same_seed, other_seed = head(1, noise=5), head(1, noise=6), head(2, noise=5)
    assert all(torch.equal(first[name], same_seed[name]) for name in first)
    assert not all(torch.equal(first[name], other_seed[name]) for name in first)


def test_building_a_model_leaves_the_random_state_and_the_encoder_unchanged(
    encoder_folders: Folders,
) -> None:
    encoder = load_model(str(encoder_folders("bert")))
    weights = {name: value.clone() for name, value in encoder.state_dict().items()}
    before = torch.get_rng_state()
    build_model(encoder, TASKS["parsing"], TASKS["parsing"].labels(GOLD), seed=1)
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(weights[name], value) for name, value in encoder.state_dict().items())


def test_a_forward_pass_leaves_no_state_in_the_model(encoder_folders: Folders) -> None:
    """Runs that differ in seed and window can be stacked only if models have no state."""
    model = toys.model(encoder_folders("bert"), "pos", GOLD).eval()
    before = set(vars(model)), {name: id(value) for name, value in vars(model.head).items()}
    model(collate(examples(toys.subwords(encoder_folders("bert"))), 0, "first"))
    assert before == (
        set(vars(model)),
        {name: id(value) for name, value in vars(model.head).items()},
    )
