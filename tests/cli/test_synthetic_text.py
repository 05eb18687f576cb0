"""Parallel trees as text: columns are aligned in every script."""

import re
import unicodedata

import pytest

from alignscope.cli.synthetic_text import (
    describe_languages,
    describe_sentence,
    marked,
    parallel_examples,
    width,
)
from alignscope.data.sentence import Sentence
from alignscope.data.synthetic.corpus import read_synthetic
from alignscope.data.synthetic.language import languages, load_language
from alignscope.errors import DataError

EXAMPLE = Sentence(
    words=("סלם", "Ada", "漢字", "नमस्ते"),
    upos=("NOUN", "PROPN", "VERB", "X"),
    heads=(3, 1, 0, 3),
    relations=("obj", "flat", "root", "dep"),
    entities=("B-ORG", "I-ORG", "O", "O"),
    misc=("Gloss=peace", "Gloss=Ada|SpaceAfter=No", "Gloss=write", "Gloss=hello"),
)


def test_a_sentence_in_four_scripts() -> None:
    assert describe_sentence("Mixed", EXAMPLE) == (
        "Mixed: \u2068סלם Ada漢字 नमस्ते\u2069\n"
        "     word  gloss  upos   head  relation  entity\n"
        "  1  \u2068סלם\u2069   peace  NOUN   3     obj       B-ORG\n"
        "  2  Ada   Ada    PROPN  1     flat      I-ORG\n"
        "  3  漢字  write  VERB   0     root\n"
        "  4  नमस्ते  hello  X      3     dep"
    )


def test_missing_annotations_are_empty_cells() -> None:
    assert describe_sentence("Bare", Sentence(("a", "b"))).splitlines()[2:] == ["  1  a", "  2  b"]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("rain", 4),
        ("e\u0301", 1),  # e and a combining accent
        ("漢字", 4),
        ("키하", 4),
        ("\u1112\u1161\u11ab", 2),  # one syllable in three letters
        ("ｆ", 2),
        ("कि", 2),  # the sign is category Mc
        ("कु", 1),  # Mn
        ("\u2068זו\u2069", 2),
        ("", 0),
    ],
)
def test_width(text: str, columns: int) -> None:
    assert width(text) == columns


@pytest.mark.parametrize("language", languages())
def test_columns_are_aligned_in_every_language(language: str) -> None:
    """Every gloss starts where its heading does, in columns of a terminal."""
    sentence = read_synthetic(language, "news", "test")[4]
    _, header, *lines = describe_sentence(language, sentence).splitlines()
    start = header.index("gloss")
    assert len(lines) == len(sentence)
    for line, misc in zip(lines, sentence.misc or (), strict=True):
        gloss = misc.removeprefix("Gloss=").partition("|")[0]
        assert from_column(line, start).startswith(f"{gloss}  ")


def from_column(line: str, start: int) -> str:
    """What a terminal shows from a column on."""
    return next(line[i:] for i in range(len(line)) if width(line[:i]) == start and width(line[i]))


@pytest.mark.parametrize("language", ["qadir", "tamuz"])
def test_right_to_left_words_stand_in_isolates(language: str) -> None:
    shown = parallel_examples([language], "news", "test", 2)
    outside = re.sub("\u2068[^\u2068\u2069]*\u2069", "", shown)
    assert not any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in outside)
    assert shown.count("\u2068") == shown.count("\u2069") > 4
    assert "\u2068" not in parallel_examples(["vesti", "lianu"], "news", "test", 2)


def test_examples_are_parallel() -> None:
    shown = parallel_examples(["vesti", "hanbe"], "chat", "dev", 2)
    order = re.findall(r"^(chat-\S+|Vesti|Hanbe)", shown, re.MULTILINE)
    assert order == ["chat-dev-00000", "Vesti", "Hanbe", "chat-dev-00001", "Vesti", "Hanbe"]


def test_the_text_is_written_as_in_the_corpus() -> None:
    sentence = read_synthetic("lianu", "news", "test")[0]
    text = next(line for line in sentence.comments if line.startswith(" text = "))
    assert describe_sentence("Lianu", sentence).splitlines()[0] == f"Lianu: {text[8:]}"


@pytest.mark.parametrize("count", [0, -1, 501])
def test_an_invalid_number_of_sentences_is_refused(count: int) -> None:
    message = rf"^{count} is not a valid number of sentences\. news/test has 1 to 500\."
    with pytest.raises(DataError, match=message):
        parallel_examples(["vesti"], "news", "test", count)


def test_all_languages_are_listed() -> None:
    lines = describe_languages().splitlines()[2:]
    assert [line.split("|")[1].strip() for line in lines] == list(languages())
    for line, name in zip(lines, languages(), strict=True):
        language = load_language(name)
        for said in (language.family, language.script, language.order, *language.cases):
            assert f" {said}" in line


def test_marked_categories() -> None:
    assert marked(load_language("vesti")) == [
        "articles", "plural (suffix)", "genitive", "tense (suffix)"
    ]  # fmt: skip
    assert "2 noun classes" in marked(load_language("qadir"))
    assert "definite articles" in marked(load_language("qadir"))
