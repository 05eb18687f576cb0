"""Write the synthetic corpora to files that other tools can read."""

from collections.abc import Sequence
from pathlib import Path

from alignscope._util.files import write_lines
from alignscope.data.conllu import write_conllu
from alignscope.data.layouts import SPLITS
from alignscope.data.sentence import Sentence
from alignscope.data.surface import running_text
from alignscope.data.synthetic.corpus import domains, read_synthetic
from alignscope.data.synthetic.language import load_language
from alignscope.errors import DataError

ENTITIES = "made"
"""Data set name of the exported named-entity corpora: ``made:vesti_news``."""

TOPICS = "topic"
"""Data set name of the exported classification corpora: ``topic:vesti_news``."""


def write_treebanks(folder: Path, names: Sequence[str]) -> list[Path]:
    """Write every domain and split of some languages and return the paths.

    Trees are written as CoNLL-U, named entities as IOB2 and topics as a table: with ``folder`` as
    a data folder they are read back as ``ud:vesti_chat``, ``made:vesti_chat`` and
    ``topic:vesti_chat``::

        write_treebanks(Path("corpora"), ["vesti"])
        # corpora/ud/vesti_chat/train.conllu, corpora/ner/made/vesti_chat/train.tsv,
        # corpora/classification/topic/vesti_chat/train.tsv, ...

    Raises:
        DataError: if a language is unknown or a file cannot be written.
    """
    for name in names:
        load_language(name)
    return [
        path
        for name in names
        for domain in domains()
        for split in SPLITS
        for path in _write_split(
            folder, f"{name}_{domain}", split, read_synthetic(name, domain, split)
        )
    ]


def _write_split(folder: Path, code: str, split: str, sentences: Sequence[Sentence]) -> list[Path]:
    trees = folder / "ud" / code / f"{split}.conllu"
    entities = folder / "ner" / ENTITIES / code / f"{split}.tsv"
    topics = folder / "classification" / TOPICS / code / f"{split}.tsv"
    try:
        for path in (trees, entities, topics):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_conllu(sentences, trees)
        write_lines([line for sentence in sentences for line in _iob2_lines(sentence)], entities)
        write_lines([_TOPIC_HEADER, *map(_topic_row, sentences)], topics)
    except OSError as error:
        raise DataError(
            f"Cannot write {folder}: {error.strerror}. Choose a folder that you may write to."
        ) from None
    return [trees, entities, topics]


def _iob2_lines(sentence: Sentence) -> list[str]:
    tagged = zip(sentence.words, sentence.entities or (), strict=True)
    return [f"# sent_id = {sentence.id}", *(f"{word}\t{tag}" for word, tag in tagged), ""]


_TOPIC_HEADER = "index_id\tcategory\ttext\ttext_tokenized"


def _topic_row(sentence: Sentence) -> str:
    words = " ".join(sentence.words)
    return f"{sentence.id}\t{sentence.label}\t{running_text(sentence)}\t{words}"
