"""Batches: their size and every tensor, against plain loops."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from alignscope.config.run import Pooling
from alignscope.encoders.batching import Batch, EncodedSentence, bucket_by_length, collate
from alignscope.encoders.tokenization import TokenizedSentence

PAD = 9


@st.composite
def encoded_sentence(draw: st.DrawFn) -> EncodedSentence:
    """Draw words of 1-4 subwords in chunks of at most 8, between special tokens 1 and 2."""
    chunks, spans = [[1]], []
    for size in draw(st.lists(st.integers(1, 4), min_size=1, max_size=8)):
        if len(chunks[-1]) + size > 7:
            chunks.append([1])
        spans.append((len(chunks) - 1, len(chunks[-1]), len(chunks[-1]) + size))
        chunks[-1] += draw(st.lists(st.integers(10, 99), min_size=size, max_size=size))
    whole = tuple((*chunk, 2) for chunk in chunks)
    gold = draw(st.lists(st.integers(0, 5), min_size=len(spans), max_size=len(spans)))
    return EncodedSentence(
        TokenizedSentence(whole, tuple(spans), truncated_words=0, unknown_words=0), {"upos": gold}
    )


@given(st.lists(encoded_sentence(), min_size=1, max_size=20), st.integers(0, 1000))
def test_the_size_of_a_padded_batch_stays_near_its_budget(
    sentences: list[EncodedSentence], seed: int
) -> None:
    draw = torch.Generator().manual_seed(seed)
    for group in bucket_by_length([sentence.cost for sentence in sentences], 32, draw):
        chosen = [sentences[i] for i in group]
        size = collate(chosen, PAD, "mean").ids.numel()
        is_split = any(sentence.subwords.is_split for sentence in chosen)
        # Chunks of a split sentence may be shorter than the longest input, but not half as long.
        assert len(group) == 1 or size <= (64 if is_split else 32)


@pytest.mark.parametrize("pooling", ["first", "mean"])
@given(
    sentences=st.lists(encoded_sentence(), min_size=1, max_size=5),
    length=st.integers(0, 12),
    words=st.integers(0, 12),
)
@settings(deadline=None)
def test_every_tensor_of_a_batch_equals_that_of_plain_loops(
    pooling: Pooling, sentences: list[EncodedSentence], length: int, words: int
) -> None:
    batch = collate(sentences, PAD, pooling, length=length, words=words)
    chunks = [chunk for sentence in sentences for chunk in sentence.subwords.chunks]
    _check_rows(batch, chunks, max(length, *map(len, chunks)))
    _check_words(
        batch, sentences, max(words, *(len(sentence.subwords.spans) for sentence in sentences))
    )
    assert _ids_by_word(batch) == _expected_ids_by_word(sentences, batch.mask.shape[1], pooling)


def _check_rows(batch: Batch, chunks: list[tuple[int, ...]], length: int) -> None:
    assert batch.ids.shape == batch.attention_mask.shape == (len(chunks), length)
    for ids, attention, chunk in zip(batch.ids, batch.attention_mask, chunks, strict=True):
        assert tuple(ids[attention.bool()].tolist()) == chunk == tuple(ids[: len(chunk)].tolist())
        assert set(ids[len(chunk) :].tolist()) <= {PAD}


def _check_words(batch: Batch, sentences: list[EncodedSentence], words: int) -> None:
    assert batch.mask.shape == batch.gold["upos"].shape == (len(sentences), words)
    for mask, gold, sentence in zip(batch.mask, batch.gold["upos"], sentences, strict=True):
        count = len(sentence.subwords.spans)
        assert mask.tolist() == [True] * count + [False] * (words - count)
        assert gold.tolist() == [*sentence.gold["upos"], *[0] * (words - count)]


def _ids_by_word(batch: Batch) -> dict[int, list[int]]:
    """Return the ids of the subwords of each word of the flattened batch."""
    ids_of_words: dict[int, list[int]] = {}
    for word, position in zip(batch.word_index.tolist(), batch.subword_index.tolist(), strict=True):
        ids_of_words.setdefault(word, []).append(int(batch.ids.flatten()[position]))
    return ids_of_words


def _expected_ids_by_word(
    sentences: list[EncodedSentence], words: int, pooling: Pooling
) -> dict[int, list[int]]:
    ids_of_words = {}
    for number, sentence in enumerate(sentences):
        for word, (chunk, first, last) in enumerate(sentence.subwords.spans):
            ids = sentence.subwords.chunks[chunk][first:last]
            ids_of_words[number * words + word] = list(ids[:1] if pooling == "first" else ids)
    return ids_of_words


@given(encoded_sentence())
def test_moving_a_batch_moves_every_tensor(sentence: EncodedSentence) -> None:
    batch = collate([sentence], PAD, "mean").to(torch.device("meta"))
    tensors = [batch.ids, batch.attention_mask, batch.subword_index, batch.word_index, batch.mask]
    assert {tensor.device.type for tensor in (*tensors, *batch.gold.values())} == {"meta"}


def test_cost_counts_all_chunks_padded_to_the_longest() -> None:
    subwords = TokenizedSentence(
        ((1, 5, 5, 2), (1, 5, 5, 5, 2)), ((0, 1, 3), (1, 1, 4)), truncated_words=0, unknown_words=0
    )
    assert EncodedSentence(subwords, {}).cost == 10
