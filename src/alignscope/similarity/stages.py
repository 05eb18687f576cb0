"""The similarity of a run: of the pretrained encoder, of the fine-tuned one, and the drift."""

import warnings
from collections.abc import Callable

from alignscope.config.similarity import SimilarityConfig
from alignscope.data.paths import DataPaths
from alignscope.similarity.block_changes import ComparedEncoders
from alignscope.similarity.compare import compare
from alignscope.similarity.extractor import RepresentationExtractor
from alignscope.similarity.layers import Row
from alignscope.similarity.measures.dimensions import OutlierDimensionWarning
from alignscope.similarity.reading import Corpora, ParallelTexts, read_parallel

PRETRAINED, FINE_TUNED, DRIFT, NOISE = "pretrained", "fine-tuned", "drift", "noise"


def load_parallel(config: SimilarityConfig, source: str, paths: DataPaths) -> Corpora:
    """Read the parallel corpora of a study, first the one in the language of ``source``.

    Raises:
        DataError: as `read_parallel` does.
    """
    first = config.corpus_of(source)
    others = (name for name in config.corpora if name != first)
    return read_parallel([first, *others], config, paths)


def compare_states(
    config: SimilarityConfig,
    corpora: Corpora,
    fine_tuned: RepresentationExtractor,
    load_pretrained: Callable[[], RepresentationExtractor],
    *,
    is_reference: bool,
) -> list[Row]:
    """Compare parallel corpora inside the encoder of a run, and the run's encoders with each other.

    The first corpus is compared with all others inside the fine-tuned encoder and, once per seed,
    inside the pretrained one. Drift compares the two encoders on the same sentences of each
    corpus: the more similar they are, the less fine-tuning has changed.

    Args:
        config: the measures, layers and pooling.
        corpora: parallel corpora, first the one in the language of the source.
        fine_tuned: the fine-tuned encoder.
        load_pretrained: loads the pretrained encoder; called only if it is needed.
        is_reference: whether the run is REF, which also stands for the pretrained encoder.

    Returns:
        Rows of ``RUN_SIMILARITY``, from the column ``state`` on.

    Raises:
        SimilarityError: as `compare` does.
    """
    rows = _compare_with_first(FINE_TUNED, fine_tuned, corpora, config)
    if not (is_reference or config.drift):
        return rows
    pretrained = load_pretrained()
    if is_reference:
        rows += _compare_with_first(PRETRAINED, pretrained, corpora, config)
    if config.drift:
        for name in corpora:
            same = ParallelTexts(name, [name], corpora)
            drift = _compare(pretrained, fine_tuned, same, config)
            rows += [{"state": DRIFT, "corpus": name, **row} for row in drift]
    return rows


def compare_with_noise(
    config: SimilarityConfig, corpora: Corpora, encoders: ComparedEncoders
) -> list[Row]:
    """Compare the pretrained encoder with its copy with noise, as drift does with fine-tuning.

    The curve over layers shows which drift the sizes of weights alone explain.

    Args:
        config: the layers and the pooling. Only CKA is measured, or the first measure without it.
        corpora: parallel corpora.
        encoders: the pretrained encoder and its copy.

    Returns:
        Rows of ``RUN_SIMILARITY``, from the column ``state`` on.
    """
    measure = "cka" if "cka" in config.measures else config.measures[0]
    config = config.model_copy(update={"measures": (measure,)})
    rows: list[Row] = []
    for name in corpora:
        same = ParallelTexts(name, [name], corpora)
        noise = _compare(encoders.pretrained, encoders.noise, same, config)
        rows += [{"state": NOISE, "corpus": name, **row} for row in noise]
    return rows


def check_similarity(
    config: SimilarityConfig, corpora: Corpora, pretrained: RepresentationExtractor
) -> None:
    """Compare parallel corpora inside the pretrained encoder, to find errors before any training.

    Raises:
        SimilarityError: as `compare_states` does.
    """
    _compare_with_first(PRETRAINED, pretrained, corpora, config)


def _compare_with_first(
    state: str,
    extractor: RepresentationExtractor,
    corpora: Corpora,
    config: SimilarityConfig,
) -> list[Row]:
    """Compare the first corpus with all others inside one encoder."""
    first, *others = corpora
    rows = _compare(extractor, extractor, ParallelTexts(first, others, corpora), config)
    return [{"state": state, "corpus": first, **row} for row in rows]


def _compare(
    left: RepresentationExtractor,
    right: RepresentationExtractor,
    parallel: ParallelTexts,
    config: SimilarityConfig,
) -> list[Row]:
    """Compare as `compare` does, without warnings of large dimensions.

    The rows have the values without these dimensions, and reports name them; a warning in every
    run would bury all others.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutlierDimensionWarning)
        return compare(left, right, parallel, config)
