"""Compare corpora, or sentences in memory, inside an encoder: from names to a table."""

from collections.abc import Mapping, Sequence

import polars as pl
from torch import Tensor

from alignscope.config.run import EncoderSpec
from alignscope.config.similarity import ComparisonConfig
from alignscope.data.corpora import subsample_evenly
from alignscope.data.paths import DataPaths
from alignscope.data.sentence import Sentence
from alignscope.encoders.encoder import Encoder
from alignscope.encoders.tokenization import Text
from alignscope.errors import DataError, SimilarityError
from alignscope.results.schemas import SIMILARITY, to_frame
from alignscope.similarity.alignment import align, aligned_words
from alignscope.similarity.cache import RepresentationCache
from alignscope.similarity.extractor import (
    RepresentationExtractor,
    default_cache,
    load_extractor,
)
from alignscope.similarity.layers import Row, check_rows, similarity_by_layer
from alignscope.similarity.measures.context import Context, Documents
from alignscope.similarity.measures.lengths import Lengths
from alignscope.similarity.reading import (
    ParallelTexts,
    as_read,
    read_parallel,
    warn_unknown_words,
)


def compare_corpora(
    encoder: Encoder | EncoderSpec | str,
    corpora: Sequence[str],
    paths: DataPaths | None = None,
    config: ComparisonConfig | None = None,
    *,
    cached: bool = True,
) -> pl.DataFrame:
    """Compare a parallel corpus with its translations.

    >>> config = ComparisonConfig(measures=("retrieval",), layers="8", limit=50)
    >>> corpora = ["synthetic:vesti/news", "synthetic:qadir/news"]
    >>> compare_corpora("embedded", corpora, config=config).select("target", "layer", "n").rows()
    [('synthetic:qadir/news', 8, 50)]

    Args:
        encoder: an encoder in memory, or the name of one.
        corpora: the names of the source and then of its translations; sentences are paired by id.
        paths: where corpora are searched; `DataPaths.of` by default.
        config: measures, layers, pooling and more.
        cached: whether representations are kept in the cache folder of ``paths``.

    Returns:
        The table `similarity`: a row per target, layer, measure and estimator.

    Raises:
        DataError: if a corpus is missing, occurs twice, or does not line up with the source.
        EncoderError: if the encoder cannot be loaded.
        SimilarityError: if there are too few sentences to compare, or a layer does not exist.

    Warns:
        UnknownWarning: if the tokenizer maps more than 10 % of a corpus's words to its unknown
            token.
    """
    paths, config = paths or DataPaths.of(), config or ComparisonConfig()
    source, *targets = corpora
    for name in targets:
        if corpora.count(name) > 1:
            raise DataError(f"{name} is given twice. Compare the source with other corpora.")
    parallel = ParallelTexts(source, targets, read_parallel(corpora, config, paths))
    cache = default_cache(paths) if cached else RepresentationCache(None)
    if isinstance(encoder, Encoder):
        name, extractor = encoder.name, _extractor_in_memory(encoder, cache)
    else:
        spec = EncoderSpec(name=encoder) if isinstance(encoder, str) else encoder
        name, extractor = spec.label, load_extractor(spec, cache)
    return _table(name, extractor, parallel, config)


def compare_texts(
    encoder: Encoder,
    source: Sequence[Text],
    targets: Mapping[str, Sequence[Text]],
    config: ComparisonConfig | None = None,
    *,
    source_name: str = "source",
) -> pl.DataFrame:
    """Compare sentences or strings in memory with their translations.

    >>> from alignscope.encoders.encoder import load_encoder
    >>> encoder = load_encoder("embedded", device="cpu")
    >>> texts = [f"tavu {word}" for word in "abcdefghijklmnopqrst"]
    >>> config = ComparisonConfig(measures=("retrieval",), layers="8")
    >>> compare_texts(encoder, texts, {"copy": texts}, config)["value"].to_list()
    [1.0]

    A string is running text and is read as the encoder's tokenizer reads it; its words are the
    pre-tokens of the tokenizer. A `Sentence` is read as its running text, too, or with
    ``text="words"`` word by word, as for fine-tuning. Sentences are paired by their ids if both
    sides have ids, or else by position. Nothing is cached on disk.

    Args:
        encoder: the encoder.
        source: at least 20 sentences or strings.
        targets: their translations, by name. X-MOD takes a name such as ``de`` for the language.
        config: measures, layers, pooling and more; its split is not used.
        source_name: how the table calls the source; the language, for X-MOD.

    Returns:
        The table `similarity`, as `compare_corpora` returns it, without a split.

    Raises:
        DataError: if a target does not line up with the source.
        EncoderError: if X-MOD has no adapters for a language.
        SimilarityError: if there are too few sentences to compare, or a layer does not exist.

    Warns:
        UnknownWarning: as `compare_corpora` does.
    """
    if not isinstance(encoder, Encoder):
        raise SimilarityError(
            f"compare_texts takes an Encoder, got a {type(encoder).__name__}. Use load_encoder, or "
            "wrap a model: Encoder(model, tokenizer)."
        )
    config = config or ComparisonConfig()
    if source_name in targets:
        raise DataError(f"A target has the name of the source, {source_name}. Rename one of them.")
    check_rows(len(source))
    texts = {source_name: subsample_evenly(source, config.limit)}
    for name, target in targets.items():
        texts[name] = subsample_evenly(align(source, target, (source_name, name)), config.limit)
    parallel = ParallelTexts(source_name, list(targets), texts)
    extractor = _extractor_in_memory(encoder, RepresentationCache(None))
    table = _table(encoder.name, extractor, parallel, config)
    return table.with_columns(pl.lit(None, SIMILARITY["split"]).alias("split"))


def _table(
    encoder: str,
    extractor: RepresentationExtractor,
    parallel: ParallelTexts,
    config: ComparisonConfig,
) -> pl.DataFrame:
    for name, texts in parallel.texts.items():
        warn_unknown_words(name, extractor.tokenizer.split(as_read(texts, config)))
    rows = compare(extractor, extractor, parallel, config)
    return to_frame(
        [{"encoder": encoder, "source": parallel.source, **row} for row in rows], SIMILARITY
    )


def _extractor_in_memory(encoder: Encoder, cache: RepresentationCache) -> RepresentationExtractor:
    return RepresentationExtractor(encoder.model, encoder.word_tokenizer(), cache)


def compare(
    left: RepresentationExtractor,
    right: RepresentationExtractor,
    parallel: ParallelTexts,
    config: ComparisonConfig,
) -> list[Row]:
    """Compare the source inside one encoder with the targets inside another, or the same.

    Args:
        left: extracts the representations of the source.
        right: extracts those of the targets.
        parallel: the source and its targets.
        config: measures, layers, pooling and more.

    Returns:
        Rows with the columns of ``schemas.ESTIMATES``.

    Raises:
        SimilarityError: as `similarity_by_layer` does, or if a layer does not exist.
    """
    if config.words:
        rows = _compare_words(left, right, parallel, config)
    else:
        rows = _compare_sentences(left, right, parallel, config)
    common = {"split": config.split, "unit": config.unit, "pooling": config.pooling}
    return [{**common, **row, "after_norm": row["layer"] in right.after_norm} for row in rows]


def _compare_sentences(
    left: RepresentationExtractor,
    right: RepresentationExtractor,
    parallel: ParallelTexts,
    config: ComparisonConfig,
) -> list[Row]:
    texts = {name: as_read(parallel.texts[name], config) for name in parallel.names}
    source = left.sentences(parallel.source, texts[parallel.source], config.pooling)
    targets = {
        name: right.sentences(name, texts[name], config.pooling) for name in parallel.targets
    }
    documents = _documents([parallel.texts[name] for name in parallel.names])
    lengths = {name: left.lengths(texts[name]) for name in parallel.names}
    contexts = {
        name: Context(documents, _lengths(parallel, name, lengths), config.neighbours)
        for name in parallel.targets
    }
    layers = _layers(source, config)
    return similarity_by_layer(source, targets, config.measures, layers, contexts)


def _documents(corpora: Sequence[Sequence[Text]]) -> Documents | None:
    """Return the documents of the first corpus that has a document for every text, if any."""
    for texts in corpora:
        names = [text.document if isinstance(text, Sentence) else None for text in texts]
        if None not in names and len(set(names)) > 1:
            return Documents(names)
    return None


def _lengths(
    parallel: ParallelTexts, target: str, lengths: Mapping[str, Sequence[int]]
) -> Lengths | None:
    """Return the lengths on both sides; None for drift, which compares texts with themselves."""
    if target == parallel.source:
        return None
    return Lengths(lengths[parallel.source], lengths[target])


def _compare_words(
    left: RepresentationExtractor,
    right: RepresentationExtractor,
    parallel: ParallelTexts,
    config: ComparisonConfig,
) -> list[Row]:
    """Compare aligned words; which words of the source take part depends on the target."""
    sentences = {name: parallel.sentences(name) for name in parallel.names}
    texts = {name: as_read(sentences[name], config) for name in parallel.names}
    source = parallel.source
    pairs = {
        name: aligned_words(sentences[source], sentences[name], (source, name))
        for name in parallel.targets
    }
    by_sentence = zip(*(of_source for of_source, _ in pairs.values()), strict=True)
    union = [sorted({word for words in sentence for word in words}) for sentence in by_sentence]
    vectors = left.words(source, texts[source], union)
    rows: list[Row] = []
    for name, (of_source, of_target) in pairs.items():
        targets = {name: right.words(name, texts[name], of_target)}
        chosen = vectors[:, _rows_of_words(union, of_source)]
        lengths = {source: left.word_lengths(texts[source], of_source)}
        lengths[name] = left.word_lengths(texts[name], of_target)
        owners = [[s] * len(w) for s, w in zip(sentences[source], of_source, strict=True)]
        documents = _documents([[sentence for owner in owners for sentence in owner]])
        context = Context(documents, _lengths(parallel, name, lengths), config.neighbours)
        rows += similarity_by_layer(
            chosen, targets, config.measures, _layers(vectors, config), {name: context}
        )
    # Targets are compared on different words, so there is no mean over targets.
    return [{**row, "mean_peak": None} for row in rows]


def _rows_of_words(union: Sequence[Sequence[int]], chosen: Sequence[Sequence[int]]) -> list[int]:
    """Return the rows of chosen words among the vectors of all words in ``union``."""
    rows, start = [], 0
    for words, wanted in zip(union, chosen, strict=True):
        rows += [start + words.index(word) for word in wanted]
        start += len(words)
    return rows


def _layers(vectors: Tensor, config: ComparisonConfig) -> list[int]:
    try:
        return config.layers_of(len(vectors))
    except ValueError as error:
        raise SimilarityError(str(error)) from None
