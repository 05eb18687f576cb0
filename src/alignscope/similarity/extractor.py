"""Extract the representations of a corpus with one encoder, and keep them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

import torch
from torch import Tensor
from transformers import PreTrainedModel

from alignscope.config.run import EncoderSpec
from alignscope.config.similarity import SentencePooling
from alignscope.data.corpus import parse_corpus
from alignscope.data.paths import DataPaths
from alignscope.data.sentence import Sentence
from alignscope.encoders.encoder import MAX_INPUT_LENGTH
from alignscope.encoders.load import load_model, load_tokenizer, needs_language, set_language
from alignscope.encoders.tokenization import Text, WordTokenizer, max_input_length
from alignscope.errors import DataError
from alignscope.similarity.cache import RepresentationCache, cache_key, fingerprint
from alignscope.similarity.representations import (
    layers_after_norm,
    sentence_representations,
    word_representations,
)


class RepresentationExtractor:
    """Turns the sentences of a corpus into vectors; X-MOD uses the adapters of its language.

    Vectors are kept in the folder of the cache, or else in memory as long as the extractor lives.
    The encoder must not change meanwhile.

    Args:
        encoder: the encoder, on the device that computes.
        tokenizer: its tokenizer of words.
        cache: where vectors are kept.
    """

    def __init__(
        self, encoder: PreTrainedModel, tokenizer: WordTokenizer, cache: RepresentationCache
    ) -> None:
        self.encoder, self.tokenizer, self.cache = encoder, tokenizer, cache
        self._in_memory: dict[object, Tensor] = {}

    @cached_property
    def after_norm(self) -> frozenset[int]:
        """The layers whose vectors have passed the encoder's final norm."""
        return layers_after_norm(self.encoder)

    def sentences(self, name: str, texts: Sequence[Text], pooling: SentencePooling) -> Tensor:
        """Return `sentence_representations` of the texts of a corpus, (layers, n, hidden).

        Args:
            name: the corpus, or just a language such as ``de``; X-MOD takes its adapters from it.
            texts: sentences or strings.
            pooling: how a sentence becomes one vector.
        """
        return self._cached(
            name,
            texts,
            [pooling],
            lambda: sentence_representations(self.encoder, self.tokenizer, texts, pooling),
        )

    def words(self, name: str, sentences: Sequence[Text], words: Sequence[Sequence[int]]) -> Tensor:
        """Return `word_representations` of sentences of a corpus, (layers, words, hidden).

        Args:
            name: the corpus, or just a language.
            sentences: sentences of that corpus, or running text with the places of their words.
            words: for every sentence, the words to represent, counted from 0.
        """
        return self._cached(
            name,
            sentences,
            ["words", *map(list, words)],
            lambda: word_representations(self.encoder, self.tokenizer, sentences, words),
        )

    def lengths(self, texts: Sequence[Text]) -> list[int]:
        """Return the number of subwords of every text, without special tokens."""
        return [
            sum(last - first for _, first, last in sentence.spans)
            for sentence in self.tokenizer.split(texts)
        ]

    def word_lengths(self, texts: Sequence[Text], words: Sequence[Sequence[int]]) -> list[int]:
        """Return the number of subwords of every chosen word."""
        spans = (sentence.spans for sentence in self.tokenizer.split(texts))
        return [
            of_sentence[word][2] - of_sentence[word][1]
            for of_sentence, chosen in zip(spans, words, strict=True)
            for word in chosen
        ]

    def _cached(
        self,
        name: str,
        texts: Sequence[Text],
        options: Sequence[object],
        compute: Callable[[], Tensor],
    ) -> Tensor:
        with self.language_of(name):
            if self.cache.folder is not None:
                split = self.tokenizer.split(texts)
                key = cache_key(self.encoder, self._fingerprint, split, options)
                return self.cache.get_or_compute(key, compute)
            content = tuple(text.words if isinstance(text, Sentence) else text for text in texts)
            memory_key = name, str(options), content
            if memory_key not in self._in_memory:
                self._in_memory[memory_key] = compute()
            return self._in_memory[memory_key]

    @contextmanager
    def language_of(self, name: str) -> Iterator[None]:
        """Let X-MOD use the adapters of a corpus's language, and then those it used before."""
        if not needs_language(self.encoder):
            yield
            return
        before = self.encoder.config.default_language
        set_language(self.encoder, _language(name))
        try:
            yield
        finally:
            self.encoder.config.default_language = before

    @cached_property
    def _fingerprint(self) -> str:
        return fingerprint(self.encoder)


def default_cache(paths: DataPaths) -> RepresentationCache:
    """Return the cache of representations in the cache folder of ``paths``."""
    return RepresentationCache(paths.cache / "representations")


def load_extractor(spec: EncoderSpec, cache: RepresentationCache) -> RepresentationExtractor:
    """Load an encoder and its tokenizer, onto a GPU if there is one.

    Raises:
        EncoderError: if they cannot be loaded.
    """
    model = load_model(spec.name, spec.revision, remote_code=spec.remote_code)
    tokenizer = load_tokenizer(spec.name, spec.revision, remote_code=spec.remote_code)
    length = min(max_input_length(model) or MAX_INPUT_LENGTH, MAX_INPUT_LENGTH)
    return make_extractor(model, WordTokenizer(tokenizer, length), cache)


def make_extractor(
    encoder: PreTrainedModel, tokenizer: WordTokenizer, cache: RepresentationCache
) -> RepresentationExtractor:
    """Return an extractor of an encoder, which moves to a GPU if there is one."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return RepresentationExtractor(encoder.to(device), tokenizer, cache)


def _language(name: str) -> str:
    """Return the language of a corpus; a name that is none is taken for the language itself."""
    try:
        return parse_corpus(name).language
    except DataError:
        return name
