"""What a run reads: its splits, and the checksums of the files behind them."""

from collections.abc import Sequence
from functools import lru_cache

from alignscope._util.files import checksum
from alignscope.config.run import RunSpec
from alignscope.data.corpora import SYNTHETIC, _digest_lines, load_corpus, subsample_evenly
from alignscope.data.corpus import CorpusSpec, parse_corpus
from alignscope.data.locate import check_annotations, locate
from alignscope.data.paths import DataPaths
from alignscope.data.sentence import Sentence
from alignscope.data.synthetic.corpus import read_synthetic
from alignscope.tasks import TASKS


def load_split(run: RunSpec, name: str, split: str, places: DataPaths) -> Sequence[Sentence]:
    """Read the sentences of one split, as many as the run's limits allow.

    Raises:
        DataError: if the corpus, the split or an annotation that the task needs is missing.
    """
    sentences = load_corpus(parse_corpus(name), split, places)
    check_annotations(sentences, TASKS[run.task].needs, f"{name}/{split}")
    return subsample_evenly(sentences, getattr(run.limits, split))


def required_splits(run: RunSpec) -> list[tuple[str, str]]:
    """Every corpus and split that a run trains or is scored on."""
    return [
        (run.source, "train"),
        (run.source, "dev"),
        *((name, "test") for name in run.evaluated),
    ]


def input_checksums(run: RunSpec, places: DataPaths) -> dict[str, str]:
    """The SHA-256 of all that a run reads, by ``corpus/split``: of files, or of what was made."""
    asked = run.similarity
    compared = [] if asked is None else [(name, asked.split) for name in asked.corpora]
    return {
        f"{name}/{split}": _checksum(parse_corpus(name), split, places)
        for name, split in [*required_splits(run), *compared]
    }


def _checksum(corpus: CorpusSpec, split: str, places: DataPaths) -> str:
    if corpus.kind == SYNTHETIC:
        return _checksum_of_synthetic(corpus.language, corpus.domain, split)
    return checksum(locate(corpus, split, places))


@lru_cache(maxsize=256)
def _checksum_of_synthetic(language: str, domain: str, split: str) -> str:
    return _digest_lines(map(repr, read_synthetic(language, domain, split)))
