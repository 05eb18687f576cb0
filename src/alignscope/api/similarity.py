"""Compare parallel texts inside an encoder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import polars as pl

from alignscope._util.validation import parse_options
from alignscope.config.run import EncoderSpec
from alignscope.config.similarity import ComparisonConfig, Reading, SentencePooling, Split
from alignscope.data import corpora
from alignscope.data.corpus import parse_corpus
from alignscope.data.paths import DataPaths
from alignscope.data.sentence import Sentence
from alignscope.errors import SimilarityError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from alignscope.encoders.encoder import Encoder

Corpus = str | Sequence[Sentence]


def similarity(
    encoder: "Encoder | EncoderSpec | str",
    source: Corpus | Sequence[str],
    targets: Mapping[str, Corpus | Sequence[str]] | Sequence[str],
    *,
    measures: Sequence[str] = ("cka", "retrieval"),
    layers: Sequence[int] | str | None = None,
    pooling: SentencePooling = "mean",
    unit: Literal["sentence", "word"] = "sentence",
    split: Split = "test",
    limit: int | None = None,
    text: Reading = "raw",
    neighbours: int = 10,
    data: Sequence[str | Path] = (),
    offline: bool = False,
    cached: bool = True,
) -> pl.DataFrame:
    """Compare parallel texts inside an encoder, layer by layer.

    >>> import alignscope as al
    >>> encoder = al.load_encoder("embedded", device="cpu")
    >>> vesti, qadir = "synthetic:vesti/news", "synthetic:qadir/news"
    >>> table = al.similarity(encoder, vesti, [qadir], measures=["retrieval"], layers=[0, 8])
    >>> table.select("layer", "n", "estimator").rows()
    [(0, 500, 'plain'), (8, 500, 'plain')]

    Args:
        encoder: the encoder, or its name.
        source: the name of a corpus, such as ``ud:en_pud``; or at least 20 sentences, or strings
            of running text.
        targets: names of corpora that are translations of the source, which are paired by
            sentence id; or, by a name for the table, texts that are paired by position.
        measures: names of similarity measures; `docs/similarity.md` lists them.
        layers: layers to compare, 0 for the embeddings and i + 1 for the output of block i; as
            numbers or like ``"0-3,8"``. By default all.
        pooling: how subwords become the vector of a sentence: ``mean``, ``weighted``, ``first`` or
            ``last``.
        unit: ``word`` compares words that the corpora align, instead of sentences.
        split: the split of corpora that are given by name.
        limit: how many sentences at most, at equal distances; all by default.
        text: ``raw`` reads sentences as running text, as they are written; ``words`` splits each
            word into subwords on its own, as for fine-tuning.
        neighbours: how many neighbours the measure ``mutual-knn`` compares.
        data: folders with corpora, searched before those in ``ALIGNSCOPE_DATA``.
        offline: whether to refuse corpora that are not on this machine.
        cached: whether to keep representations of named corpora in the cache folder.

    Returns:
        One row per target, layer, measure and estimator: ``value``, its 95 % interval ``low`` to
        ``high``, and the central 95 % of the values of unrelated pairs, ``null_low`` to
        ``null_high``. `docs/tables.md` describes the other columns: bands over all layers, and
        controls for sentence length and large dimensions.

    Raises:
        DataError: if a corpus does not exist, or the texts do not line up.
        SimilarityError: if there are fewer than 20 sentences, or a layer does not exist.
        StudyError: if a measure or an option does not exist.
    """
    from alignscope.encoders.encoder import Encoder, load_encoder
    from alignscope.similarity.compare import compare_corpora, compare_texts

    chosen = layers if layers is None or isinstance(layers, str) else ",".join(map(str, layers))
    config = parse_options(
        ComparisonConfig,
        measures=tuple(measures),
        layers=chosen,
        pooling=pooling,
        words=unit == "word",
        split=split,
        limit=limit,
        text=text,
        neighbours=neighbours,
    )
    paths = DataPaths.of(data, download=not offline)
    if isinstance(source, str) and not isinstance(targets, Mapping):
        names = [source, *([targets] if isinstance(targets, str) else targets)]
        return compare_corpora(encoder, names, paths, config, cached=cached)
    if not isinstance(targets, Mapping):
        raise SimilarityError(
            "The source is a list of texts, so the targets must be texts by name, such as "
            '{"de": [...]}.'
        )

    def texts(corpus: Corpus | Sequence[str]) -> Sequence[Sentence] | Sequence[str]:
        if isinstance(corpus, str):
            return corpora.load_corpus(parse_corpus(corpus), split, paths)
        return corpus

    if not isinstance(encoder, Encoder):
        spec = EncoderSpec(name=encoder) if isinstance(encoder, str) else encoder
        encoder = load_encoder(
            spec.name, revision=spec.revision, trust_remote_code=spec.remote_code
        )
    named = source if isinstance(source, str) else "source"
    translations = {name: texts(target) for name, target in targets.items()}
    return compare_texts(encoder, texts(source), translations, config, source_name=named)


def plot_similarity(table: pl.DataFrame) -> "Figure":
    """Draw a table of `similarity`: a panel for each measure, a line over layers for each target.

    The grey band is what unrelated pairs of sentences would give.
    """
    from alignscope.report.figures.curves import similarity_figure

    return similarity_figure(table)
