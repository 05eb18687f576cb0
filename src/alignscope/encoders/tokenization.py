"""Split words into subwords and map subwords back to words, so that heads only ever see words."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, pairwise

from tokenizers import Encoding
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from alignscope.data.sentence import Sentence
from alignscope.data.surface import SurfaceText, tokens
from alignscope.encoders.tokenizer_traits import (
    Ids,
    blank_before_words,
    special_between,
    special_ends,
)
from alignscope.errors import DataError, EncoderError

Text = Sentence | SurfaceText | str
"""A sentence with words, running text with the places of its words, or running text."""


@dataclass(frozen=True, slots=True)
class TokenizedSentence:
    """A sentence as the encoder reads it.

    ``chunks`` are its inputs, special tokens included: one, or several where the sentence is
    longer than the encoder's input. Word w consists of the subwords ``first`` to ``last``
    (exclusive) of ``chunks[chunk]``, for ``(chunk, first, last) = spans[w]``: always at least one.
    """

    chunks: tuple[Ids, ...]
    spans: tuple[tuple[int, int, int], ...]
    truncated_words: int
    """Words that do not fit into one input, of which only the beginning is read."""
    unknown_words: int
    """Words that the tokenizer maps to its unknown token, which hides their identity."""

    @property
    def is_split(self) -> bool:
        """Whether the sentence did not fit into one input."""
        return len(self.chunks) > 1

    @property
    def longest(self) -> int:
        """The length of the longest chunk, in subwords."""
        return max(map(len, self.chunks))


class WordTokenizer:
    """Splits sentences into subwords with an encoder's own tokenizer.

    >>> from alignscope.encoders.load import load_tokenizer
    >>> tokenizer = WordTokenizer(load_tokenizer("embedded"), max_length=128)
    >>> tokenizer.split([Sentence(("Tavu", "ori"))])[0].spans
    ((0, 1, 3), (0, 3, 5))

    A `Sentence` has words, and every word is split on its own, as after a blank. Between the two
    sentences of a pair stand the tokenizer's separators, such as ``[SEP]``; segment ids are not
    used. A string is
    running text, and the tokenizer reads it as it is; its words are the pre-tokens of the
    tokenizer. A `SurfaceText` is read as a string is, and each of its words consists of the
    subwords that share a character with it: words inside a multiword token share its subwords, and
    a subword across the border of two words belongs to both.

    No word is ever dropped: a word without subwords becomes the unknown token, and a sentence
    longer than ``max_length`` is read in consecutive chunks that end between words. A single word
    longer than an input is truncated; in running text, where such a word can be a whole sentence
    (Japanese has no blanks), it is read in parts instead.

    Args:
        tokenizer: a fast tokenizer of transformers.
        max_length: subwords per input, special tokens included.
        surface: whether a multiword token of a `Sentence` is split into subwords as it is written,
            and its words share these in their order: with two subwords, each of two words has one;
            with a single subword, both have it. By default every word is read as its own form.

    Raises:
        EncoderError: if the special tokens leave no room for a word, or if the tokenizer cannot
            split a word at all.
        DataError: if a word has no subwords and the tokenizer has no unknown token.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, max_length: int, *, surface: bool = False
    ) -> None:
        self.tokenizer, self.surface = tokenizer, surface
        self._switch_off_padding()
        self.prefix, self.suffix = special_ends(tokenizer)
        special = len(self.prefix) + len(self.suffix)
        self.room = max_length - special
        self.separator = special_between(tokenizer)
        if self.room < 1:
            raise EncoderError(
                f"An input of {max_length} subwords, of which {special} are special tokens, "
                "leaves no room for a word. Raise max_length."
            )
        self._blank = blank_before_words(tokenizer)
        # transformers looks a special token up anew each time, and it is compared for every word.
        self._unknown_id = tokenizer.unk_token_id
        self._cache: dict[str, Ids] = {}

    @property
    def pad(self) -> int:
        """The id that fills a batch up; it is masked, so 0 will do where a tokenizer has none."""
        return int(self.tokenizer.pad_token_id or 0)

    def split(self, sentences: Sequence[Text]) -> list[TokenizedSentence]:
        """Split every sentence or text into subwords.

        Raises:
            DataError: if a word of a `SurfaceText` has no subwords.
        """
        self._learn({form for text in sentences for form, _ in self._units(text)})
        texts = [_running_text(item) for item in sentences if not isinstance(item, Sentence)]
        encodings = iter(self._encode(texts))
        return [
            self._pack(item)
            if isinstance(item, Sentence)
            else self._pack_text(next(encodings))
            if isinstance(item, str)
            else self._pack_surface(item, next(encodings))
            for item in sentences
        ]

    def _switch_off_padding(self) -> None:
        """Read words as they are, without padding or truncation.

        Some checkpoints (sentence-transformers) store padding to 128 subwords with the tokenizer,
        and a call of a tokenizer with ``padding`` leaves it switched on. Every word would then be
        padded.
        """
        self.tokenizer.backend_tokenizer.no_padding()
        self.tokenizer.backend_tokenizer.no_truncation()

    def _learn(self, words: set[str]) -> None:
        """Split all words that were not seen before, in one call."""
        new = sorted(words - self._cache.keys())
        encodings = self._encode([self._blank + word for word in new])
        self._cache |= {
            word: tuple(encoding.ids) for word, encoding in zip(new, encodings, strict=True)
        }

    def _encode(self, texts: list[str]) -> list[Encoding]:
        self._switch_off_padding()
        try:
            return self.tokenizer.backend_tokenizer.encode_batch(  # type: ignore[no-any-return]
                texts, add_special_tokens=False
            )
        except Exception as error:  # tokenizers raises nothing more specific
            name = self.tokenizer.name_or_path
            raise EncoderError(f"The tokenizer of {name} cannot split words: {error}.") from error

    def _units(self, text: Text) -> list[tuple[str, int]]:
        """Return what is split into subwords on its own, each with its number of words."""
        if not isinstance(text, Sentence):
            return []
        if self.surface and text.ranges:
            return [(token.form, token.words) for token in tokens(text)]
        return [(word, 1) for word in text.words]

    def _pack(self, sentence: Sentence) -> TokenizedSentence:
        units = self._units(sentence)
        ids = [self._cache[form] or (self._unknown_token(form),) for form, _ in units]
        counts = [count for _, count in units]
        truncated = sum(count for count, of in zip(counts, ids, strict=True) if len(of) > self.room)
        second = sentence.second_start
        if second is not None and len(units) < len(sentence):
            second = bisect_left(list(accumulate(counts)), second) + 1
        packed = self._in_chunks([of[: self.room] for of in ids], truncated, second)
        if len(units) == len(sentence):
            return packed
        hidden = sum(count - 1 for of, count in zip(ids, counts, strict=True) if self._hides(of))
        return replace(_shared_out(packed, counts), unknown_words=packed.unknown_words + hidden)

    def _hides(self, ids: Ids) -> bool:
        return ids == (self._unknown_id,)

    def _pack_text(self, encoding: Encoding) -> TokenizedSentence:
        return self._in_chunks(self._parts(encoding), truncated=0)

    def _pack_surface(self, surface: SurfaceText, encoding: Encoding) -> TokenizedSentence:
        """Give every word the subwords that share a character with it, in the words' order."""
        whole = self._in_chunks(self._parts(encoding), truncated=0)
        places = [
            (chunk, place) for chunk, first, last in whole.spans for place in range(first, last)
        ]
        spans, truncated, unknown = [], 0, 0
        for start, end in surface.words:
            chosen = _overlapping(encoding.offsets, start, end)
            if not chosen:
                raise DataError(
                    f"The tokenizer has no subword for {surface.text[start:end]!r} in "
                    f'{surface.text!r}. Read words instead: text = "words".'
                )
            chunk, first = places[chosen[0]]
            last = max(place for part, place in (places[k] for k in chosen) if part == chunk) + 1
            spans.append((chunk, first, last))
            truncated += places[chosen[-1]][0] != chunk
            unknown += all(encoding.ids[k] == self._unknown_id for k in chosen)
        return TokenizedSentence(whole.chunks, tuple(spans), truncated, unknown)

    def _parts(self, encoding: Encoding) -> list[Ids]:
        """Return the subwords of every pre-token, in parts that fit into an input."""
        by_word = groupby(
            zip(encoding.word_ids, encoding.ids, strict=True), key=lambda pair: pair[0]
        )
        words = [tuple(id for _, id in pairs) for _, pairs in by_word]
        return [
            ids[start : start + self.room]
            for ids in words
            for start in range(0, len(ids), self.room)
        ]

    def _in_chunks(
        self, words: Iterable[Ids], truncated: int, second_start: int | None = None
    ) -> TokenizedSentence:
        """Fill inputs with words (ids of up to ``room`` subwords each)."""
        chunks: list[list[int]] = [[]]
        spans, unknown = [], 0
        for number, ids in enumerate(words):
            unknown += self._hides(ids)
            separator = self.separator if number == second_start else ()
            if len(chunks[-1]) + len(separator) + len(ids) > self.room:
                chunks.append([])
            elif separator:
                chunks[-1] += separator
            start = len(self.prefix) + len(chunks[-1])
            spans.append((len(chunks) - 1, start, start + len(ids)))
            chunks[-1] += ids
        whole = tuple((*self.prefix, *chunk, *self.suffix) for chunk in chunks)
        return TokenizedSentence(whole, tuple(spans), truncated, unknown)

    def _unknown_token(self, word: str) -> int:
        if self._unknown_id is None:
            raise DataError(
                f"The word {word!r} has no subwords, and {self.tokenizer.name_or_path} has no "
                "unknown token to stand for it. Remove the word from the corpus."
            )
        return int(self._unknown_id)


def _shared_out(packed: TokenizedSentence, counts: Sequence[int]) -> TokenizedSentence:
    """Give each of the ``counts`` words of every unit its share of the unit's subwords, in order.

    Words share a subword where a unit has fewer subwords than words.
    """
    spans: list[tuple[int, int, int]] = []
    for (chunk, first, last), count in zip(packed.spans, counts, strict=True):
        ends = [first + (last - first) * i // count for i in range(count + 1)]
        spans += [
            (chunk, min(start, last - 1), max(end, start + 1)) for start, end in pairwise(ends)
        ]
    return replace(packed, spans=tuple(spans))


def _running_text(text: SurfaceText | str) -> str:
    return text if isinstance(text, str) else text.text


def _overlapping(offsets: Sequence[tuple[int, int]], start: int, end: int) -> list[int]:
    """Return the subwords that have a character from ``start`` to ``end`` (exclusive)."""
    return [k for k, (first, last) in enumerate(offsets) if first < end and last > start]


def max_input_length(encoder: PreTrainedModel) -> int | None:
    """Return how many subwords an encoder reads at once; None if its positions are relative.

    RoBERTa and its children count positions from the padding index, so that 512 of their 514
    positions can be used.
    """
    positions = getattr(encoder.config, "max_position_embeddings", None)
    if positions is None or positions < 1:
        return None
    embeddings = getattr(getattr(encoder, "embeddings", None), "position_embeddings", None)
    padding = getattr(embeddings, "padding_idx", None)
    return int(positions) - (0 if padding is None else padding + 1)
