"""Batches: what is planned, what stands where; against loops that take no short cut."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from alignscope.config.run import Pooling
from alignscope.encoders.batching import Batch, EncodedSentence, bucket_by_length, collate
from alignscope.encoders.tokenization import TokenizedSentence

PAD = 9


@st.composite
def example(draw: st.DrawFn) -> EncodedSentence:
    """Words of one to four pieces in chunks of at most eight, between special tokens 1 and 2."""
    chunks, spans = [[1]], []
    for size in draw(st.lists(st.integers(1, 4), min_size=1, max_size=8)):
        if len(chunks[-1]) + size > 7:
            chunks.append([1])
        spans.append((len(chunks) - 1, len(chunks[-1]), len(chunks[-1]) + size))
        chunks[-1] += draw(st.lists(st.integers(10, 99), min_size=size, max_size=size))
    whole = tuple((*chunk, 2) for chunk in chunks)
    gold = draw(st.lists(st.integers(0, 5), min_size=len(spans), max_size=len(spans)))
    return EncodedSentence(TokenizedSentence(whole, tuple(spans), cut=0, unknown=0), {"upos": gold})


@given(st.lists(example(), min_size=1, max_size=20), st.integers(0, 1000))
def test_a_planned_batch_is_about_as_large_as_its_budget(
    examples: list[EncodedSentence], seed: int
) -> None:
    draw = torch.Generator().manual_seed(seed)
    for group in bucket_by_length([one.cost for one in examples], 32, draw):
        chosen = [examples[i] for i in group]
        size = collate(chosen, PAD, "mean").ids.numel()
        windowed = any(one.pieces.windowed for one in chosen)
        # Chunks of windowed sentences may be shorter than the longest input, but not half as long.
        assert len(group) == 1 or size <= (64 if windowed else 32)


@pytest.mark.parametrize("pooling", ["first", "mean"])
@given(
    examples=st.lists(example(), min_size=1, max_size=5),
    length=st.integers(0, 12),
    words=st.integers(0, 12),
)
@settings(deadline=None)
def test_every_tensor_of_a_batch(
    pooling: Pooling, examples: list[EncodedSentence], length: int, words: int
) -> None:
    batch = collate(examples, PAD, pooling, length=length, words=words)
    chunks = [chunk for one in examples for chunk in one.pieces.chunks]
    _check_rows(batch, chunks, max(length, *map(len, chunks)))
    _check_words(batch, examples, max(words, *(len(one.pieces.spans) for one in examples)))
    assert _owned(batch) == _expected(examples, batch.mask.shape[1], pooling)


def _check_rows(batch: Batch, chunks: list[tuple[int, ...]], length: int) -> None:
    assert batch.ids.shape == batch.attention_mask.shape == (len(chunks), length)
    for ids, present, chunk in zip(batch.ids, batch.attention_mask, chunks, strict=True):
        assert tuple(ids[present.bool()].tolist()) == chunk == tuple(ids[: len(chunk)].tolist())
        assert set(ids[len(chunk) :].tolist()) <= {PAD}


def _check_words(batch: Batch, examples: list[EncodedSentence], words: int) -> None:
    assert batch.mask.shape == batch.gold["upos"].shape == (len(examples), words)
    for mask, gold, one in zip(batch.mask, batch.gold["upos"], examples, strict=True):
        count = len(one.pieces.spans)
        assert mask.tolist() == [True] * count + [False] * (words - count)
        assert gold.tolist() == [*one.gold["upos"], *[0] * (words - count)]


def _owned(batch: Batch) -> dict[int, list[int]]:
    """The ids of the pieces of each word of the flattened batch."""
    found: dict[int, list[int]] = {}
    for owner, position in zip(
        batch.word_index.tolist(), batch.subword_index.tolist(), strict=True
    ):
        found.setdefault(owner, []).append(int(batch.ids.flatten()[position]))
    return found


def _expected(
    examples: list[EncodedSentence], words: int, pooling: Pooling
) -> dict[int, list[int]]:
    found = {}
    for number, one in enumerate(examples):
        for word, (chunk, first, last) in enumerate(one.pieces.spans):
            pieces = one.pieces.chunks[chunk][first:last]
            found[number * words + word] = list(pieces[:1] if pooling == "first" else pieces)
    return found


@given(example())
def test_moving_a_batch_moves_all_of_it(one: EncodedSentence) -> None:
    batch = collate([one], PAD, "mean").to(torch.device("meta"))
    tensors = [batch.ids, batch.attention_mask, batch.subword_index, batch.word_index, batch.mask]
    assert {tensor.device.type for tensor in (*tensors, *batch.gold.values())} == {"meta"}


def test_an_example_costs_all_its_chunks_padded_to_the_longest() -> None:
    pieces = TokenizedSentence(
        ((1, 5, 5, 2), (1, 5, 5, 5, 2)), ((0, 1, 3), (1, 1, 4)), cut=0, unknown=0
    )
    assert EncodedSentence(pieces, {}).cost == 10
