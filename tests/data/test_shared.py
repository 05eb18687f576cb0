"""The real corpora of the shared data are read, counted and written without a difference."""

import json
from itertools import zip_longest

import pytest

from alignscope._util.files import checksum, read_lines
from alignscope.data.conllu import read_conllu, write_conllu
from alignscope.data.corpus import parse_corpus
from alignscope.data.locate import read_corpus
from alignscope.data.paths import DataPaths
from alignscope.data.raw_text import read_text

KEPT = (0, 1, 3, 4, 5, 6, 7, 9)  # all but LEMMA and DEPS
LARGE = 10_500  # words: larger files take a second each


@pytest.fixture(scope="module")
def manifest(shared):
    return json.loads((shared / "manifest.json").read_text())


def corpora(manifest, top):
    """Yield the rows of the manifest with the names of their corpora."""
    for row in manifest:
        parts = row["path"].split("/")
        if parts[0] == top:
            yield f"{':'.join(parts[-3:-1])}", row


def expected_line(line):
    """Return a line as it is written: the columns that are not kept are blank."""
    cells = line.split("\t")
    if line.startswith("#") or len(cells) != 10:
        return line
    misc_of_range = KEPT[-1:] * ("-" in cells[0])
    kept = KEPT if cells[0].isdigit() else (*KEPT[:2], *misc_of_range)
    return "\t".join(cell if i in kept else "_" for i, cell in enumerate(cells))


def _check_treebanks(shared, rows, copy):
    data_paths = DataPaths((shared,), copy.parent / "cache", download=False)
    for name, row in rows:
        gold = read_corpus(parse_corpus(name), row["split"], data_paths)
        counts = {
            "n_sentences": len(gold),
            "n_words": sum(len(sentence) for sentence in gold),
            "n_mwt": sum(len(sentence.ranges) for sentence in gold),
            "n_empty": sum(len(sentence.empty) for sentence in gold),
        }
        assert counts == {key: row[key] for key in counts}, row["path"]
        has_trees = {sentence.heads is not None for sentence in gold}
        assert has_trees == {row["kind"] == "ud"}, row["path"]
        assert all(sentence.id for sentence in gold), row["path"]
        _check_round_trip(shared / row["path"], gold, copy)


def _check_round_trip(path, gold, copy):
    write_conllu(gold, copy)
    assert tuple(read_conllu(copy)) == gold, path
    pairs = zip_longest(read_lines(path), read_lines(copy))
    assert all(expected_line(original) == line for original, line in pairs), path


def test_small_treebanks_have_the_listed_size_and_survive_a_round_trip(shared, manifest, tmp_path):
    rows = [pair for pair in corpora(manifest, "ud") if pair[1]["n_words"] <= LARGE]
    assert rows
    _check_treebanks(shared, rows, tmp_path / "copy.conllu.gz")


@pytest.mark.slow
def test_large_treebanks_have_the_listed_size_and_survive_a_round_trip(shared, manifest, tmp_path):
    rows = [pair for pair in corpora(manifest, "ud") if pair[1]["n_words"] > LARGE]
    assert rows
    _check_treebanks(shared, rows, tmp_path / "copy.conllu.gz")


def test_named_entities_have_the_listed_counts(shared, manifest, tmp_path):
    data_paths = DataPaths((shared,), tmp_path, download=False)
    rows = list(corpora(manifest, "ner"))
    assert rows
    for name, row in rows:
        gold = read_corpus(parse_corpus(name), row["split"], data_paths)
        tags = [tag for sentence in gold for tag in sentence.entities]
        assert (len(gold), len(tags)) == (row["n_sentences"], row["n_words"]), row["path"]
        begun = {kind: tags.count(f"B-{kind}") for kind in row["entities"]}
        assert begun == row["entities"], row["path"]
        assert parse_corpus(name).language == row["language"]


def test_raw_texts_have_the_listed_number_of_lines(shared, manifest, tmp_path):
    data_paths = DataPaths((shared,), tmp_path, download=False)
    sizes: dict[str, int] = {}
    for row in manifest:
        if row["kind"] == "text":
            sizes[row["language"]] = sizes.get(row["language"], 0) + row["n_sentences"]
    assert sizes
    for language, size in sizes.items():
        assert sum(1 for _ in read_text(f"text:{language}", data_paths)) == size
    assert sum(1 for _ in read_text("ntrex:en", data_paths)) == 1997


def test_files_have_the_listed_checksums(shared, manifest):
    for row in manifest[::20]:
        assert checksum(shared / row["path"]) == row["sha256"]
