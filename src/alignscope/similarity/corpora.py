"""Similarity between corpora: from names to the table."""

from collections.abc import Sequence

import polars as pl
from torch import Tensor
from transformers import PreTrainedModel

from alignscope.corpora import read, spread
from alignscope.data.corpus import parse_corpus
from alignscope.data.places import Places
from alignscope.data.sentence import Sentence
from alignscope.encoders.load import load_encoder, load_tokenizer, speak
from alignscope.similarity.by_layer import similarity_by_layer
from alignscope.similarity.parallel import check_parallel
from alignscope.similarity.represent import represent
from alignscope.study import Encoder
from alignscope.subwords import Subwords, longest_input
from alignscope.tables import SIMILARITY, frame

LONGEST = 512  # pieces, where an encoder sets no limit


def similarity_table(
    encoder: Encoder,
    source: str,
    targets: Sequence[str],
    places: Places,
    *,
    split: str = "test",
    limit: int | None = None,
) -> pl.DataFrame:
    """Compare a parallel corpus with its translations (``tables.SIMILARITY``).

    >>> similarity_table(Encoder(name="embedded"), "synthetic:vesti/news",
    ...                  ["synthetic:qadir/news"], Places.of()).columns[:5]
    ['encoder', 'source', 'split', 'target', 'layer']

    Sentences are paired by their ids; ``limit`` takes as many at equal distances.

    Raises:
        DataError: if a corpus is not there, or does not line up with the source.
        EncoderError: if the encoder cannot be loaded.
        SimilarityError: if there are too few sentences to compare.
    """
    loaded = load_encoder(encoder.name, encoder.revision, remote_code=encoder.remote_code)
    tokenizer = load_tokenizer(encoder.name, encoder.revision, remote_code=encoder.remote_code)
    subwords = Subwords(tokenizer, min(longest_input(loaded) or LONGEST, LONGEST))

    def sentences(name: str) -> Sequence[Sentence]:
        return spread(read(parse_corpus(name), split, places), limit)

    own = sentences(source)
    for name in targets:
        check_parallel(own, sentences(name), (source, name))
    left = _represent(loaded, subwords, source, own)
    right = {name: _represent(loaded, subwords, name, sentences(name)) for name in targets}
    rows = similarity_by_layer(left, right)
    same = {"encoder": encoder.label, "source": source, "split": split}
    return frame([{**same, **row} for row in rows], SIMILARITY)


def _represent(
    encoder: PreTrainedModel, subwords: Subwords, name: str, sentences: Sequence[Sentence]
) -> Tensor:
    speak(encoder, parse_corpus(name).language)
    return represent(encoder, subwords, sentences)
