"""Named entities as IOB2 tags: layouts, tags, and the messages about invalid files."""

import re

import pytest

from alignscope.data.iob2 import TAGS, read_iob2, read_wikiann_parquet
from alignscope.errors import DataError

LAYOUTS = {
    "shared": "# sent_id = s\n#\tO\n1\tB-LOC\nNew York\tI-LOC\n\n",
    "universal": (
        "# sent_id = s\n# text = # 1 New York\n1\t#\tO\n2\t1\tB-LOC\t-\tann\n"
        "3\tNew York\tI-LOC\t-\t-\n\n"
    ),
    "conll, tabs": " \n-DOCSTART- -X- O O\n\n# sent_id = s\n"
    "#\tSYM\tB-NP\tO\n1\tCD\tO\tB-LOC\nNew York\tNN\tO\tI-LOC\n",
}


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_every_layout_is_read_as_the_same_sentence(tmp_path, text):
    path = tmp_path / "en.tsv"
    path.write_text(text)
    (sentence,) = read_iob2(path)
    assert sentence.id == "s"
    assert sentence.words == ("#", "1", "New York")
    assert sentence.entities == ("O", "B-LOC", "I-LOC")
    assert sentence.comments[0] == " sent_id = s"


def test_conll_columns_separated_by_blanks_are_read(tmp_path):
    path = tmp_path / "en.conll"
    path.write_text(
        "-DOCSTART- -X- -X- O\n\n# a comment\n# O\nEU NNP B-NP B-ORG\n# SYM O O\n \n"
        "Peter NNP B-NP B-PER\nwins VB O B-MISC\n"
    )
    first, second = read_iob2(path)
    assert (first.words, first.entities) == (("EU", "#"), ("B-ORG", "O"))
    assert (second.words, second.entities) == (("Peter", "wins"), ("B-PER", "O"))
    assert first.comments == (" a comment", " O")


def test_tokens_that_are_numbers_are_not_mistaken_for_word_numbers(tmp_path):
    path = tmp_path / "en.tsv"
    path.write_text("1\tNUM\tO\n2\tNUM\tB-LOC\n\n3\tNUM\tO\n")
    assert [s.words for s in read_iob2(path)] == [("1", "2"), ("3",)]


def test_the_first_of_two_columns_is_always_the_token(tmp_path):
    path = tmp_path / "en.tsv"
    path.write_text("1\tO\n2\tB-LOC\n")
    assert read_iob2(path)[0].words == ("1", "2")


def test_ill_formed_tags_are_kept_and_other_entity_types_become_o(tmp_path):
    path = tmp_path / "en.tsv"
    path.write_text("a\tI-PER\nb\tB-OTH\nc\tI-OTH\nd\tI-ORG\n")
    assert read_iob2(path)[0].entities == ("I-PER", "O", "O", "I-ORG")


BAD = {
    "unknown": (
        "a\tO\nb\tB-PERS\n",
        ":2: Tag 'B-PERS' is unknown; did you mean 'B-PER'? Known tags: ",
    ),
    "merged type": ("a\tB-GPE\n", ":1: Tag 'B-GPE' is unknown"),
    "no type": ("a\tB-\n", ":1: Tag 'B-' is unknown"),
    "empty tag": ("a\t\n", ":1: Tag '' is unknown"),
    "lower case": ("a\tb-per\n", ":1: Tag 'b-per' is unknown"),
    "no tag": ("a\tO\nb\n", ":2: The line has 1 column, but needs a token and its tag."),
    "no token": ("\tO\n", ":1: The token is empty."),
    "inner comment": ("a\tO\n# sent_id = 2\nb\tO\n", ":2: A comment must precede its sentence."),
    "empty": ("", ": The file has no sentences."),
    "comments only": ("# nothing\n", ": The file has no sentences."),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD.keys())
def test_an_invalid_file_is_refused_with_a_one_line_message(tmp_path, text, message):
    path = tmp_path / "en.tsv"
    path.write_text(text)
    with pytest.raises(DataError, match=re.escape(f"{path}{message}")) as error:
        read_iob2(path)
    assert "\n" not in str(error.value)


def _parquet(path, **columns):
    import polars

    polars.DataFrame(columns).write_parquet(path)
    return path


def test_wikiann_is_read_from_parquet(tmp_path):
    path = _parquet(
        tmp_path / "x.parquet",
        tokens=[["a"] * 7, [], ["b"]],
        ner_tags=[[0, 1, 2, 3, 4, 5, 6], [], [2]],
        langs=[["en"] * 7, [], ["en"]],
    )
    assert [s.entities for s in read_wikiann_parquet(path)] == [TAGS, ("I-PER",)]


def test_an_invalid_parquet_file_is_refused(tmp_path):
    wrong_tag = _parquet(tmp_path / "a.parquet", tokens=[["a", "b"]], ner_tags=[[0, 7]])
    with pytest.raises(DataError, match="Row 1 has the tag 7, but WikiANN has the tags 0-6"):
        read_wikiann_parquet(wrong_tag)
    uneven = _parquet(tmp_path / "b.parquet", tokens=[["a"], ["b"]], ner_tags=[[0], [0, 1]])
    with pytest.raises(DataError, match="Row 2 has 1 token, but 2 tags"):
        read_wikiann_parquet(uneven)
    other_columns = _parquet(tmp_path / "c.parquet", words=[["a"]])
    with pytest.raises(DataError, match="not a parquet file of WikiANN"):
        read_wikiann_parquet(other_columns)
    with pytest.raises(DataError, match="The file has no sentences"):
        read_wikiann_parquet(_parquet(tmp_path / "d.parquet", tokens=[[]], ner_tags=[[]]))
    with pytest.raises(DataError, match="There is no such file"):
        read_wikiann_parquet(tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("no parquet at all")
    with pytest.raises(DataError, match="not a parquet file of WikiANN"):
        read_wikiann_parquet(tmp_path / "text.parquet")
