"""Similarity between corpora: from names to rows and tables."""

import warnings
from collections.abc import Sequence

import polars as pl
import torch
from torch import Tensor
from transformers import PreTrainedModel

from alignscope.config.run import EncoderSpec
from alignscope.config.similarity import MIN_ROWS, SimilarityConfig
from alignscope.data.corpora import load_corpus, subsample_evenly
from alignscope.data.corpus import parse_corpus
from alignscope.data.paths import DataPaths
from alignscope.data.sentence import Sentence
from alignscope.encoders.load import load_model, load_tokenizer
from alignscope.encoders.tokenization import TokenizedSentence, WordTokenizer, max_input_length
from alignscope.errors import DataError, SimilarityError
from alignscope.results.schemas import SIMILARITY, to_frame
from alignscope.similarity.alignment import align_by_id, aligned_words
from alignscope.similarity.cache import RepresentationCache
from alignscope.similarity.extractor import RepresentationExtractor
from alignscope.similarity.layers import Row, similarity_by_layer

LONGEST = 512  # pieces, where an encoder sets no limit

Corpora = dict[str, Sequence[Sentence]]


def compare_corpora(
    encoder: EncoderSpec | str,
    source: str,
    targets: Sequence[str],
    places: DataPaths | None = None,
    asked: SimilarityConfig | None = None,
    *,
    cached: bool = True,
) -> pl.DataFrame:
    """Compare a parallel corpus with its translations (``tables.SIMILARITY``).

    >>> compare_corpora("embedded", "synthetic:vesti/news", ["synthetic:qadir/news"]).columns[:3]
    ['encoder', 'source', 'split']

    Sentences are paired by their ids. Corpora are looked for in ``places`` (`DataPaths.of()` if
    nothing is said); what the encoder makes of them is kept in its cache unless ``cached`` is off.

    Warns (`UnknownWarning`) of corpora that the tokenizer can hardly read.

    Raises:
        DataError: if a corpus is not there, is given twice, or does not line up with the source.
        EncoderError: if the encoder cannot be loaded.
        SimilarityError: if there are too few sentences to compare, or a layer is not there.
    """
    places, asked = places or DataPaths.of(), asked or SimilarityConfig()
    names = [source, *targets]
    for name in targets:
        if names.count(name) > 1:
            raise DataError(f"{name} is given twice: a source is compared with other corpora")
    corpora = read_parallel([source, *targets], asked, places)
    named = EncoderSpec(name=encoder) if isinstance(encoder, str) else encoder
    reader = load_extractor(named, default_cache(places) if cached else RepresentationCache(None))
    for name in names:
        warn_unknown_words(name, reader.subwords.split(corpora[name]))
    rows = compare(reader, reader, source, targets, corpora, asked)
    return to_frame([{"encoder": named.label, "source": source, **row} for row in rows], SIMILARITY)


def read_parallel(names: Sequence[str], asked: SimilarityConfig, places: DataPaths) -> Corpora:
    """Read corpora, and make sure that they line up with the first of them.

    Raises:
        DataError: if one is not there or does not line up, there are fewer than 20 sentences, or
            words are asked for that are not aligned.
    """
    first = load_corpus(parse_corpus(names[0]), asked.split, places)
    if len(first) < MIN_ROWS:
        raise DataError(
            f"{names[0]} has {len(first)} {asked.split} sentences: too few to compare "
            f"languages by, {MIN_ROWS} at least"
        )
    corpora: Corpora = {names[0]: subsample_evenly(first, asked.limit)}
    for name in names[1:]:
        own = load_corpus(parse_corpus(name), asked.split, places)
        corpora[name] = subsample_evenly(align_by_id(first, own, (names[0], name)), asked.limit)
        if asked.words:
            aligned_words(corpora[names[0]], corpora[name], (names[0], name))
    return corpora


class UnknownWarning(UserWarning):
    """Many words of a corpus are read as the unknown token, which tells one from no other."""


def warn_unknown_words(name: str, split: Sequence[TokenizedSentence]) -> None:
    """Warn of a corpus of whose words more than one in ten is unknown to the tokenizer."""
    words = sum(len(pieces.spans) for pieces in split)
    unknown = sum(pieces.unknown_words for pieces in split)
    if unknown > words / 10:
        warnings.warn(
            f"{100 * unknown / words:.0f} % of the words of {name} are read as the unknown token",
            UnknownWarning,
            stacklevel=3,
        )


def default_cache(places: DataPaths) -> RepresentationCache:
    """Return where representations are kept."""
    return RepresentationCache(places.cache / "representations")


def load_extractor(named: EncoderSpec, cache: RepresentationCache) -> RepresentationExtractor:
    """Load an encoder and its tokenizer, onto a GPU if there is one.

    Raises:
        EncoderError: if they cannot be loaded.
    """
    encoder = load_model(named.name, named.revision, remote_code=named.remote_code)
    tokenizer = load_tokenizer(named.name, named.revision, remote_code=named.remote_code)
    subwords = WordTokenizer(tokenizer, min(max_input_length(encoder) or LONGEST, LONGEST))
    return make_extractor(encoder, subwords, cache)


def make_extractor(
    encoder: PreTrainedModel, subwords: WordTokenizer, cache: RepresentationCache
) -> RepresentationExtractor:
    """Make a reader of an encoder, which is put onto a GPU if there is one."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return RepresentationExtractor(encoder.to(device), subwords, cache)


def compare(
    left: RepresentationExtractor,
    right: RepresentationExtractor,
    source: str,
    targets: Sequence[str],
    corpora: Corpora,
    asked: SimilarityConfig,
) -> list[Row]:
    """Compare what one reader makes of the source with what another makes of the targets.

    Rows have the columns of ``tables.ESTIMATES``.

    Raises:
        SimilarityError: as `similarity_by_layer` does, or if a layer is not there.
    """
    if asked.words:
        rows = _compare_words(left, right, source, targets, corpora, asked)
    else:
        own = left.sentences(source, corpora[source], asked.pooling)
        others = {t: right.sentences(t, corpora[t], asked.pooling) for t in targets}
        rows = similarity_by_layer(own, others, asked.measures, _layers(own, asked))
    same = {"split": asked.split, "unit": asked.unit, "pooling": asked.pooling}
    return [{**same, **row, "after_norm": row["layer"] in right.after_norm} for row in rows]


def _compare_words(
    left: RepresentationExtractor,
    right: RepresentationExtractor,
    source: str,
    targets: Sequence[str],
    corpora: Corpora,
    asked: SimilarityConfig,
) -> list[Row]:
    """Compare aligned words; other ones with each target."""
    pairs = {
        name: aligned_words(corpora[source], corpora[name], (source, name)) for name in targets
    }
    each = zip(*(own for own, _ in pairs.values()), strict=True)
    union = [sorted({word for chosen in of_one for word in chosen}) for of_one in each]
    vectors = left.words(source, corpora[source], union)
    rows: list[Row] = []
    for name, (own, theirs) in pairs.items():
        others = right.words(name, corpora[name], theirs)
        rows += similarity_by_layer(
            vectors[:, _rows(union, own)], {name: others}, asked.measures, _layers(vectors, asked)
        )
    return rows


def _rows(union: Sequence[Sequence[int]], chosen: Sequence[Sequence[int]]) -> list[int]:
    """Where the chosen words of every sentence are among all that were read."""
    found, start = [], 0
    for words, wanted in zip(union, chosen, strict=True):
        found += [start + words.index(word) for word in wanted]
        start += len(words)
    return found


def _layers(vectors: Tensor, asked: SimilarityConfig) -> list[int]:
    try:
        return asked.layers_of(len(vectors))
    except ValueError as error:
        raise SimilarityError(str(error)) from None
