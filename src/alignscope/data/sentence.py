"""Sentences: words with gold or predicted annotations."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Annotation = tuple[Any, ...] | str
"""One entry per word, or one text for the whole sentence."""

_PUD_ID = re.compile(r"[nw]\d{8}")
"""The id of a sentence of PUD: a document of news or Wikipedia, and three digits."""

_CHECKSUM_ANNOTATIONS = ("upos", "heads", "relations", "entities")


@dataclass(frozen=True, slots=True, init=False)
class Sentence:
    """Words with annotations, gold or predicted.

    >>> dogs = Sentence(words=("Dogs", "bark"), upos=("NOUN", "VERB"), topic="animals")
    >>> dogs.upos
    ('NOUN', 'VERB')
    >>> dogs.annotations
    {'upos': ('NOUN', 'VERB'), 'topic': 'animals'}

    An annotation is a tuple with one entry per word, or a string for the whole sentence. Any name
    is possible. The readers of this package use these:

    - ``upos``, ``xpos``, ``feats``: columns of CoNLL-U.
    - ``heads``: heads as in CoNLL-U: 0 is the root, i is the i-th word.
    - ``relations``: dependency relations with their subtypes, such as ``nsubj:pass``.
    - ``entities``: IOB2 tags.
    - ``label``: the class of the whole sentence.
    - ``document``: the document of the sentence, from ``# newdoc id =``.

    ``misc``, ``comments``, ``ranges`` and ``empty`` are kept so that a CoNLL-U file can be written
    back.

    Args:
        words: The words; for a pair of sentences, those of both.
        id: The identifier, which is the same in parallel corpora.
        annotations: Annotations by name.
        second_start: The index, counted from 0, of the first word of the second sentence of a
            pair; ``None`` if there is one sentence.
        misc: The last column of CoNLL-U, one entry per word.
        comments: The comment lines of CoNLL-U without the ``#``.
        ranges: Multiword tokens.
        empty: Empty nodes of enhanced dependencies.
        named: More annotations, by keyword. ``None`` stands for a missing annotation.

    Raises:
        ValueError: if an annotation does not have one entry per word, or ``second_start`` is not
            the index of a word after the first.
    """

    words: tuple[str, ...]
    id: str | None
    annotations: Mapping[str, Annotation] = field(hash=False)
    second_start: int | None
    misc: tuple[str, ...] | None
    comments: tuple[str, ...]
    ranges: tuple["MultiwordToken", ...]
    empty: tuple["EmptyNode", ...]

    def __init__(
        self,
        words: tuple[str, ...],
        id: str | None = None,
        annotations: Mapping[str, Annotation] | None = None,
        *,
        second_start: int | None = None,
        misc: tuple[str, ...] | None = None,
        comments: tuple[str, ...] = (),
        ranges: tuple["MultiwordToken", ...] = (),
        empty: tuple["EmptyNode", ...] = (),
        **named: Annotation | None,
    ) -> None:
        values = {
            "words": words,
            "id": id,
            "annotations": _without_none({**(annotations or {}), **named}),
            "second_start": second_start,
            "misc": misc,
            "comments": comments,
            "ranges": ranges,
            "empty": empty,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)  # the class is frozen
        self._check()

    def _check(self) -> None:
        columns = self.annotations if self.misc is None else {**self.annotations, "misc": self.misc}
        for name, value in columns.items():
            if not isinstance(value, str) and len(value) != len(self.words):
                raise ValueError(
                    f"The annotation {name} has {len(value)} entries, but the sentence has "
                    f"{len(self.words)} words."
                )
        if self.second_start is not None and not 0 < self.second_start < len(self.words):
            raise ValueError(
                f"second_start is {self.second_start}, but must be between 1 and "
                f"{len(self.words) - 1}, so that both sentences of the pair have a word."
            )

    def __len__(self) -> int:
        return len(self.words)

    def annotate(self, **annotations: Annotation | None) -> "Sentence":
        """Return a copy with other annotations; ``None`` removes one.

        >>> Sentence(("Dogs", "bark"), upos=("NOUN", "VERB")).annotate(upos=("NOUN", "NOUN")).upos
        ('NOUN', 'NOUN')

        Raises:
            ValueError: if an annotation does not have one entry per word.
        """
        return replace(self, annotations=_without_none({**self.annotations, **annotations}))

    @property
    def upos(self) -> tuple[str, ...] | None:
        """Universal parts of speech."""
        return self._column("upos")

    @property
    def heads(self) -> tuple[int, ...] | None:
        """Heads: 0 is the root, i is the i-th word."""
        return self._column("heads")

    @property
    def relations(self) -> tuple[str, ...] | None:
        """Dependency relations with their subtypes."""
        return self._column("relations")

    @property
    def entities(self) -> tuple[str, ...] | None:
        """Named entities as IOB2 tags."""
        return self._column("entities")

    @property
    def label(self) -> str | None:
        """The class of the whole sentence."""
        value = self.annotations.get("label")
        return value if isinstance(value, str) else None

    @property
    def document(self) -> str | None:
        """The document: that of a PUD id, or else the annotation ``document``.

        >>> Sentence(("Yes",), id="n01001011").document
        'n01001'
        """
        if self.id is not None and _PUD_ID.fullmatch(self.id):
            return self.id[:-3]
        value = self.annotations.get("document")
        return value if isinstance(value, str) else None

    def _column(self, name: str) -> tuple[Any, ...] | None:
        value = self.annotations.get(name)
        return value if isinstance(value, tuple) else None


def _without_none(annotations: Mapping[str, Annotation | None]) -> dict[str, Annotation]:
    return {name: value for name, value in annotations.items() if value is not None}


@dataclass(frozen=True, slots=True)
class MultiwordToken:
    """A multiword token: words ``first`` to ``last`` (from 1, inclusive) written ``form``.

    ``misc`` is its last column in CoNLL-U.
    """

    first: int
    last: int
    form: str
    misc: str = field(default="_", repr=False)


@dataclass(frozen=True, slots=True)
class EmptyNode:
    """An empty node ``after.index`` of enhanced dependencies, such as ``5.1``."""

    after: int
    index: int
    form: str


def text_for_checksum(sentence: Sentence) -> str:
    """Return the text from which the checksum of a generated corpus is computed.

    Checksums are stored with results, so the text must not change. It is what ``repr`` returned
    when a ``Sentence`` had four fixed annotations. Other annotations are left out: they are drawn
    by the random numbers that also determine the words.
    """
    fields = {
        "words": sentence.words,
        "id": sentence.id,
        **{name: sentence.annotations.get(name) for name in _CHECKSUM_ANNOTATIONS},
        "misc": sentence.misc,
        "comments": sentence.comments,
        "ranges": sentence.ranges,
        "empty": sentence.empty,
    }
    return f"Sentence({', '.join(f'{name}={value!r}' for name, value in fields.items())})"
