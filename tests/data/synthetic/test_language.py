"""Descriptions: those that are there, and those that are wrong."""

import re

import pytest

from alignscope.data.synthetic import language as module
from alignscope.data.synthetic.language import languages, load_language
from alignscope.errors import DataError

GOOD = """
name = "Mine"
family = "north"
script = "latin"
order = "SVO"
adjective = "before"
genitive = "before"
relative = "after"
numeral = "before"
determiner = "before"
adposition = "before"
article = "none"
morphology = "isolating"
plural = "none"
possession = "none"
tense = "auxiliary"
negation = "before"
relativizer = "particle"
infinitive = "none"
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write the description of a language called mine, the only one there is."""
    (tmp_path / "languages").mkdir()
    monkeypatch.setattr(module, "files", lambda package: tmp_path)
    load_language.cache_clear()

    def write(text):
        (tmp_path / "languages" / "mine.toml").write_text(text, encoding="utf-8")

    yield write
    load_language.cache_clear()


def test_every_description_is_named_after_its_language(language):
    assert language.name.lower() in languages()


def test_the_languages_are_many_and_unlike():
    every = [load_language(name) for name in languages()]
    assert len(every) >= 17
    assert list(languages()) == sorted(languages())
    assert len({one.family for one in every}) >= 12
    assert len({one.script for one in every}) == 9


def test_a_language_of_ones_own(write):
    write(GOOD)
    assert languages() == ("mine",)
    assert load_language("mine").order == "SVO"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "oder = 1\n", "mine.toml: oder is not a key; did you mean 'order'?; allowed are "),
        (GOOD.replace("SVO", "OSV"),
         "mine.toml: order: Input should be 'SVO', 'SOV', 'VSO' or 'VOS' (found 'OSV')"),
        (GOOD.replace('order = "SVO"\n', ""), "mine.toml: order: Field required"),
        (GOOD + "classes = 0\n", "mine.toml: classes: Input should be greater than or equal to 1"),
        (GOOD + "scrambling = 2\n", "mine.toml: scrambling: Input should be less than or equal"),
        (GOOD + 'cases = ["vocative"]\n', "mine.toml: cases.0: Input should be 'accusative', "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_sentence(write, text, message):
    write(text)
    with pytest.raises(DataError, match=re.escape(message)) as error:
        load_language("mine")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["", "Vesti", "../vesti"])
def test_names_are_exact(name):
    with pytest.raises(DataError, match=r"is not an embedded language.*; they are ataru, belosh, "):
        load_language(name)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("order =", "order ", "mine.toml is not valid TOML"),
        ('"latin"', '"latim"', "script: allowed are latin, .*did you mean 'latin'"),
        ('"north"', '"norse"', "family: allowed are north, "),
        ("tense", 'sounds = [["(", "a"]]\ntense', "sounds: \\( is no pattern"),
        ("tense", 'sounds = [["a", "é"]]\ntense', "sounds: é is no sound; they are abc"),
        ("tense", "loans = { souht = 0.1 }\ntense", "souht is no family; did you mean 'south'"),
        ("tense", "loans = { south = 1.5 }\ntense", "share of south is 1.5, allowed is 0 to 1"),
        ("tense", "loans = { south = 0.6, lake = 0.6 }\ntense", "shares sum to 1.2, allowed is"),
        ("tense", 'same = [["thatt", "this"]]\ntense', "thatt is no function word; did you mean"),
        ("tense", 'same = [["that", "dog"]]\ntense', "dog is no function word or verb"),
        ('possession = "none"', 'possession = "case"', "possession is case where there is a gen"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_sentence(write, old, new, message):
    write(GOOD.replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        load_language("mine")
