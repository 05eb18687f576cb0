"""The running text of sentences and the places of their words; documents."""

from pathlib import Path

import pytest

from alignscope.data.conllu import read_conllu, write_conllu
from alignscope.data.corpora import load_corpus
from alignscope.data.corpus import parse_corpus
from alignscope.data.iob2 import read_iob2
from alignscope.data.paths import DataPaths
from alignscope.data.sentence import MultiwordToken, Sentence
from alignscope.data.surface import running_text, surface_text
from alignscope.errors import DataError

ITALIAN = """\
# newdoc id = d1
# sent_id = a
# text = L'arte della pace.
1\tL'\t_\tDET\t_\t_\t2\tdet\t_\tSpaceAfter=No
2\tarte\t_\tNOUN\t_\t_\t0\troot\t_\t_
3-4\tdella\t_\t_\t_\t_\t_\t_\t_\t_
3\tdi\t_\tADP\t_\t_\t5\tcase\t_\t_
4\tla\t_\tDET\t_\t_\t5\tdet\t_\t_
5\tpace\t_\tNOUN\t_\t_\t2\tnmod\t_\tSpaceAfter=No
6\t.\t_\tPUNCT\t_\t_\t2\tpunct\t_\t_

# sent_id = b
1-2\tdel\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
1\tdi\t_\tADP\t_\t_\t3\tcase\t_\t_
2\til\t_\tDET\t_\t_\t3\tdet\t_\t_
3\t«\t_\tPUNCT\t_\t_\t0\troot\t_\tSpaceAfter=No|Gloss=x
4\tre\t_\tNOUN\t_\t_\t3\tnmod\t_\t_

"""


@pytest.fixture
def italian(tmp_path: Path) -> list[Sentence]:
    path = tmp_path / "it_x-ud-test.conllu"
    path.write_text(ITALIAN, encoding="utf-8")
    return read_conllu(path)


def words_in_text(sentence: Sentence) -> list[str]:
    surface = surface_text(sentence)
    return [surface.text[first:last] for first, last in surface.words]


def test_words_are_found_in_the_text(italian: list[Sentence]) -> None:
    first = italian[0]
    assert running_text(first) == surface_text(first).text == "L'arte della pace."
    assert words_in_text(first) == ["L'", "arte", "della", "della", "pace", "."]


def test_text_that_is_lacking_is_put_together(italian: list[Sentence]) -> None:
    """The blank after a multiword token is that of its own line, not that of its words."""
    assert running_text(italian[1]) == surface_text(italian[1]).text == "del«re"
    assert words_in_text(italian[1]) == ["del", "del", "«", "re"]


def test_multiword_tokens_keep_their_last_column(italian: list[Sentence], tmp_path: Path) -> None:
    write_conllu(italian, tmp_path / "copy.conllu")
    assert read_conllu(tmp_path / "copy.conllu") == italian
    assert italian[1].ranges == (MultiwordToken(1, 2, "del", "SpaceAfter=No"),)


@pytest.mark.parametrize("text", ["arte della pace", "L'arte di la pace.", "L'arte x della pace."])
def test_text_without_the_tokens_is_refused(text: str, italian: list[Sentence]) -> None:
    wrong = Sentence(italian[0].words, "a", comments=(f" text = {text}",), ranges=italian[0].ranges)
    assert running_text(wrong) == text  # sentences need only the text
    with pytest.raises(DataError, match=r'Sentence a: # text does not have the token .* "words"'):
        surface_text(wrong)


def test_documents_begin_with_newdoc(italian: list[Sentence], tmp_path: Path) -> None:
    assert [sentence.document for sentence in italian] == ["d1", "d1"]
    path = tmp_path / "en.tsv"
    path.write_text("Ada\tO\n\n# newdoc id = 7\nis\tO\n\nhere\tO\n", encoding="utf-8")
    assert [sentence.document for sentence in read_iob2(path)] == [None, "7", "7"]


@pytest.mark.parametrize("id", ["n01001011", "w02014003"])
def test_ids_of_pud_name_the_document(id: str) -> None:
    """Some treebanks of PUD have a newdoc for every sentence, so the id decides."""
    assert Sentence(("x",), id=id, document="other").document == id[:6]
    assert Sentence(("x",), id=f"{id}0", document="other").document == "other"


def ntrex(folder: Path, language: str) -> list[Sentence]:
    paths = DataPaths((folder,), folder / "cache", download=False)
    return list(load_corpus(parse_corpus(f"ntrex:{language}"), "test", paths))


def test_lines_are_parallel_sentences_with_documents(tmp_path: Path) -> None:
    home = tmp_path / "parallel" / "ntrex"
    home.mkdir(parents=True)
    (home / "en.txt").write_text("It rains.\nIt snows.\n", encoding="utf-8")
    assert [sentence.document for sentence in ntrex(tmp_path, "en")] == [None, None]
    (home / "document_ids.txt").write_text("bbc.1\nbbc.2\n", encoding="utf-8")
    (home / "de.txt").write_text("Es regnet.\nEs schneit.\n", encoding="utf-8")
    german = ntrex(tmp_path, "de")
    assert [(s.id, s.document, running_text(s)) for s in german] == [
        ("1", "bbc.1", "Es regnet."), ("2", "bbc.2", "Es schneit.")
    ]  # fmt: skip
    (home / "fr.txt").write_text("Il pleut.\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"document_ids\.txt has 2 lines, but .*fr\.txt has 1"):
        ntrex(tmp_path, "fr")
    (home / "it.txt").write_text("Piove.\n \n", encoding="utf-8")
    with pytest.raises(DataError, match=r"it\.txt:2: The line is blank"):
        ntrex(tmp_path, "it")


def test_real_ntrex_has_documents(real_data: Path) -> None:
    english, japanese = ntrex(real_data, "en"), ntrex(real_data, "ja")
    assert len(english) == len(japanese) == 1997
    assert len({sentence.document for sentence in japanese}) == 123


@pytest.mark.parametrize(
    ("language", "inside"), [("it", 0.13), ("pt", 0.13), ("ja", 0.0), ("zh", 0.0), ("tr", 0.04)]
)
def test_real_sentences_are_read_as_they_are_written(
    real_data: Path, language: str, inside: float
) -> None:
    """Every word is found in the text; without ``# text`` nearly the same text is put together."""
    paths = DataPaths((real_data,), real_data / "cache", download=False)
    sentences = load_corpus(parse_corpus(f"ud:{language}_pud"), "test", paths)
    assert len({sentence.document for sentence in sentences}) == 397
    shared = put_together = 0
    for sentence in sentences:
        surface = surface_text(sentence)
        assert surface.text == running_text(sentence)
        assert f" text = {surface.text}" in sentence.comments
        found = [surface.text[first:last] for first, last in surface.words]
        in_tokens = {
            word: item.form for item in sentence.ranges for word in range(item.first - 1, item.last)
        }
        assert found == [in_tokens.get(i, word) for i, word in enumerate(sentence.words)]
        shared += len(in_tokens)
        alone = Sentence(sentence.words, misc=sentence.misc, ranges=sentence.ranges)
        put_together += running_text(alone) == surface.text
    assert shared / sum(map(len, sentences)) == pytest.approx(inside, abs=0.01)
    assert put_together >= 990
