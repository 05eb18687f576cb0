"""Tables of labelled sentences: XNLI, SIB-200 and others."""

import gzip
from pathlib import Path

import pytest

from alignscope.data.classification import is_classification_table, read_classification
from alignscope.data.corpus import parse_corpus
from alignscope.data.locate import check_annotations, locate, read_corpus
from alignscope.data.paths import DataPaths
from alignscope.data.plain_words import split_words
from alignscope.errors import DataError

XNLI_HEADER = (
    "language\tgold_label\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\t"
    "sentence2_parse\tsentence1\tsentence2\tpromptID\tpairID\tgenre\tlabel1\tlabel2\tlabel3\t"
    "label4\tlabel5\tsentence1_tokenized\tsentence2_tokenized\tmatch"
)


def xnli_row(language: str, label: str, pair: str, first: str, second: str) -> str:
    """A row as in xnli.dev.tsv; texts have blanks before their full stops when tokenized."""
    texts = [text.replace(" .", ".") for text in (first, second)]
    more = ["1", pair, "facetoface", label, label, label, "", ""]
    return "\t".join([language, label, "", "", "", "", *texts, *more, first, second, "True"])


XNLI = "\n".join(
    [
        XNLI_HEADER,
        xnli_row("de", "neutral", "1", "Es regnet .", "Alle Leute frieren ."),
        xnli_row("en", "neutral", "1", "It rains .", "Everybody is cold ."),
        xnli_row("en", "entailment", "2", "It rains .", "It is wet ."),
        xnli_row("en", "-", "3", "It rains .", "It snows ."),
    ]
)
MULTINLI = "premise\thypo\tlabel\nIt rains .\tIt is dry .\tcontradictory\n"
SIB = (
    'index_id\tcategory\ttext\n1\tsports\tThe match ended 2:0.\n7\thealth\t"""Eat it"", she said"\n'
)


def save(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = text.encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.fixture
def xnli_archives(tmp_path: Path) -> Path:
    """The two archives of XNLI, unpacked in a data folder."""
    save(tmp_path / "XNLI-1.0" / "xnli.dev.tsv", XNLI)
    save(tmp_path / "XNLI-1.0" / "xnli.test.tsv", XNLI)
    save(tmp_path / "XNLI-MT-1.0" / "multinli" / "multinli.train.en.tsv", MULTINLI)
    return tmp_path


def test_xnli_is_read_by_language_and_with_its_tokenized_text(tmp_path: Path) -> None:
    pairs = read_classification(save(tmp_path / "xnli.dev.tsv", XNLI), "en")
    assert [(pair.id, pair.label) for pair in pairs] == [("1", "neutral"), ("2", "entailment")]
    assert pairs[1].words == ("It", "rains", ".", "It", "is", "wet", ".")
    assert pairs[1].second_start == 3


def test_xnli_is_found_in_its_published_archives(
    xnli_archives: Path, data_paths: DataPaths
) -> None:
    (train,) = read_corpus(parse_corpus("xnli:en"), "train", data_paths)
    assert train.label == "contradiction"  # spelt differently in the archive of training data
    assert len(read_corpus(parse_corpus("xnli:en"), "test", data_paths)) == 2
    (german,) = read_corpus(parse_corpus("xnli:de"), "test", data_paths)
    assert german.words[:2] == ("Es", "regnet")
    with pytest.raises(DataError, match=r"no labelled sentence in fr\. Its languages are de, en\."):
        read_corpus(parse_corpus("xnli:fr"), "test", data_paths)
    with pytest.raises(DataError, match=r"xnli:de has no train split in .*, only dev, test\."):
        locate(parse_corpus("xnli:de"), "train", data_paths)


@pytest.mark.parametrize("ending", ["tsv", "tsv.gz"])
def test_sib_200_is_found_in_a_data_folder(
    tmp_path: Path, data_paths: DataPaths, ending: str
) -> None:
    save(tmp_path / "classification" / "sib200" / "eng_Latn" / f"test.{ending}", SIB)
    corpus = parse_corpus("sib200:eng_Latn")
    sentences = read_corpus(corpus, "test", data_paths)
    assert [(sentence.id, sentence.label) for sentence in sentences] == [
        ("1", "sports"),
        ("7", "health"),
    ]
    assert sentences[0].words == ("The", "match", "ended", "2:0", ".")
    assert sentences[1].words == ('"', "Eat", "it", '"', ",", "she", "said")
    assert sentences[0].second_start is None
    assert corpus.language == "eng"


def test_a_path_to_a_table_is_a_corpus(tmp_path: Path, data_paths: DataPaths) -> None:
    text = "premise\thypothesis\tlabel\nA dog .\tAn animal .\tentailment\n"
    path = save(tmp_path / "en_mine" / "dev.tsv", text)
    for name in (f"{path.parent}", f"en={path}"):
        (pair,) = read_corpus(parse_corpus(name), "dev", data_paths)
        assert (pair.words, pair.second_start) == (("A", "dog", ".", "An", "animal", "."), 3)


@pytest.mark.parametrize(
    ("text", "table"),
    [(SIB, True), (XNLI, True), ("Hi\tO\n\n", False), ("", False), ("text\tO\n", False)],
)
def test_tables_are_distinguished_from_iob2_by_their_header(
    tmp_path: Path, text: str, table: bool
) -> None:
    assert is_classification_table(save(tmp_path / "a.tsv", text)) is table


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("text\ttopic\nHi\tx\n", r":1: The header has no column of texts .* Name both\."),
        ("text\tlabel\nHi\n", r":2: The line has 1 column, but the header has 2\."),
        ("text\tlabel\n \tx\n", r":2: A sentence or the label is empty\."),
        ("text\tlabel\nHi\t\n", r":2: A sentence or the label is empty\."),
        ("text\thypothesis\tlabel\nHi\t\tx\n", r":2: A sentence or the label is empty\."),
        ("text\tlabel\n", r": The file has no labelled sentence\."),
        ("", r":1: The header has no column of texts"),
    ],
)
def test_an_invalid_table_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = save(tmp_path / "a.tsv", text)
    with pytest.raises(DataError, match=message):
        read_classification(path)


def test_a_quoted_sentence_keeps_its_quotes(tmp_path: Path) -> None:
    (sentence,) = read_classification(save(tmp_path / "a.tsv", 'text\tlabel\n"Eat it"\tx\n'))
    assert sentence.words == ('"', "Eat", "it", '"')


def test_a_corpus_without_labels_is_refused(tmp_path: Path, data_paths: DataPaths) -> None:
    save(tmp_path / "ner" / "mine" / "en" / "test.tsv", "Hi\tO\n\n")
    sentences = read_corpus(parse_corpus("mine:en"), "test", data_paths)
    message = r"^mine:en lacks label, which the task needs: a column of labels is _ or absent in 1 "
    with pytest.raises(DataError, match=message):
        check_annotations(sentences, ("label",), "mine:en")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("«Don't» go...", ("«", "Don't", "»", "go", ".", ".", ".")),
        ("well-known U.S. (2)", ("well-known", "U.S", ".", "(", "2", ")")),
        ("東京は3月", ("東", "京", "は", "3", "月")),
        ("ที่นี่ ok", ("ที่", "นี่", "ok")),
        ("नमस्ते दुनिया।", ("नमस्ते", "दुनिया", "।")),
        ("... !", (".", ".", ".", "!")),
        ("  ", ()),
    ],
)
def test_plain_text_is_split_into_words(text: str, words: tuple[str, ...]) -> None:
    assert split_words(text) == words
