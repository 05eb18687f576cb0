"""Representations: what every layer of an encoder makes of sentences, or of words in them."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor
from transformers import PreTrainedModel

from alignscope.config.similarity import SentencePooling
from alignscope.data.sentence import Sentence
from alignscope.encoders.batching import EncodedSentence, bucket_by_length, collate
from alignscope.encoders.blocks import final_norm
from alignscope.encoders.precision import autocast
from alignscope.encoders.tokenization import TokenizedSentence, WordTokenizer
from alignscope.errors import DataError, EncoderError

Spot = tuple[int, int, float]
"""A piece of a sentence, by its chunk and its place in it, and its weight in a vector."""


def sentence_representations(
    encoder: PreTrainedModel,
    subwords: WordTokenizer,
    sentences: Sequence[Sentence],
    pooling: SentencePooling = "mean",
    *,
    batch_pieces: int | None = None,
) -> Tensor:
    """Return one vector per layer and sentence, (layers, sentences, hidden), float32 on the CPU.

    >>> sentence_representations(encoder, subwords, sentences)[0]  # layer 0: the embeddings

    ``pooling`` makes a vector of a sentence: the ``mean`` over all sub-words of its words, without
    special tokens and padding; that mean ``weighted`` by their places 1, 2, ... for causal models
    (Muennighoff 2022); or the ``first`` or ``last`` token of the input, which is a special one if
    the encoder has such. Of sentences longer than the input every chunk counts. Words are split as
    for fine-tuning. Every sentence is read once, whatever the batches; on a GPU in mixed precision.

    Raises:
        DataError: if there is no sentence, or one without words.
    """
    _refuse_nothing(sentences)
    split = subwords.split(sentences)
    spots = [[_POOLINGS[pooling](pieces)] for pieces in split]
    return _read(encoder, split, spots, subwords.pad, batch_pieces)


def word_representations(
    encoder: PreTrainedModel,
    subwords: WordTokenizer,
    sentences: Sequence[Sentence],
    words: Sequence[Sequence[int]],
    *,
    batch_pieces: int | None = None,
) -> Tensor:
    """Return one vector per layer and chosen word, (layers, words, hidden), float32 on the CPU.

    ``words`` holds, for every sentence, places of words counted from 0; a word's vector is the mean
    over its sub-words.

    Raises:
        DataError: as `sentence_representations` does, and if no word is chosen.
    """
    _refuse_nothing(sentences)
    if not any(words):
        raise DataError("there is nothing to represent: no word is chosen")
    split = subwords.split(sentences)
    spots = [
        [_mean([pieces.spans[word]]) for word in chosen]
        for pieces, chosen in zip(split, words, strict=True)
    ]
    return _read(encoder, split, spots, subwords.pad, batch_pieces)


def layers_after_norm(encoder: PreTrainedModel) -> frozenset[int]:
    """Return the layers (0: embeddings) whose vectors have passed a norm at the end of the encoder.

    Curves over layers may jump there. Of an encoder whose blocks are not found (ALBERT shares one)
    it is not known, and none is returned.
    """
    last: int = encoder.config.num_hidden_layers
    try:
        return frozenset() if final_norm(encoder) is None else frozenset({last})
    except EncoderError:
        return frozenset()


def _refuse_nothing(sentences: Sequence[Sentence]) -> None:
    if not sentences or not all(len(sentence) for sentence in sentences):
        raise DataError("there is nothing to represent: no sentence, or one without words")


def _mean(spans: Sequence[tuple[int, int, int]]) -> list[Spot]:
    count = sum(last - first for _, first, last in spans)
    return [
        (chunk, piece, 1 / count) for chunk, first, last in spans for piece in range(first, last)
    ]


def _mean_of_all(pieces: TokenizedSentence) -> list[Spot]:
    return _mean(pieces.spans)


def _weighted(pieces: TokenizedSentence) -> list[Spot]:
    spots = _mean_of_all(pieces)
    total = len(spots) * (len(spots) + 1) / 2
    return [(chunk, piece, i / total) for i, (chunk, piece, _) in enumerate(spots, start=1)]


def _first(pieces: TokenizedSentence) -> list[Spot]:
    return [(0, 0, 1.0)]


def _last(pieces: TokenizedSentence) -> list[Spot]:
    return [(len(pieces.chunks) - 1, len(pieces.chunks[-1]) - 1, 1.0)]


_POOLINGS = {"mean": _mean_of_all, "weighted": _weighted, "first": _first, "last": _last}


@dataclass(frozen=True)
class _Sums:
    """Weighted sums of the rows of a flattened batch: ``places[k]`` is added to ``owners[k]``."""

    places: Tensor
    owners: Tensor
    weights: Tensor
    count: int

    def of(self, rows: Tensor) -> Tensor:
        """Sum rows (chunks, pieces, hidden) up to vectors (count, hidden), in single precision."""
        used = rows.flatten(0, 1)[self.places].float() * self.weights
        return used.new_zeros(self.count, used.shape[1]).index_add(0, self.owners, used)


@torch.inference_mode()
def _read(
    encoder: PreTrainedModel,
    split: Sequence[TokenizedSentence],
    spots: Sequence[Sequence[Sequence[Spot]]],
    pad: int,
    batch_pieces: int | None,
) -> Tensor:
    """Read every sentence once, and sum its spots up: (layers, vectors, hidden)."""
    batch_pieces = batch_pieces or _best_batch(encoder)
    starts = [0, *accumulate(map(len, spots))]
    found: Tensor | None = None
    with _evaluating(encoder):
        for group in _groups(split, spots, batch_pieces):
            vectors = _vectors(encoder, [split[i] for i in group], [spots[i] for i in group], pad)
            if found is None:
                found = torch.empty(len(vectors), starts[-1], vectors[0].shape[1])
            rows = [row for i in group for row in range(starts[i], starts[i + 1])]
            for layer, part in enumerate(vectors):
                found[layer, rows] = part.cpu()
    assert found is not None  # there is at least one sentence
    return found


@contextmanager
def _evaluating(encoder: PreTrainedModel) -> Iterator[None]:
    training = encoder.training
    encoder.eval()
    try:
        yield
    finally:
        encoder.train(training)


def _vectors(
    encoder: PreTrainedModel,
    split: Sequence[TokenizedSentence],
    spots: Sequence[Sequence[Sequence[Spot]]],
    pad: int,
) -> list[Tensor]:
    """Read some sentences at once; every layer's vectors of them, (vectors, hidden)."""
    batch = collate([EncodedSentence(pieces, {}) for pieces in split], pad, "mean").to(
        encoder.device
    )
    sums = _sums(split, spots, batch.ids.shape[1], encoder.device)
    with autocast(encoder, "auto"):
        output = encoder(
            input_ids=batch.ids, attention_mask=batch.attention_mask, output_hidden_states=True
        )
    return [sums.of(layer) for layer in output.hidden_states]


def _best_batch(encoder: PreTrainedModel) -> int:
    """Padded sub-words at a time: on a CPU what stays in its cache (measured), else what fills it.

    The best were 2,048 for a hidden size of 64, 1,024 for 256 and 512 for 768.
    """
    if encoder.device.type != "cpu":
        return 16_384
    hidden: int = encoder.config.hidden_size
    return round(16_384 / math.sqrt(hidden))


def _groups(
    split: Sequence[TokenizedSentence], spots: Sequence[Sequence[Sequence[Spot]]], batch_pieces: int
) -> Iterator[list[int]]:
    """Sentences of about equal length together; those of which nothing is asked are not read."""
    asked = [i for i, vectors in enumerate(spots) if vectors]
    costs = [EncodedSentence(split[i], {}).cost for i in asked]
    for group in bucket_by_length(costs, batch_pieces):
        yield [asked[place] for place in group]


def _sums(
    split: Sequence[TokenizedSentence],
    spots: Sequence[Sequence[Sequence[Spot]]],
    length: int,
    device: torch.device,
) -> _Sums:
    places, owners, weights, row, owner = [], [], [], 0, 0
    for pieces, vectors in zip(split, spots, strict=True):
        for vector in vectors:
            places += [(row + chunk) * length + piece for chunk, piece, _ in vector]
            weights += [weight for _, _, weight in vector]
            owners += [owner] * len(vector)
            owner += 1
        row += len(pieces.chunks)
    return _Sums(
        torch.tensor(places, device=device),
        torch.tensor(owners, device=device),
        torch.tensor(weights, device=device)[:, None],
        owner,
    )
