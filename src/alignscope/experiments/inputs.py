"""What a run reads: its splits, and the checksums of the files behind them."""

from collections.abc import Sequence
from functools import lru_cache

from alignscope._util.files import checksum
from alignscope.config.run import Run
from alignscope.data.corpora import MADE, _digest, read, spread
from alignscope.data.corpus import Corpus, parse_corpus
from alignscope.data.locate import check_annotations, locate
from alignscope.data.paths import Places
from alignscope.data.sentence import Sentence
from alignscope.data.synthetic.corpus import read_synthetic
from alignscope.tasks import TASKS


def read_split(run: Run, name: str, split: str, places: Places) -> Sequence[Sentence]:
    """Read the sentences of one split, as many as the run's limits allow.

    Raises:
        DataError: if the corpus, the split or an annotation that the task needs is missing.
    """
    sentences = read(parse_corpus(name), split, places)
    check_annotations(sentences, TASKS[run.task].needs, f"{name}/{split}")
    return spread(sentences, getattr(run.limits, split))


def splits_of(run: Run) -> list[tuple[str, str]]:
    """Every corpus and split that a run trains or is scored on."""
    return [
        (run.source, "train"),
        (run.source, "dev"),
        *((name, "test") for name in run.evaluated),
    ]


def checksums(run: Run, places: Places) -> dict[str, str]:
    """The SHA-256 of all that a run reads, by ``corpus/split``: of files, or of what was made."""
    asked = run.similarity
    compared = [] if asked is None else [(name, asked.split) for name in asked.corpora]
    return {
        f"{name}/{split}": _checksum(parse_corpus(name), split, places)
        for name, split in [*splits_of(run), *compared]
    }


def _checksum(corpus: Corpus, split: str, places: Places) -> str:
    if corpus.kind == MADE:
        return _checksum_of_made(corpus.language, corpus.domain, split)
    return checksum(locate(corpus, split, places))


@lru_cache(maxsize=256)
def _checksum_of_made(language: str, domain: str, split: str) -> str:
    return _digest(map(repr, read_synthetic(language, domain, split)))
