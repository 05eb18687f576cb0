"""Raw text for pretraining: names, files, and missing texts."""

import gzip

import pytest

from alignscope.data.raw_text import read_text
from alignscope.errors import DataError

CONLLU = """\
# text = Du pain!
1-2\tDu\t_\t_\t_\t_\t_\t_\t_\t_
1\tDe\t_\t_\t_\t_\t_\t_\t_\t_
2\tle\t_\t_\t_\t_\t_\t_\t_\t_
3\tpain\t_\t_\t_\t_\t_\t_\t_\t_

1-2\tDu\t_\t_\t_\t_\t_\t_\t_\t_
1\tDe\t_\t_\t_\t_\t_\t_\t_\t_
2\tle\t_\t_\t_\t_\t_\t_\t_\t_
3\tvin\t_\t_\t_\t_\t_\t_\t_\t_

"""


@pytest.fixture(autouse=True)
def texts(tmp_path):
    contents = {
        "text/en/b.tsv.gz": "1\tthird\n",
        "text/en/a.tsv.gz": "1\tfirst\n2\t\n3\tsec\u2028ond\n",
        "parallel/ntrex/en.txt.gz": "a\tb\n\nc\n",
        "ud/fr_x/train.conllu.gz": CONLLU,
        "bad.tsv.gz": "1\tfine\nno id\n",
    }
    for name, content in contents.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content.encode()))
    (tmp_path / "plain.txt").write_text("one\n  \ntwo")


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("text:en", ["first", "sec\u2028ond", "third"]),
        ("text:en/b", ["third"]),
        ("ntrex:en", ["a\tb", "c"]),
        ("ud:fr_x", ["Du pain!", "Du vin"]),
        ("{}/text/en/b.tsv.gz", ["third"]),
        ("{}/plain.txt", ["one", "two"]),
        ("{}/ud/fr_x/train.conllu.gz", ["Du pain!", "Du vin"]),
    ],
)
def test_the_lines_of_every_kind_of_name_are_read(tmp_path, data_paths, name, lines):
    assert list(read_text(name.format(tmp_path), data_paths)) == lines


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("txt:en", "unknown prefix; did you mean 'text'. Known prefixes: text, ntrex, ud"),
        ("text:xx", r"text:xx was not found \(searched: .*--data or ALIGNSCOPE_DATA"),
        ("text:en/c", "text:en/c was not found"),
        ("nothing.txt", r"nothing.txt is neither a file nor a name such as text:en"),
        ("ud:en_ewt", "downloading is switched off"),
    ],
)
def test_a_missing_text_is_refused_before_the_first_line_is_read(data_paths, name, message):
    with pytest.raises(DataError, match=message):
        read_text(name, data_paths)


def test_a_table_needs_two_columns(tmp_path, data_paths):
    lines = read_text(str(tmp_path / "bad.tsv.gz"), data_paths)
    with pytest.raises(
        DataError, match=r"bad.tsv.gz:2: The line has 1 column, but needs 2: id<TAB>text"
    ):
        list(lines)
