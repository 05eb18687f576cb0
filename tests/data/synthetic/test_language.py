"""Descriptions of languages: the shipped ones, and invalid ones."""

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
    """Return a function that writes the description of ``mine``, then the only language."""
    (tmp_path / "languages").mkdir()
    monkeypatch.setattr(module, "files", lambda package: tmp_path)
    load_language.cache_clear()

    def write(text):
        (tmp_path / "languages" / "mine.toml").write_text(text, encoding="utf-8")

    yield write
    load_language.cache_clear()


def test_every_description_is_named_after_its_language(language):
    assert language.name.lower() in languages()


def test_the_languages_are_many_and_diverse():
    descriptions = [load_language(name) for name in languages()]
    assert len(descriptions) >= 17
    assert list(languages()) == sorted(languages())
    assert len({language.family for language in descriptions}) >= 12
    assert len({language.script for language in descriptions}) == 9


def test_a_new_description_is_found(write):
    write(GOOD)
    assert languages() == ("mine",)
    assert load_language("mine").order == "SVO"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "oder = 1\n", "mine.toml: oder is not a key; did you mean 'order'? Allowed are: "),
        (GOOD.replace("SVO", "OSV"),
         "mine.toml: order: Input should be 'SVO', 'SOV', 'VSO' or 'VOS', got 'OSV'."),
        (GOOD.replace('order = "SVO"\n', ""), "mine.toml: order: Field required"),
        (GOOD + "classes = 0\n", "mine.toml: classes: Input should be greater than or equal to 1"),
        (GOOD + "scrambling = 2\n", "mine.toml: scrambling: Input should be less than or equal"),
        (GOOD + 'cases = ["vocative"]\n', "mine.toml: cases.0: Input should be 'accusative', "),
    ],
)  # fmt: skip
def test_invalid_values_are_reported_on_one_line(write, text, message):
    write(text)
    with pytest.raises(DataError, match=re.escape(message)) as error:
        load_language("mine")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["", "Vesti", "../vesti"])
def test_names_must_match_exactly(name):
    with pytest.raises(
        DataError, match=r"is not a synthetic language.* The languages are ataru, belosh, "
    ):
        load_language(name)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("order =", "order ", "mine.toml is not valid TOML"),
        (
            '"latin"',
            '"latim"',
            "unknown script latim; did you mean 'latin'\\? Choose one of latin, ",
        ),
        ('"north"', '"norse"', "unknown family norse.* Choose one of north, "),
        ("tense", 'sounds = [["(", "a"]]\ntense', "sounds: \\( is not a regular expression"),
        ("tense", 'sounds = [["a", "é"]]\ntense', "sounds: é is not a sound. The sounds are abc"),
        ("tense", "loans = { souht = 0.1 }\ntense", "souht is not a family; did you mean 'south'"),
        (
            "tense",
            "loans = { south = 1.5 }\ntense",
            "share of south is 1.5, but must be between 0 and 1",
        ),
        (
            "tense",
            "loans = { south = 0.6, lake = 0.6 }\ntense",
            "shares sum to 1.2, but must sum to at most 1",
        ),
        (
            "tense",
            'same = [["thatt", "this"]]\ntense',
            "thatt is not a function word; did you mean",
        ),
        ("tense", 'same = [["that", "dog"]]\ntense', "dog is not a function word or verb"),
        ('possession = "none"', 'possession = "case"', "possession must be 'case' if and only if"),
    ],
)
def test_inconsistent_values_are_reported_on_one_line(write, old, new, message):
    write(GOOD.replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        load_language("mine")
