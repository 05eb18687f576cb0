"""Read parallel corpora, in the form in which an encoder reads them."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alignscope.config.similarity import MIN_ROWS, ComparisonConfig
from alignscope.data.corpora import load_corpus, subsample_evenly
from alignscope.data.corpus import parse_corpus
from alignscope.data.paths import DataPaths
from alignscope.data.sentence import Sentence
from alignscope.data.surface import running_text, surface_text
from alignscope.encoders.tokenization import Text, TokenizedSentence
from alignscope.errors import DataError
from alignscope.similarity.alignment import align_by_id, aligned_words

UNKNOWN_SHARE = 0.1
"""The share of unknown words above which a corpus gets a warning."""

Corpora = dict[str, Sequence[Sentence]]
"""Parallel corpora by name; the first is the source."""


@dataclass(frozen=True)
class ParallelTexts:
    """A source and its translations: text i of each is a translation of text i of the source."""

    source: str
    targets: Sequence[str]
    texts: Mapping[str, Sequence[Text]]

    @property
    def names(self) -> Sequence[str]:
        """The source and then its targets, without repetition."""
        return list(dict.fromkeys([self.source, *self.targets]))

    def sentences(self, name: str) -> Sequence[Sentence]:
        """Return the texts of a name, which must have words.

        Raises:
            DataError: if one of them is a string.
        """
        texts = [text for text in self.texts[name] if isinstance(text, Sentence)]
        if len(texts) < len(self.texts[name]):
            raise DataError(
                f"{name} has strings, whose words are not aligned. Compare sentences, or pass "
                "Sentence objects with Align= or Gloss= in MISC."
            )
        return texts


def read_parallel(names: Sequence[str], config: ComparisonConfig, paths: DataPaths) -> Corpora:
    """Read corpora, and make sure that they line up with the first of them.

    Args:
        names: the names of the source and then of its translations.
        config: the split, the limit, and whether aligned words are needed.
        paths: where corpora are searched.

    Raises:
        DataError: if a corpus is missing or does not line up, if there are fewer than 20 sentences,
            or if words to compare are not aligned.
    """
    source = load_corpus(parse_corpus(names[0]), config.split, paths)
    if len(source) < MIN_ROWS:
        raise DataError(
            f"{names[0]} has {len(source)} {config.split} sentences, but similarity needs at least "
            f"{MIN_ROWS}. Choose a larger corpus or another split."
        )
    corpora: Corpora = {names[0]: subsample_evenly(source, config.limit)}
    for name in names[1:]:
        target = load_corpus(parse_corpus(name), config.split, paths)
        aligned = align_by_id(source, target, (names[0], name))
        corpora[name] = subsample_evenly(aligned, config.limit)
        if config.words:
            aligned_words(corpora[names[0]], corpora[name], (names[0], name))
    return corpora


def as_read(texts: Sequence[Text], config: ComparisonConfig) -> Sequence[Text]:
    """Return texts in the form that the tokenizer gets: running text, or words.

    To compare words, running text comes with the places of its words.

    Raises:
        DataError: if the words of a sentence are not found in its text.
    """
    if config.text == "words":
        return texts
    read = surface_text if config.words else running_text
    return [read(text) if isinstance(text, Sentence) else text for text in texts]


class UnknownWarning(UserWarning):
    """The tokenizer maps many words of a corpus to its unknown token."""


def warn_unknown_words(name: str, split: Sequence[TokenizedSentence]) -> None:
    """Warn if the tokenizer maps more than 10 % of a corpus's words to its unknown token."""
    words = sum(len(sentence.spans) for sentence in split)
    unknown = sum(sentence.unknown_words for sentence in split)
    if unknown > words * UNKNOWN_SHARE:
        warnings.warn(
            f"The tokenizer maps {100 * unknown / words:.0f} % of the words of {name} to its "
            "unknown token.",
            UnknownWarning,
            stacklevel=3,
        )
