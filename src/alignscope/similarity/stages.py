"""The similarity of a run: of the pretrained encoder, of the fine-tuned one, and the drift."""

from collections.abc import Callable

from alignscope.config.run import RunSpec
from alignscope.config.similarity import SimilarityConfig
from alignscope.data.paths import DataPaths
from alignscope.similarity.compare import Corpora, ParallelTexts, compare, read_parallel
from alignscope.similarity.extractor import RepresentationExtractor
from alignscope.similarity.layers import Row

PRETRAINED, FINE_TUNED, DRIFT = "pretrained", "fine-tuned", "drift"


def run_similarity(
    run: RunSpec,
    load_pretrained: Callable[[], RepresentationExtractor],
    fine_tuned: RepresentationExtractor,
    places: DataPaths,
) -> list[Row]:
    """Compare the parallel corpora of a run (``tables.RUN_SIMILARITY`` from ``state`` on).

    The corpus in the source's language is compared with all others, as the fine-tuned encoder sees
    them and, once per seed (in REF), as the pretrained one does. Drift compares the two encoders on
    the same sentences, corpus by corpus; what is alike there was left as it was. The pretrained
    encoder is loaded where it is needed.

    Raises:
        DataError, SimilarityError: as `corpora.read_parallel` and `corpora.compare` do.
    """
    asked = run.similarity
    if asked is None:
        return []
    corpora = load_parallel(run, places)
    rows = _across(FINE_TUNED, fine_tuned, corpora, asked)
    if run.window is not None and not asked.drift:
        return rows
    pretrained = load_pretrained()
    if run.window is None:
        rows += _across(PRETRAINED, pretrained, corpora, asked)
    if asked.drift:
        for name in corpora:
            same = ParallelTexts(name, [name], corpora)
            found = compare(pretrained, fine_tuned, same, asked)
            rows += [{"state": DRIFT, "corpus": name, **row} for row in found]
    return rows


def check_similarity(run: RunSpec, pretrained: RepresentationExtractor, places: DataPaths) -> None:
    """Compare what the pretrained encoder makes of a run's corpora, to see that it can be done.

    Raises:
        DataError, SimilarityError: as `run_similarity` does.
    """
    if run.similarity is not None:
        _across(PRETRAINED, pretrained, load_parallel(run, places), run.similarity)


def _across(
    state: str, reader: RepresentationExtractor, corpora: Corpora, asked: SimilarityConfig
) -> list[Row]:
    """Compare the first of the corpora with all others, inside one encoder."""
    own, *others = corpora
    found = compare(reader, reader, ParallelTexts(own, others, corpora), asked)
    return [{"state": state, "corpus": own, **row} for row in found]


def load_parallel(run: RunSpec, places: DataPaths) -> Corpora:
    """Read the parallel corpora of a run, first that in the language of its source.

    Raises:
        DataError: as `corpora.read_parallel` does.
    """
    asked = run.similarity
    if asked is None:
        return {}
    own = asked.corpus_of(run.source)
    return read_parallel([own, *(name for name in asked.corpora if name != own)], asked, places)
