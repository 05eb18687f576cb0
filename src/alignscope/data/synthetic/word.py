"""Words in a tree that is being built."""

from dataclasses import dataclass

from alignscope.data.synthetic.language import Side


@dataclass(slots=True, eq=False)
class Word:
    """A word in a tree that is being built; without a head it is the root of what it is in."""

    form: str
    upos: str
    gloss: str
    relation: str = "root"
    head: "Word | None" = None
    entity: str | None = None
    begins: bool = False  # an entity

    def under(self, head: "Word", relation: str) -> "Word":
        """Hang this word, and all below it, under a head."""
        self.head, self.relation = head, relation
        return self


Words = list[Word]
Headed = tuple[Words, Word]
"""Words in their order, and the head among them."""


def place_beside(side: Side, part: Words, words: Words) -> Words:
    """Put a part before or after the words that are there already.

    >>> cat, old = Word("cat", "NOUN", "cat"), Word("old", "ADJ", "old")
    >>> [word.form for word in place_beside("before", [old], [cat])]
    ['old', 'cat']
    """
    return [*part, *words] if side == "before" else [*words, *part]
