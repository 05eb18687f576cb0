"""The comments of a sentence: ``# key = value``, and the documents that they begin."""

from collections.abc import Iterable, Iterator, Sequence


def comment_value(comments: Iterable[str], key: str) -> str | None:
    """Return the value after ``# key =`` in the comments, or ``None`` if there is none.

    >>> comment_value([" newdoc", " sent_id = w01001"], "sent_id")
    'w01001'
    """
    for comment in comments:
        name, equals, value = comment.partition("=")
        if equals and name.strip() == key:
            return value.strip()
    return None


def documents(comments: Iterable[Sequence[str]]) -> Iterator[str | None]:
    """Yield the document of every sentence, given the comments of all sentences of a file.

    >>> list(documents([[" newdoc id = a"], [], [" newdoc id = b"]]))
    ['a', 'a', 'b']

    A document begins with ``# newdoc id = …``. Sentences before the first one, and those after
    a ``# newdoc`` without an id, have no document.
    """
    current = None
    for of_sentence in comments:
        if any(comment.strip() == "newdoc" for comment in of_sentence):
            current = None
        current = comment_value(of_sentence, "newdoc id") or current
        yield current
