"""The inputs of a run: its splits, and the checksums of their files."""

from collections.abc import Sequence
from functools import lru_cache

from alignscope._util.files import checksum
from alignscope.config.run import RunSpec
from alignscope.data.corpora import SYNTHETIC, digest_lines, load_corpus, subsample_evenly
from alignscope.data.corpus import CorpusSpec, parse_corpus
from alignscope.data.locate import check_annotations, locate
from alignscope.data.paths import DataPaths
from alignscope.data.sentence import Sentence, text_for_checksum
from alignscope.data.synthetic.corpus import read_synthetic
from alignscope.tasks import TASKS


def load_split(run: RunSpec, name: str, split: str, paths: DataPaths) -> Sequence[Sentence]:
    """Read the sentences of one split, at most as many as the run's limits allow.

    Args:
        run: the run, which names the task and the limits.
        name: the name of the corpus.
        split: ``train``, ``dev`` or ``test``.
        paths: folders with corpora.

    Raises:
        DataError: if the corpus, the split or an annotation that the task needs is missing.
    """
    sentences = load_corpus(parse_corpus(name), split, paths)
    check_annotations(sentences, TASKS[run.task].needs, f"{name}/{split}")
    return subsample_evenly(sentences, getattr(run.limits, split))


def required_splits(run: RunSpec) -> list[tuple[str, str]]:
    """Return every corpus and split that a run is trained or evaluated on."""
    return [
        (run.source, "train"),
        (run.source, "dev"),
        *((name, "test") for name in run.evaluated),
    ]


def input_checksums(run: RunSpec, paths: DataPaths) -> dict[str, str]:
    """Return the SHA-256 of every split that a run reads, by ``corpus/split``.

    It is the checksum of a file, or of the generated sentences of a synthetic corpus.
    """
    config = run.similarity
    compared = [] if config is None else [(name, config.split) for name in config.corpora]
    return {
        f"{name}/{split}": _checksum(parse_corpus(name), split, paths)
        for name, split in [*required_splits(run), *compared]
    }


def _checksum(corpus: CorpusSpec, split: str, paths: DataPaths) -> str:
    if corpus.kind == SYNTHETIC:
        return _checksum_of_synthetic(corpus.language, corpus.domain, split)
    return checksum(locate(corpus, split, paths))


@lru_cache(maxsize=256)
def _checksum_of_synthetic(language: str, domain: str, split: str) -> str:
    return digest_lines(map(text_for_checksum, read_synthetic(language, domain, split)))
