"""Compute the vectors of sentences, or of words in them, at every layer of an encoder."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor
from transformers import PreTrainedModel

from alignscope.config.similarity import SentencePooling
from alignscope.encoders.batching import EncodedSentence, bucket_by_length, collate
from alignscope.encoders.blocks import final_norm
from alignscope.encoders.precision import autocast
from alignscope.encoders.tokenization import Text, TokenizedSentence, WordTokenizer
from alignscope.errors import DataError, EncoderError

WeightedSubword = tuple[int, int, float]
"""A subword by its chunk and its position in the chunk, and its weight in a vector."""

Vector = Sequence[WeightedSubword]
"""A vector as the weighted sum of the representations of subwords."""


def sentence_representations(
    encoder: PreTrainedModel,
    tokenizer: WordTokenizer,
    sentences: Sequence[Text],
    pooling: SentencePooling = "mean",
    *,
    tokens_per_batch: int | None = None,
) -> Tensor:
    """Return one vector per layer and sentence.

    >>> from alignscope.encoders.encoder import load_encoder
    >>> encoder = load_encoder("embedded", device="cpu")
    >>> texts = ["Tavu ori", "Ori tavu ori"]
    >>> sentence_representations(encoder.model, encoder.word_tokenizer(), texts).shape
    torch.Size([9, 2, 64])

    Every sentence is read once, and the composition of the batches does not change its vector. A
    GPU computes in mixed precision.

    Args:
        encoder: the encoder.
        tokenizer: its tokenizer of words.
        sentences: sentences, split into words as for fine-tuning, or strings, read as running text.
        pooling: ``mean`` over all subwords of the words, without special tokens and padding;
            ``weighted``, the mean with the positions 1, 2, ... as weights, for causal models
            (Muennighoff 2022); or the ``first`` or ``last`` token of the input, which is a special
            token if the encoder has any. Sentences longer than the input count with all chunks.
        tokens_per_batch: subwords read at once, padding included.

    Returns:
        A tensor (layers, sentences, hidden) of float32 on the CPU; layer 0 are the embeddings.

    Raises:
        DataError: if there is no sentence, or a sentence without words.
    """
    split = _split(tokenizer, sentences)
    vectors = [[_POOLINGS[pooling](sentence)] for sentence in split]
    return _encode(encoder, split, vectors, tokenizer.pad, tokens_per_batch)


def word_representations(
    encoder: PreTrainedModel,
    tokenizer: WordTokenizer,
    sentences: Sequence[Text],
    words: Sequence[Sequence[int]],
    *,
    tokens_per_batch: int | None = None,
) -> Tensor:
    """Return one vector per layer and chosen word: the mean over the word's subwords.

    Args:
        encoder: the encoder.
        tokenizer: its tokenizer of words.
        sentences: sentences with words, or running text with the places of its words.
        words: for every sentence, the chosen words, counted from 0.
        tokens_per_batch: subwords read at once, padding included.

    Returns:
        A tensor (layers, words, hidden) of float32 on the CPU; layer 0 are the embeddings.

    Raises:
        DataError: as `sentence_representations` does, and if no word is chosen.
    """
    split = _split(tokenizer, sentences)
    if not any(words):
        raise DataError("There is nothing to represent: no word is chosen.")
    vectors = [
        [_mean([sentence.spans[word]]) for word in chosen]
        for sentence, chosen in zip(split, words, strict=True)
    ]
    return _encode(encoder, split, vectors, tokenizer.pad, tokens_per_batch)


def layers_after_norm(encoder: PreTrainedModel) -> frozenset[int]:
    """Return the layers (0: embeddings) whose vectors have passed a norm at the end of the encoder.

    Curves over layers may jump there. For an encoder whose blocks are not found (ALBERT shares one)
    the result is empty, because nothing is known.
    """
    last: int = encoder.config.num_hidden_layers
    try:
        return frozenset() if final_norm(encoder) is None else frozenset({last})
    except EncoderError:
        return frozenset()


def _split(tokenizer: WordTokenizer, sentences: Sequence[Text]) -> list[TokenizedSentence]:
    split = tokenizer.split(sentences)
    if not split or not all(sentence.spans for sentence in split):
        raise DataError("There is nothing to represent: no sentence, or one without words.")
    return split


def _mean(spans: Sequence[tuple[int, int, int]]) -> Vector:
    count = sum(last - first for _, first, last in spans)
    return [
        (chunk, position, 1 / count)
        for chunk, first, last in spans
        for position in range(first, last)
    ]


def _mean_of_all(sentence: TokenizedSentence) -> Vector:
    return _mean(sentence.spans)


def _weighted(sentence: TokenizedSentence) -> Vector:
    subwords = _mean_of_all(sentence)
    total = len(subwords) * (len(subwords) + 1) / 2
    return [
        (chunk, position, i / total) for i, (chunk, position, _) in enumerate(subwords, start=1)
    ]


def _first(sentence: TokenizedSentence) -> Vector:
    return [(0, 0, 1.0)]


def _last(sentence: TokenizedSentence) -> Vector:
    return [(len(sentence.chunks) - 1, len(sentence.chunks[-1]) - 1, 1.0)]


_POOLINGS = {"mean": _mean_of_all, "weighted": _weighted, "first": _first, "last": _last}


@dataclass(frozen=True)
class _WeightedSums:
    """Weighted sums over a flattened batch: subword ``subwords[k]`` adds to ``vectors[k]``."""

    subwords: Tensor
    vectors: Tensor
    weights: Tensor
    count: int

    def of(self, hidden_states: Tensor) -> Tensor:
        """Sum states (chunks, subwords, hidden) up to (count, hidden), in single precision."""
        used = hidden_states.flatten(0, 1)[self.subwords].float() * self.weights
        return used.new_zeros(self.count, used.shape[1]).index_add(0, self.vectors, used)


@torch.inference_mode()
def _encode(
    encoder: PreTrainedModel,
    split: Sequence[TokenizedSentence],
    vectors: Sequence[Sequence[Vector]],
    pad: int,
    tokens_per_batch: int | None,
) -> Tensor:
    """Read every sentence once and return its vectors, (layers, vectors, hidden)."""
    starts = [0, *accumulate(map(len, vectors))]
    layers: Tensor | None = None
    with evaluating(encoder):
        for group in _groups(split, vectors, tokens_per_batch or best_batch(encoder)):
            of_group = _encode_batch(
                encoder, [split[i] for i in group], [vectors[i] for i in group], pad
            )
            if layers is None:
                layers = torch.empty(len(of_group), starts[-1], of_group[0].shape[1])
            rows = [row for i in group for row in range(starts[i], starts[i + 1])]
            for layer, part in enumerate(of_group):
                layers[layer, rows] = part.cpu()
    assert layers is not None  # there is at least one sentence
    return layers


@contextmanager
def evaluating(encoder: PreTrainedModel) -> Iterator[None]:
    """Switch dropout off for a while."""
    training = encoder.training
    encoder.eval()
    try:
        yield
    finally:
        encoder.train(training)


def _encode_batch(
    encoder: PreTrainedModel,
    split: Sequence[TokenizedSentence],
    vectors: Sequence[Sequence[Vector]],
    pad: int,
) -> list[Tensor]:
    """Read a few sentences in one batch; return their vectors of each layer, (vectors, hidden)."""
    batch = collate([EncodedSentence(sentence, {}) for sentence in split], pad, "mean").to(
        encoder.device
    )
    sums = _weighted_sums(split, vectors, batch.ids.shape[1], encoder.device)
    with autocast(encoder, "auto"):
        output = encoder(
            input_ids=batch.ids, attention_mask=batch.attention_mask, output_hidden_states=True
        )
    return [sums.of(layer) for layer in output.hidden_states]


def best_batch(encoder: PreTrainedModel) -> int:
    """Return how many padded subwords are read fastest at once.

    On a CPU, a batch should fit into its cache: 2,048 were fastest for a hidden size of 64, 1,024
    for 256 and 512 for 768. A GPU should be filled.
    """
    if encoder.device.type != "cpu":
        return 16_384
    hidden: int = encoder.config.hidden_size
    return round(16_384 / math.sqrt(hidden))


def _groups(
    split: Sequence[TokenizedSentence], vectors: Sequence[Sequence[Vector]], tokens_per_batch: int
) -> Iterator[list[int]]:
    """Yield batches of sentences of about equal length; sentences without vectors are skipped."""
    needed = [i for i, of_sentence in enumerate(vectors) if of_sentence]
    costs = [EncodedSentence(split[i], {}).cost for i in needed]
    for group in bucket_by_length(costs, tokens_per_batch):
        yield [needed[index] for index in group]


def _weighted_sums(
    split: Sequence[TokenizedSentence],
    vectors: Sequence[Sequence[Vector]],
    length: int,
    device: torch.device,
) -> _WeightedSums:
    subwords, targets, weights, row, number = [], [], [], 0, 0
    for sentence, of_sentence in zip(split, vectors, strict=True):
        for vector in of_sentence:
            subwords += [(row + chunk) * length + position for chunk, position, _ in vector]
            weights += [weight for _, _, weight in vector]
            targets += [number] * len(vector)
            number += 1
        row += len(sentence.chunks)
    return _WeightedSums(
        torch.tensor(subwords, device=device),
        torch.tensor(targets, device=device),
        torch.tensor(weights, device=device)[:, None],
        number,
    )
