"""Split plain text into words, for corpora without tokenized text."""

import unicodedata

_UNSEGMENTED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x3400, 0x4DBF),  # Han, extension A
    (0x4E00, 0x9FFF),  # Han
    (0xF900, 0xFAFF),  # Han, compatibility
    (0x20000, 0x323AF),  # Han, extensions B to H
)
"""First and last code point of scripts that put no spaces between words."""


def split_words(text: str) -> tuple[str, ...]:
    """Split text at spaces, and punctuation off the ends of words.

    >>> split_words('She said: "Don\\'t!"')
    ('She', 'said', ':', '"', "Don't", '!', '"')
    >>> split_words("東京 2020")
    ('東', '京', '2020')

    In scripts without spaces every character is a word, together with the marks that combine with
    it. All characters are kept, except spaces.
    """
    words = []
    for token in text.split():
        words += _split_token(token)
    return tuple(words)


def _split_token(token: str) -> list[str]:
    start, end = 0, len(token)
    while start < end and _is_punctuation(token[start]):
        start += 1
    while end > start and _is_punctuation(token[end - 1]):
        end -= 1
    return [*token[:start], *_split_scripts(token[start:end]), *token[end:]]


def _split_scripts(token: str) -> list[str]:
    """Split characters of unsegmented scripts off the rest."""
    words: list[str] = []
    is_open = False  # whether the last word may grow by an ordinary character
    for character in token:
        separate = _is_unsegmented(character)
        combines = unicodedata.category(character).startswith("M")
        if words and (combines or (is_open and not separate)):
            words[-1] += character
        else:
            words.append(character)
            is_open = not separate
    return words


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"


def _is_unsegmented(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _UNSEGMENTED)
