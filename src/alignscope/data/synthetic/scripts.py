"""Scripts: how the sounds of a word are written."""

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Any

from alignscope.data.synthetic.world import load_table

CONSONANT, VOWEL = "[^aeiouy]", "[aeiouy]"
SOUNDS: str = load_table("scripts.toml")["sounds"]
_SYLLABLE = re.compile(f"({CONSONANT}?)({VOWEL})({CONSONANT}(?!{VOWEL}))?|({CONSONANT})")


class Script:
    """Write words, and provide the punctuation marks of the script.

    >>> script("cyrillic").write("vodka")
    'водка'
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self.cased: bool = settings.get("cased", False)
        self.right_to_left: bool = settings.get("right_to_left", False)
        self.unsegmented: bool = settings.get("unsegmented", False)
        self.stop: str = settings.get("stop", ".")
        self.comma: str = settings.get("comma", ",")
        self.question: str = settings.get("question", "?")
        self._settings = settings
        letters = settings.get("letters", "").split()
        self._letters = dict(zip(SOUNDS, letters, strict=True)) if letters else {}
        writers: dict[str, Callable[[str], str]] = {
            "alphabet": self._alphabet,
            "abugida": self._abugida,
            "jamo": self._jamo,
            "syllabary": self._syllabary,
        }
        self.write = writers[settings.get("kind", "alphabet")]

    def _alphabet(self, word: str) -> str:
        return "".join(self._letters[sound] for sound in word)

    def _abugida(self, word: str) -> str:
        signs, virama = self._settings["signs"], self._settings["virama"]
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
        opening, vowels, closing = (self._settings[key] for key in ("opening", "vowels", "closing"))
        written = ""
        for first, vowel, last, alone in _SYLLABLE.findall(word):
            # A consonant that no block can end with becomes a block of its own with the vowel "y".
            blocks = [(first or alone, vowel or "y", last)]
            if last and last not in closing:
                blocks = [(first, vowel, ""), (last, "y", "")]
            for a, b, c in blocks:
                written += opening[a if a in opening else "h"] + vowels[b] + closing[c]
        return unicodedata.normalize("NFC", written)

    def _syllabary(self, word: str) -> str:
        return "".join(_character("".join(parts)) for parts in _SYLLABLE.findall(word))


def _character(syllable: str) -> str:
    """Map a syllable to one of the first 14,000 Chinese characters, the same at every call."""
    number = 0
    for sound in syllable:
        number = number * len(SOUNDS) + SOUNDS.index(sound) + 1
    return chr(0x4E00 + number * 7 % 14_000)


@cache
def script(name: str) -> Script:
    """Return a script of ``scripts.toml``."""
    return Script(load_table("scripts.toml")[name])


def script_names() -> tuple[str, ...]:
    """Return the names of the scripts."""
    return tuple(name for name in load_table("scripts.toml") if name != "sounds")
