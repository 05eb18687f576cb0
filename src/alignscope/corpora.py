"""The splits of a run: which sentences of which corpora it uses."""

from collections.abc import Sequence

from alignscope.data.corpus import locate, parse_corpus, read_corpus
from alignscope.data.files import checksum
from alignscope.data.places import Places
from alignscope.data.sentence import Sentence
from alignscope.study import Run
from alignscope.tasks import TASKS


def read_split(run: Run, name: str, split: str, places: Places) -> Sequence[Sentence]:
    """Read the sentences of one split, as many as the run's limits allow.

    Raises:
        DataError: if the corpus, the split or an annotation that the task needs is missing.
    """
    needs = TASKS[run.task].needs
    sentences = read_corpus(parse_corpus(name), split, places, needs=needs)
    return spread(sentences, getattr(run.limits, split))


def spread(sentences: Sequence[Sentence], limit: int | None) -> Sequence[Sentence]:
    """Take ``limit`` sentences at equal distances, since treebanks are sorted by document.

    >>> spread([0, 1, 2, 3, 4, 5], 3)
    [0, 2, 4]
    """
    if limit is None or limit >= len(sentences):
        return sentences
    return [sentences[i * len(sentences) // limit] for i in range(limit)]


def splits_of(run: Run) -> list[tuple[str, str]]:
    """Every corpus and split that a run reads."""
    return [
        (run.source, "train"),
        (run.source, "dev"),
        *((name, "test") for name in run.evaluated),
    ]


def checksums(run: Run, places: Places) -> dict[str, str]:
    """The SHA-256 of every file a run reads, by ``corpus/split``."""
    return {
        f"{name}/{split}": checksum(locate(parse_corpus(name), split, places))
        for name, split in splits_of(run)
    }
