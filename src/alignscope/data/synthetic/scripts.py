"""Scripts: how the sounds of a word are written."""

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Any

from alignscope.data.synthetic.world import table

CONSONANT, VOWEL = "[^aeiouy]", "[aeiouy]"
SOUNDS: str = table("scripts.toml")["sounds"]
_SYLLABLE = re.compile(f"({CONSONANT}?)({VOWEL})({CONSONANT}(?!{VOWEL}))?|({CONSONANT})")


class Script:
    """Writes words, and knows the marks between them.

    >>> script("cyrillic").write("vodka")
    'водка'
    """

    def __init__(self, rows: dict[str, Any]) -> None:
        self.cased: bool = rows.get("cased", False)
        self.right_to_left: bool = rows.get("right_to_left", False)
        self.unsegmented: bool = rows.get("unsegmented", False)
        self.stop: str = rows.get("stop", ".")
        self.comma: str = rows.get("comma", ",")
        self.question: str = rows.get("question", "?")
        self._rows = rows
        letters = rows.get("letters", "").split()
        self._letters = dict(zip(SOUNDS, letters, strict=True)) if letters else {}
        writers: dict[str, Callable[[str], str]] = {
            "alphabet": self._alphabet,
            "abugida": self._abugida,
            "jamo": self._jamo,
            "syllabary": self._syllabary,
        }
        self.write = writers[rows.get("kind", "alphabet")]

    def _alphabet(self, word: str) -> str:
        return "".join(self._letters[sound] for sound in word)

    def _abugida(self, word: str) -> str:
        signs, virama = self._rows["signs"], self._rows["virama"]
        written: list[str] = []
        for sound, following in zip(word, [*word[1:], ""], strict=True):
            after_consonant = bool(written) and written[-1] == virama
            if after_consonant and sound in signs:
                written[-1] = signs[sound]
            else:
                written.append(self._letters[sound])
            if sound not in signs and following:
                written.append(virama)
        return "".join(written)

    def _jamo(self, word: str) -> str:
        opening, vowels, closing = (self._rows[key] for key in ("opening", "vowels", "closing"))
        written = ""
        for first, vowel, last, alone in _SYLLABLE.findall(word):
            # A sound that no block can close with gets a block and a faint vowel of its own.
            blocks = [(first or alone, vowel or "y", last)]
            if last and last not in closing:
                blocks = [(first, vowel, ""), (last, "y", "")]
            for a, b, c in blocks:
                written += opening[a if a in opening else "h"] + vowels[b] + closing[c]
        return unicodedata.normalize("NFC", written)

    def _syllabary(self, word: str) -> str:
        return "".join(_character("".join(parts)) for parts in _SYLLABLE.findall(word))


def _character(syllable: str) -> str:
    """Give every syllable one of the first 14,000 Chinese characters, always the same."""
    number = 0
    for sound in syllable:
        number = number * len(SOUNDS) + SOUNDS.index(sound) + 1
    return chr(0x4E00 + number * 7 % 14_000)


@cache
def script(name: str) -> Script:
    """Return a script of ``scripts.toml``."""
    return Script(table("scripts.toml")[name])


def script_names() -> tuple[str, ...]:
    """Name the scripts."""
    return tuple(name for name in table("scripts.toml") if name != "sounds")
