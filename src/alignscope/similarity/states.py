"""The similarity of a run: of the pretrained encoder, of the fine-tuned one, and the drift."""

from alignscope.data.places import Places
from alignscope.similarity.by_layer import Row
from alignscope.similarity.corpora import Corpora, compare, read_parallel
from alignscope.similarity.reader import Reader
from alignscope.study import Run

PRETRAINED, FINE_TUNED, DRIFT = "pretrained", "fine-tuned", "drift"


def similarity_of_run(
    run: Run, pretrained: Reader, fine_tuned: Reader, places: Places
) -> list[Row]:
    """Compare the parallel corpora of a run (``tables.RUN_SIMILARITY`` from ``state`` on).

    The corpus in the source's language is compared with all others, as the fine-tuned encoder sees
    them and, once per seed (in REF), as the pretrained one does. Drift compares the two encoders on
    the same sentences, corpus by corpus; what is alike there was left as it was.

    Raises:
        DataError, SimilarityError: as `corpora.read_parallel` and `corpora.compare` do.
    """
    asked = run.similarity
    if asked is None:
        return []
    corpora = parallel_of(run, places)
    own, *others = corpora
    states = {FINE_TUNED: fine_tuned, **({PRETRAINED: pretrained} if run.window is None else {})}
    rows: list[Row] = []
    for state, reader in states.items():
        found = compare(reader, reader, own, others, corpora, asked)
        rows += [{"state": state, "corpus": own, **row} for row in found]
    if asked.drift:
        for name in corpora:
            found = compare(pretrained, fine_tuned, name, [name], corpora, asked)
            rows += [{"state": DRIFT, "corpus": name, **row} for row in found]
    return rows


def parallel_of(run: Run, places: Places) -> Corpora:
    """Read the parallel corpora of a run, first that in the language of its source.

    Raises:
        DataError: as `corpora.read_parallel` does.
    """
    asked = run.similarity
    if asked is None:
        return {}
    own = asked.corpus_of(run.source)
    return read_parallel([own, *(name for name in asked.corpora if name != own)], asked, places)
