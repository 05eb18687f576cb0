"""A reader: an encoder with its tokenizer, that remembers what it has read."""

from collections.abc import Sequence
from functools import cached_property

from torch import Tensor
from transformers import PreTrainedModel

from alignscope.comparison import SentencePooling
from alignscope.data.corpus import parse_corpus
from alignscope.data.sentence import Sentence
from alignscope.encoders.load import speak
from alignscope.similarity.cache import Cache, fingerprint, key_of
from alignscope.similarity.represent import layers_after_norm, represent, represent_words
from alignscope.subwords import Subwords


class Reader:
    """Turns the sentences of a corpus into vectors, in the adapters of its language (X-MOD).

    The encoder must not change while its reader is in use.
    """

    def __init__(self, encoder: PreTrainedModel, subwords: Subwords, cache: Cache) -> None:
        self.encoder, self.subwords, self.cache = encoder, subwords, cache

    @cached_property
    def after_norm(self) -> frozenset[int]:
        """The layers whose vectors have passed the encoder's final norm."""
        return layers_after_norm(self.encoder)

    def sentences(
        self, name: str, sentences: Sequence[Sentence], pooling: SentencePooling
    ) -> Tensor:
        """Return `represent` of sentences of the corpus ``name``."""
        speak(self.encoder, parse_corpus(name).language)
        return self.cache.keep(
            self._key(sentences, [pooling]),
            lambda: represent(self.encoder, self.subwords, sentences, pooling),
        )

    def words(
        self, name: str, sentences: Sequence[Sentence], words: Sequence[Sequence[int]]
    ) -> Tensor:
        """Return `represent_words` of sentences of the corpus ``name``."""
        speak(self.encoder, parse_corpus(name).language)
        return self.cache.keep(
            self._key(sentences, ["words", *map(list, words)]),
            lambda: represent_words(self.encoder, self.subwords, sentences, words),
        )

    def _key(self, sentences: Sequence[Sentence], options: Sequence[object]) -> str:
        if self.cache.folder is None:
            return ""
        return key_of(self.encoder, self._whole, self.subwords.split(sentences), options)

    @cached_property
    def _whole(self) -> str:
        return fingerprint(self.encoder)
