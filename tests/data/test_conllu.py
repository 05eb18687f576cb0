"""CoNLL-U: reading, writing, and the messages about invalid files."""

import gzip
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignscope.data.conllu import UPOS, read_conllu, write_conllu
from alignscope.data.sentence import EmptyNode, MultiwordToken, Sentence
from alignscope.data.tree import check_tree
from alignscope.errors import DataError

EXAMPLE = """\
# newdoc
# sent_id = fr-1
#text=Du pain, dit-on
0.1\t(il)\t_\t_\t_\t_\t_\t_\t_\t_
1-2\tDu\t_\t_\t_\t_\t_\t_\t_\t_
1\tDe\t_\tADP\t_\t_\t3\tcase\t_\t_
2\tle\t_\tDET\t_\t_\t3\tdet\t_\t_
3\tpain\t_\tNOUN\t_\t_\t0\troot\t_\t_
3.1\t_\t_\t_\t_\t_\t_\t_\t_\t_
3.2\ty\t_\t_\t_\t_\t_\t_\t_\t_

1\t_\t_\t_\t_\t_\t_\t_\t_\t_

"""


def word(number: int, form: str = "w", upos: str = "X", head: str = "0", rel: str = "dep") -> str:
    return f"{number}\t{form}\t_\t{upos}\t_\t_\t{head}\t{rel}\t_\t_\n"


def save(folder: Path, text: str) -> Path:
    path = folder / "en_x.conllu"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_all_parts_of_an_example_are_read(tmp_path):
    first, second = read_conllu(save(tmp_path, EXAMPLE))
    assert first == Sentence(
        words=("De", "le", "pain"),
        id="fr-1",
        upos=("ADP", "DET", "NOUN"),
        heads=(3, 3, 0),
        relations=("case", "det", "root"),
        comments=(" newdoc", " sent_id = fr-1", "text=Du pain, dit-on"),
        ranges=(MultiwordToken(1, 2, "Du"),),
        empty=(EmptyNode(0, 1, "(il)"), EmptyNode(3, 1, "_"), EmptyNode(3, 2, "y")),
    )
    assert second == Sentence(words=("_",))


def test_writing_what_was_read_reproduces_the_file(tmp_path):
    path = save(tmp_path, EXAMPLE)
    write_conllu(read_conllu(path), tmp_path / "again.conllu")
    assert (tmp_path / "again.conllu").read_bytes() == path.read_bytes()


def test_lemmas_and_enhanced_dependencies_are_not_kept(tmp_path):
    path = save(tmp_path, "1\tran\trun\tVERB\tVBD\tTense=Past\t0\troot\t0:root\tSpaceAfter=No\n\n")
    (ran,) = read_conllu(path)
    assert (ran.annotations["xpos"], ran.annotations["feats"]) == (("VBD",), ("Tense=Past",))
    write_conllu([ran], path)
    assert path.read_text() == "1\tran\t_\tVERB\tVBD\tTense=Past\t0\troot\t_\tSpaceAfter=No\n\n"


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\t\n\r"), min_size=1, max_size=6)
FORM = TEXT.filter(lambda form: form != "_" and "\ufeff" not in form)


@st.composite
def sentences(draw) -> Sentence:
    size = draw(st.integers(1, 6))
    n = {"min_size": size, "max_size": size}
    # The head of each word precedes it in a random order, so that the heads form a tree.
    order = draw(st.permutations(range(1, size + 1)))
    heads = [0] * size
    for place in range(1, size):
        heads[order[place] - 1] = order[draw(st.integers(0, place - 1))]
    cells = st.none() | st.lists(TEXT, **n).map(tuple).filter(lambda cells: set(cells) != {"_"})
    cuts = sorted(draw(st.sets(st.integers(1, size), max_size=4)))
    spans = [MultiwordToken(cuts[i], cuts[i + 1], draw(FORM)) for i in range(0, len(cuts) - 1, 2)]
    after = draw(st.integers(0, size))
    empty = [EmptyNode(after, i + 1, draw(TEXT)) for i in range(draw(st.integers(0, 2)))]
    return Sentence(
        words=tuple(draw(st.lists(FORM, **n))),
        upos=draw(st.none() | st.lists(st.sampled_from(UPOS), **n).map(tuple)),
        heads=draw(st.sampled_from([None, tuple(heads)])),
        relations=draw(st.none() | st.lists(FORM, **n).map(tuple)),
        xpos=draw(cells),
        feats=draw(cells),
        misc=draw(cells),
        comments=tuple(draw(st.lists(TEXT.filter(lambda text: "=" not in text), max_size=2))),
        ranges=tuple(spans),
        empty=tuple(empty),
    )


@given(st.lists(sentences(), min_size=1, max_size=4), st.sampled_from(["a.conllu", "a.conllu.gz"]))
def test_reading_written_sentences_returns_equal_ones(tmp_path_factory, gold, name):
    folder = tmp_path_factory.mktemp("round")
    write_conllu(gold, folder / name)
    assert read_conllu(folder / name) == gold
    before = (folder / name).read_bytes()
    write_conllu(read_conllu(folder / name), folder / name)
    assert (folder / name).read_bytes() == before
    assert [file.name for file in folder.iterdir()] == [name]


def test_an_id_without_a_comment_is_written_as_a_comment(tmp_path):
    write_conllu([Sentence(words=("a",), id="s1")], tmp_path / "a.conllu")
    assert [sentence.id for sentence in read_conllu(tmp_path / "a.conllu")] == ["s1"]


@pytest.mark.parametrize(
    "broken",
    [
        {"words": ("a\tb",)},
        {"words": ("",)},
        {"words": ("a\nb",)},
        {"comments": ("one\ntwo",)},
        {"relations": ("",)},
    ],
)
def test_sentences_that_could_not_be_read_again_are_refused(tmp_path, broken):
    with pytest.raises(ValueError, match="cannot be written"):
        write_conllu([replace(Sentence(words=("a",)), **broken)], tmp_path / "a.conllu")
    assert not list(tmp_path.iterdir())


def test_windows_line_ends_a_byte_order_mark_and_unicode_line_ends_are_read(tmp_path):
    text = "\ufeff# sent_id = 1\r\n" + word(1, "a\u2028b\x85").replace("\n", "\r\n") + "\r\n"
    (sentence,) = read_conllu(save(tmp_path, text))
    assert sentence.id == "1"
    assert sentence.words == ("a\u2028b\x85",)


def test_a_missing_blank_line_at_the_end_is_accepted(tmp_path):
    assert len(read_conllu(save(tmp_path, word(1) + "\n\n" + word(1).rstrip("\n")))) == 2


HEAD_14 = "".join(word(i, head="14" if i == 5 else str(i - 1)) for i in range(1, 14))
BAD = {
    "columns": ("1\ta\tb\n\n", "1: The line has 3 columns, but CoNLL-U has 10, separated by tabs."),
    "blanks": ("1 a b\n\n", "1: The line has 1 column, but CoNLL-U has 10, separated by tabs."),
    "id": ("x" + word(1) + "\n", "1: Id x1 is not valid. Ids look like 7 (word), 7-8"),
    "order": (word(1) + word(3) + "\n", "2: Id 3 is out of order. The next word is 2."),
    "repeated": (word(1) + word(1) + "\n", "2: Id 1 is out of order. The next word is 2."),
    "starts at 2": (word(2) + "\n", "1: Id 2 is out of order. The next word is 1."),
    "late range": (
        word(1) + "1-2\tdu" + "\t_" * 8 + "\n",
        "2: Id 1-2 is out of order. The next word is 2.",
    ),
    "backward range": (
        "1-0\tdu" + "\t_" * 8 + "\n",
        "1: Id 1-0 is out of order. The next word is 1.",
    ),
    "overlapping ranges": (
        "1-2\tdu" + "\t_" * 8 + "\n" + word(1) + "2-3\tdu" + "\t_" * 8 + "\n",
        "3: Id 2-3 is out of order. The next word is 2.",
    ),
    "range and empty": (
        "1-2\tdu" + "\t_" * 8 + "\n0.1\tx" + "\t_" * 8 + "\n",
        "2: Id 0.1 is out of order. The next word is 1.",
    ),
    "empty counts": (
        word(1) + "1.2\tx" + "\t_" * 8 + "\n",
        "2: Id 1.2 is out of order. The next word is 2.",
    ),
    "range outside": (
        "1-2\tdu" + "\t_" * 8 + "\n" + word(1) + "\n",
        "2: Multiword token 1-2 ends outside the sentence, which has 1 word.",
    ),
    "no words": ("0.1\tx" + "\t_" * 8 + "\n\n", "1: The sentence has no words."),
    "form": (word(1, "") + "\n", "1: FORM is empty."),
    "head outside": (
        HEAD_14 + "\n",
        "5: Head 14 is outside the sentence, which has 13 words.",
    ),
    "head word": (word(1, head="x") + "\n", "1: Head x is not a whole number."),
    "head negative": (word(1, head="-1") + "\n", "1: Head -1 is not a whole number."),
    "head digit": (word(1, head="²") + "\n", "1: Head ² is not a whole number."),
    "some heads": (
        word(1) + word(2, head="_") + "\n",
        "2: HEAD is missing here, but other words of the sentence have it.",
    ),
    "some tags": (word(1) + word(2, upos="_", head="1") + "\n", "2: UPOS is missing here"),
    "some relations": (word(1) + word(2, head="1", rel="_") + "\n", "2: DEPREL is missing here"),
    "empty relation": (word(1, rel="") + "\n", "1: DEPREL is missing here"),
    "cycle": (
        "#\n" + word(1) + word(2, head="4") + word(3, head="2") + word(4, head="3") + "\n",
        "2: The heads of words 2, 3 and 4 form a cycle.",
    ),
    "self": (word(1) + word(2, head="2") + "\n", "1: The head of word 2 is the word itself."),
    "no root": (
        word(1, head="2") + word(2, head="1") + "\n",
        "1: The sentence has no root, but exactly one word must have head 0.",
    ),
    "two roots": (
        word(1) + word(2) + "\n",
        "1: The sentence has 2 roots (1 and 2), but exactly one word must have head 0.",
    ),
    "upos": (
        word(1, upos="PROPM") + "\n",
        "1: UPOS PROPM is unknown; did you mean 'PROPN'? Known tags: ADJ, ADP,",
    ),
    "late comment": (word(1) + "# text\n\n", "2: A comment must precede its sentence."),
    "last comment": (
        word(1) + "\n# text\n",
        "4: The file ends with comments that no sentence follows.",
    ),
    "removed": (
        word(1, "_") + word(2, "_", head="1") + "\n",
        "1: Every word is _. The text was removed from this release; use one that",
    ),
    "empty file": ("", " The file has no sentences."),
    "blank file": ("\n\n", " The file has no sentences."),
    "mostly removed": (
        3 * (word(1, "_") + "\n") + word(1) + word(2, head="1") + "\n",
        " 3 of 5 words are _. The text was removed from this release; use one that",
    ),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD.keys())
def test_an_invalid_file_is_refused_with_a_one_line_message(tmp_path, text, message):
    path = save(tmp_path, text)
    with pytest.raises(DataError, match=re.escape(f"{path}:{message}")) as error:
        read_conllu(path)
    assert "\n" not in str(error.value)


def test_an_unreadable_file_is_refused(tmp_path):
    whole = gzip.compress(EXAMPLE.encode())
    files = {
        "cut.conllu.gz": (whole[:-9], "This gzip file is truncated"),
        "plain.conllu.gz": (EXAMPLE.encode(), "This is not an intact gzip file"),
        "broken.conllu.gz": (whole[:40] + b"??????" + whole[46:], "not an intact gzip file"),
        "latin.conllu": (
            word(1).encode() + word(2, "é").encode("latin-1"),
            ":2: This is not UTF-8",
        ),
    }
    for name, (content, message) in files.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=message):
            read_conllu(tmp_path / name)
    with pytest.raises(DataError, match="There is no such file"):
        read_conllu(tmp_path / "none.conllu")
    with pytest.raises(DataError, match="This is a folder"):
        read_conllu(tmp_path)


@given(st.integers(1, 5).flatmap(lambda n: st.lists(st.integers(0, n), min_size=n, max_size=n)))
def test_heads_are_a_tree_if_every_word_reaches_the_only_root(heads):
    def root_reached(node: int) -> bool:
        for _ in heads:
            node = heads[node - 1] if node else 0
        return node == 0

    is_tree = heads.count(0) == 1 and all(map(root_reached, range(1, len(heads) + 1)))
    try:
        check_tree(heads)
    except ValueError:
        assert not is_tree
    else:
        assert is_tree
