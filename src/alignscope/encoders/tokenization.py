"""From words to sub-words and back: done once, here, so that heads only ever see words."""

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from alignscope.data.sentence import Sentence
from alignscope.errors import DataError, EncoderError


@dataclass(frozen=True, slots=True)
class TokenizedSentence:
    """A sentence as the encoder reads it.

    ``chunks`` are its inputs, special tokens included: one, or several where the sentence is
    longer than the encoder's input. Word w is pieces ``first`` to ``last`` (exclusive) of
    ``chunks[chunk]``, for ``(chunk, first, last) = spans[w]``: never none.
    """

    chunks: tuple[tuple[int, ...], ...]
    spans: tuple[tuple[int, int, int], ...]
    cut: int
    """Words longer than a whole input, read up to its end."""
    unknown: int
    """Words read as the unknown token, which tells one from no other."""

    @property
    def windowed(self) -> bool:
        """Whether the sentence did not fit into one input."""
        return len(self.chunks) > 1

    @property
    def longest(self) -> int:
        """The length of the longest chunk, in pieces."""
        return max(map(len, self.chunks))


class WordTokenizer:
    """Splits sentences with an encoder's own tokenizer.

    >>> WordTokenizer(tokenizer, max_pieces=128).split([Sentence(("Dogs", "bark"))])[0].spans
    ((0, 1, 3), (0, 3, 4))

    Every word is split on its own, as after a blank. No word is ever dropped: one without
    sub-words becomes the unknown token, a sentence longer than ``max_pieces`` is read in
    consecutive chunks cut between words.

    Raises:
        EncoderError: if the tokenizer needs more special tokens than there is room for, or cannot
            split a word at all.
        DataError: if a word has no sub-words and the tokenizer no unknown token.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, max_pieces: int) -> None:
        self.tokenizer = tokenizer
        self._switch_off_padding()
        self.prefix, self.suffix = _special_ends(tokenizer)
        self.room = max_pieces - len(self.prefix) - len(self.suffix)
        if self.room < 1:
            raise EncoderError(f"max_pieces {max_pieces} leaves no room for a word")
        self._blank = _blank_before_words(tokenizer)
        # transformers looks a special token up anew each time, and it is compared for every word.
        self._unknown_id = tokenizer.unk_token_id
        self._cache: dict[str, tuple[int, ...]] = {}

    @property
    def pad(self) -> int:
        """The id that fills a batch up; masked, so any will do where there is none."""
        return int(self.tokenizer.pad_token_id or 0)

    def split(self, sentences: Sequence[Sentence]) -> list[TokenizedSentence]:
        """Split every sentence."""
        self._learn({word for sentence in sentences for word in sentence.words})
        return [self._pack(sentence) for sentence in sentences]

    def _switch_off_padding(self) -> None:
        """Read words as they are, without padding or truncation.

        Some checkpoints (sentence-transformers) store padding to 128 subwords with the tokenizer,
        and each call of a tokenizer with ``padding`` leaves it switched on. Every word would then
        be padded.
        """
        self.tokenizer.backend_tokenizer.no_padding()
        self.tokenizer.backend_tokenizer.no_truncation()

    def _learn(self, words: set[str]) -> None:
        """Split words that were not seen before, all at once."""
        new = sorted(words - self._cache.keys())
        self._switch_off_padding()
        texts = [self._blank + word for word in new]
        try:
            encoded = self.tokenizer.backend_tokenizer.encode_batch(texts, add_special_tokens=False)
        except Exception as error:  # tokenizers raises nothing more specific
            name = self.tokenizer.name_or_path
            raise EncoderError(f"the tokenizer of {name} cannot split words: {error}") from error
        self._cache |= {
            word: tuple(encoding.ids) for word, encoding in zip(new, encoded, strict=True)
        }

    def _pack(self, sentence: Sentence) -> TokenizedSentence:
        chunks: list[list[int]] = [[]]
        spans = []
        cut = unknown = 0
        for word in sentence.words:
            ids = self._cache[word]
            if not ids:
                ids = (self._unknown(word),)
            unknown += ids == (self._unknown_id,)
            if len(ids) > self.room:
                ids, cut = ids[: self.room], cut + 1
            if len(chunks[-1]) + len(ids) > self.room:
                chunks.append([])
            start = len(self.prefix) + len(chunks[-1])
            spans.append((len(chunks) - 1, start, start + len(ids)))
            chunks[-1] += ids
        whole = tuple((*self.prefix, *chunk, *self.suffix) for chunk in chunks)
        return TokenizedSentence(whole, tuple(spans), cut, unknown)

    def _unknown(self, word: str) -> int:
        if self._unknown_id is None:
            raise DataError(
                f"word {word!r} has no sub-words and {self.tokenizer.name_or_path} has no "
                f"unknown token to stand for it"
            )
        return int(self._unknown_id)


def max_input_length(encoder: PreTrainedModel) -> int | None:
    """Return how many pieces an encoder reads at once; None if its positions are relative.

    RoBERTa and its children count positions from the padding index, so that of 514 positions
    512 can be used.
    """
    positions = getattr(encoder.config, "max_position_embeddings", None)
    if positions is None or positions < 1:
        return None
    embeddings = getattr(getattr(encoder, "embeddings", None), "position_embeddings", None)
    padding = getattr(embeddings, "padding_idx", None)
    return int(positions) - (0 if padding is None else padding + 1)


def _special_ends(tokenizer: PreTrainedTokenizerBase) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What the tokenizer puts before and after a text, such as [CLS] and [SEP]."""
    encoding = tokenizer.backend_tokenizer.encode("a")
    own = [i for i, special in enumerate(encoding.special_tokens_mask) if not special]
    if not own:
        raise EncoderError(f"the tokenizer of {tokenizer.name_or_path} has no piece for 'a'")
    return tuple(encoding.ids[: own[0]]), tuple(encoding.ids[own[-1] + 1 :])


def _blank_before_words(tokenizer: PreTrainedTokenizerBase) -> str:
    """Byte-level tokenizers tell ``a`` from `` a``; words inside a sentence are the latter."""
    first, alone, both = (
        tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
        for text in ("b", "a", "b a")
    )
    return "" if both == first + alone else " "
