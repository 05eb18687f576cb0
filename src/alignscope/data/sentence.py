"""A sentence: words and what is known, or predicted, about each of them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words with parallel annotations, gold or predicted.

    >>> Sentence(words=("Dogs", "bark"), upos=("NOUN", "VERB"), heads=(2, 0)).heads
    (2, 0)

    Every annotation is ``None`` (not there) or has one entry per word. ``heads`` count as CoNLL-U
    does: 0 is the root, i the i-th word. ``relations`` are kept as in the file, subtypes
    included (``nsubj:pass``). ``entities`` are IOB2 tags. ``misc`` (CoNLL-U's last column),
    ``comments`` (without the ``#``), ``ranges`` (multiword tokens) and ``empty`` (empty nodes)
    only travel along, so that a file can be written back.

    Raises:
        ValueError: if an annotation does not have one entry per word.
    """

    words: tuple[str, ...]
    id: str | None = None
    upos: tuple[str, ...] | None = None
    heads: tuple[int, ...] | None = None
    relations: tuple[str, ...] | None = None
    entities: tuple[str, ...] | None = None
    misc: tuple[str, ...] | None = None
    comments: tuple[str, ...] = ()
    ranges: tuple["MultiwordToken", ...] = ()
    empty: tuple["EmptyNode", ...] = ()

    def __post_init__(self) -> None:
        for name in ("upos", "heads", "relations", "entities", "misc"):
            values = getattr(self, name)
            if values is not None and len(values) != len(self.words):
                raise ValueError(f"{len(values)} {name} for {len(self.words)} words")

    def __len__(self) -> int:
        return len(self.words)


@dataclass(frozen=True, slots=True)
class MultiwordToken:
    """A multiword token: words ``first`` to ``last`` (from 1, inclusive) written ``form``."""

    first: int
    last: int
    form: str


@dataclass(frozen=True, slots=True)
class EmptyNode:
    """An empty node ``after.index`` of enhanced dependencies, such as ``5.1``."""

    after: int
    index: int
    form: str
