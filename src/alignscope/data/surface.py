"""The running text of a sentence, and the place of each of its words in it."""

from dataclasses import dataclass

from alignscope.data.comments import comment_value
from alignscope.data.sentence import Sentence
from alignscope.errors import DataError


@dataclass(frozen=True, slots=True)
class SurfaceText:
    """Running text, and the characters of every word in it.

    Word w consists of the characters ``first`` to ``last`` (exclusive, counted from 0) of ``text``,
    for ``(first, last) = words[w]``. All words of a multiword token have the characters of that
    token.
    """

    text: str
    words: tuple[tuple[int, int], ...]


def running_text(sentence: Sentence) -> str:
    """Return a sentence as it is written: its ``# text``, or else its tokens in a row.

    >>> from alignscope.data.sentence import MultiwordToken
    >>> du = MultiwordToken(2, 3, "du")
    >>> no_blank = ("_", "_", "_", "SpaceAfter=No", "_")
    >>> running_text(Sentence(("Fin", "de", "le", "monde", "."), misc=no_blank, ranges=(du,)))
    'Fin du monde.'

    Without ``# text``, a blank stands between two tokens unless the first has ``SpaceAfter=No`` in
    MISC. The words of a multiword token are written as that token.
    """
    return comment_value(sentence.comments, "text") or _joined(sentence).text


def surface_text(sentence: Sentence) -> SurfaceText:
    """Return the `running_text` of a sentence with the place of every word.

    >>> surface_text(Sentence(("So", "what", "?"), comments=(" text = So what?",))).words
    ((0, 2), (3, 7), (7, 8))

    Raises:
        DataError: if ``# text`` does not consist of the tokens of the sentence, in their order.
    """
    text = comment_value(sentence.comments, "text")
    return _located(sentence, text) if text else _joined(sentence)


@dataclass(frozen=True, slots=True)
class Token:
    """A word, or the words of a multiword token, as written."""

    form: str
    words: int
    """The number of words that are written as this token."""
    blank_after: bool


def tokens(sentence: Sentence) -> list[Token]:
    """Return the tokens of a sentence: its words, and multiword tokens in place of theirs."""
    by_first = {item.first: item for item in sentence.ranges}
    found, word = [], 1
    while word <= len(sentence):
        item = by_first.get(word)
        if item is not None:
            token = Token(item.form, item.last - item.first + 1, _blank_after(item.misc))
        else:
            misc = "_" if sentence.misc is None else sentence.misc[word - 1]
            token = Token(sentence.words[word - 1], 1, _blank_after(misc))
        found.append(token)
        word += token.words
    return found


def _blank_after(misc: str) -> bool:
    return "SpaceAfter=No" not in misc.split("|")


def _joined(sentence: Sentence) -> SurfaceText:
    text, spans = "", []
    for token in tokens(sentence):
        spans += [(len(text), len(text) + len(token.form))] * token.words
        text += token.form + " " * token.blank_after
    return SurfaceText(text.rstrip(" "), tuple(spans))


def _located(sentence: Sentence, text: str) -> SurfaceText:
    """Find the tokens of a sentence in its text; only blanks may stand between them."""
    spans: list[tuple[int, int]] = []
    end = 0
    for token in tokens(sentence):
        start = text.find(token.form, end)
        if start < 0 or text[end:start].strip():
            raise DataError(
                f"Sentence {sentence.id}: # text does not have the token {token.form!r} after "
                f'{text[:end]!r}. Correct # text, or read words: text = "words".'
            )
        end = start + len(token.form)
        spans += [(start, end)] * token.words
    return SurfaceText(text, tuple(spans))
