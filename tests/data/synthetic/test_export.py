"""Exported synthetic corpora read back unchanged."""

from pathlib import Path

import pytest

from alignscope.data.corpus import parse_corpus
from alignscope.data.locate import read_corpus
from alignscope.data.paths import DataPaths
from alignscope.data.synthetic import export
from alignscope.data.synthetic.corpus import domains, read_synthetic
from alignscope.data.synthetic.export import write_treebanks
from alignscope.errors import DataError


@pytest.fixture(autouse=True)
def _two_splits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the large training split."""
    monkeypatch.setattr(export, "SPLITS", ("dev", "test"))


def test_exported_corpora_read_back_unchanged(tmp_path: Path) -> None:
    written = write_treebanks(tmp_path, ["lianu", "qadir"])
    assert len(written) == len(set(written)) == 2 * 3 * 2 * 3
    places = DataPaths((tmp_path,), tmp_path / "cache", download=False)
    for language in ("lianu", "qadir"):
        for domain in domains():
            gold = read_synthetic(language, domain, "dev")
            trees = read_corpus(parse_corpus(f"ud:{language}_{domain}"), "dev", places)
            assert trees == tuple(sentence.annotate(entities=None, label=None) for sentence in gold)
            tags = read_corpus(parse_corpus(f"made:{language}_{domain}"), "dev", places)
            assert [(s.id, s.words, s.entities) for s in tags] == [
                (s.id, s.words, s.entities) for s in gold
            ]
            topics = read_corpus(parse_corpus(f"topic:{language}_{domain}"), "dev", places)
            assert [(s.id, s.words, s.label) for s in topics] == [
                (s.id, s.words, s.label) for s in gold
            ]
    corpus = parse_corpus("ud:qadir_news")
    assert (corpus.language, corpus.domain) == ("qadir", "news")


def test_exports_are_byte_identical(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in write_treebanks(tmp_path / "a", ["vesti"])]
    assert [path.read_bytes() for path in write_treebanks(tmp_path / "b", ["vesti"])] == first


def test_an_unknown_language_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"vestii is not a synthetic language; did you mean 'vesti"):
        write_treebanks(tmp_path / "out", ["vesti", "vestii"])
    assert not (tmp_path / "out").exists()


def test_an_unwritable_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"Cannot write .*file: Not a directory"):
        write_treebanks(tmp_path / "file", ["vesti"])
