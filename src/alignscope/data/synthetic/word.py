"""Words of a dependency tree under construction."""

from dataclasses import dataclass

from alignscope.data.synthetic.language import Side


@dataclass(slots=True, eq=False)
class Word:
    """A word of a tree under construction; a word without a head is the root of its phrase."""

    form: str
    upos: str
    gloss: str
    relation: str = "root"
    head: "Word | None" = None
    entity: str | None = None
    begins: bool = False  # whether it is the first word of its entity

    def under(self, head: "Word", relation: str) -> "Word":
        """Attach this word and its subtree to a head, and return this word."""
        self.head, self.relation = head, relation
        return self


Words = list[Word]
Headed = tuple[Words, Word]
"""Words in surface order, and the head among them."""


def place_beside(side: Side, part: Words, words: Words) -> Words:
    """Place a part before or after other words.

    >>> cat, old = Word("cat", "NOUN", "cat"), Word("old", "ADJ", "old")
    >>> [word.form for word in place_beside("before", [old], [cat])]
    ['old', 'cat']
    """
    return [*part, *words] if side == "before" else [*words, *part]
