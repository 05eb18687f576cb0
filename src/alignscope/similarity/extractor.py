"""A reader: an encoder with its tokenizer, that reads a corpus once."""

from collections.abc import Callable, Sequence
from functools import cached_property

from torch import Tensor
from transformers import PreTrainedModel

from alignscope.config.similarity import SentencePooling
from alignscope.data.corpus import parse_corpus
from alignscope.data.sentence import Sentence
from alignscope.encoders.load import set_language
from alignscope.encoders.tokenization import WordTokenizer
from alignscope.similarity.cache import RepresentationCache, cache_key, fingerprint
from alignscope.similarity.representations import (
    layers_after_norm,
    sentence_representations,
    word_representations,
)


class RepresentationExtractor:
    """Turns the sentences of a corpus into vectors, in the adapters of its language (X-MOD).

    What is kept in no folder is kept in memory, as long as the reader lives. The encoder must not
    change while its reader is in use.
    """

    def __init__(
        self, encoder: PreTrainedModel, subwords: WordTokenizer, cache: RepresentationCache
    ) -> None:
        self.encoder, self.subwords, self.cache = encoder, subwords, cache
        self._read: dict[object, Tensor] = {}

    @cached_property
    def after_norm(self) -> frozenset[int]:
        """The layers whose vectors have passed the encoder's final norm."""
        return layers_after_norm(self.encoder)

    def sentences(
        self, name: str, sentences: Sequence[Sentence], pooling: SentencePooling
    ) -> Tensor:
        """Return `sentence_representations` of sentences of the corpus ``name``."""
        set_language(self.encoder, parse_corpus(name).language)
        return self._keep(
            name,
            sentences,
            [pooling],
            lambda: sentence_representations(self.encoder, self.subwords, sentences, pooling),
        )

    def words(
        self, name: str, sentences: Sequence[Sentence], words: Sequence[Sequence[int]]
    ) -> Tensor:
        """Return `word_representations` of sentences of the corpus ``name``."""
        set_language(self.encoder, parse_corpus(name).language)
        return self._keep(
            name,
            sentences,
            ["words", *map(list, words)],
            lambda: word_representations(self.encoder, self.subwords, sentences, words),
        )

    def _keep(
        self,
        name: str,
        sentences: Sequence[Sentence],
        options: Sequence[object],
        compute: Callable[[], Tensor],
    ) -> Tensor:
        if self.cache.folder is not None:
            split = self.subwords.split(sentences)
            return self.cache.get_or_compute(
                cache_key(self.encoder, self._whole, split, options), compute
            )
        key = name, str(options), tuple(sentence.words for sentence in sentences)
        if key not in self._read:
            self._read[key] = compute()
        return self._read[key]

    @cached_property
    def _whole(self) -> str:
        return fingerprint(self.encoder)
