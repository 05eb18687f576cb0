"""Scripts: characters, directions, spaces and normal form."""

import unicodedata

import pytest

from alignscope.data.synthetic.scripts import script

MARKS = set("0123456789 .,?")
BLOCKS = {
    "latin": "LATIN",
    "cyrillic": "CYRILLIC",
    "greek": "GREEK",
    "georgian": "GEORGIAN LETTER",
    "arabic": "ARABIC LETTER",
    "hebrew": "HEBREW LETTER",
    "devanagari": "DEVANAGARI",
    "hangul": "HANGUL SYLLABLE",
    "han": "CJK UNIFIED IDEOGRAPH",
}
OTHER_MARKS = {"arabic": "،؟", "devanagari": "।", "han": "，。？"}


def test_characters_are_of_the_script(language, sentences):
    marks = MARKS | set(OTHER_MARKS.get(language.script, ""))
    written = {letter for item in sentences for word in item.sentence.words for letter in word}
    letters = written - marks
    assert len(letters) > 15
    for letter in letters:
        assert unicodedata.name(letter).startswith(BLOCKS[language.script])
    assert set(OTHER_MARKS.get(language.script, ".,?")) <= written


def test_writing_directions(language, tokens):
    letters = {letter for token in tokens for letter in token.form if letter.isalpha()}
    classes = {unicodedata.bidirectional(letter) for letter in letters}
    assert classes <= ({"R", "AL"} if script(language.script).right_to_left else {"L"})
    assert script(language.script).right_to_left == (language.script in ("arabic", "hebrew"))


def test_spaces_between_words(language, sentences):
    for item in sentences:
        _, text = item.sentence.comments
        text = text.removeprefix(" text = ")
        spaces = text.count(" ")
        assert text.replace(" ", "") == "".join(item.sentence.words)
        words = sum(token.upos != "PUNCT" for token in item.tree)
        assert spaces == (0 if language.script == "han" else words - 1)


def test_all_words_are_in_nfc(language, sentences):
    for item in sentences:
        for word in item.sentence.words:
            assert unicodedata.is_normalized("NFC", word)


@pytest.mark.parametrize(
    ("name", "word", "written"),
    [
        ("latin", "SoCaNe", "šočaŋe"),
        ("cyrillic", "vodka", "водка"),
        ("greek", "theSi", "τχεψι"),
        ("arabic", "salam", "سالام"),
        ("hebrew", "Salom", "שאלומ"),
        ("georgian", "kali", "კალი"),
        ("devanagari", "namaste", "नमस्ते"),
        ("devanagari", "iran", "इरन"),
        ("devanagari", "kia", "किअ"),
        ("hangul", "hangul", "한굴"),
        ("hangul", "seoul", "세오울"),
        ("hangul", "kapt", "카프트"),
        ("hangul", "tad", "타드"),
    ],
)
def test_words_as_a_reader_would_write_them(name, word, written):
    assert script(name).write(word) == written


def test_one_character_per_syllable():
    write = script("han").write
    assert len(write("xiN")) == 1
    assert len(write("palaku")) == 3
    assert write("pala")[0] == write("paku")[0] != write("kupa")[0]
    syllables = {write(a + b + c) for a in "ptkCSsxmnlwjh" for b in "aeiou" for c in ("", "n", "N")}
    assert len(syllables) > 0.95 * 13 * 5 * 3
