"""The embedded languages as files, for other tools: a data folder as `data.layouts` reads it."""

from collections.abc import Sequence
from pathlib import Path

from alignscope._util.files import write_lines
from alignscope.data.conllu import write_conllu
from alignscope.data.layouts import SPLITS
from alignscope.data.sentence import Sentence
from alignscope.data.synthetic.corpus import domains, read_synthetic
from alignscope.data.synthetic.language import load_language
from alignscope.errors import DataError

ENTITIES = "made"
"""What the named entity corpora are called: ``made:vesti_news``."""


def write_treebanks(folder: Path, names: Sequence[str]) -> list[Path]:
    """Write every domain and split of some languages, trees as CoNLL-U and entities as IOB2.

    >>> write_treebanks(Path("corpora"), ["vesti"])[0]
    PosixPath('corpora/ud/vesti_chat/train.conllu')

    They read back as ``ud:vesti_chat`` and ``made:vesti_chat`` where ``folder`` is a data folder.

    Raises:
        DataError: if there is no such language, or a file cannot be written.
    """
    for name in names:
        load_language(name)
    written = []
    for name in names:
        for domain in domains():
            for split in SPLITS:
                sentences = read_synthetic(name, domain, split)
                written += _write(folder, f"{name}_{domain}", split, sentences)
    return written


def _write(folder: Path, code: str, split: str, sentences: Sequence[Sentence]) -> list[Path]:
    trees = folder / "ud" / code / f"{split}.conllu"
    entities = folder / "ner" / ENTITIES / code / f"{split}.tsv"
    try:
        for path in (trees, entities):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_conllu(sentences, trees)
        write_lines([line for sentence in sentences for line in _tagged(sentence)], entities)
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror}") from None
    return [trees, entities]


def _tagged(sentence: Sentence) -> list[str]:
    """A sentence in the layout that `read_iob2` reads."""
    rows = zip(sentence.words, sentence.entities or (), strict=True)
    return [f"# sent_id = {sentence.id}", *(f"{word}\t{tag}" for word, tag in rows), ""]
