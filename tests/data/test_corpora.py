"""The sentences of a run, from files or synthetic languages, and their checksums."""

import hashlib
from pathlib import Path

import pytest

from alignscope._util.files import checksum
from alignscope.config.grid import EncoderInfo, expand
from alignscope.config.run import RunSpec
from alignscope.config.study import Study
from alignscope.data import corpora
from alignscope.data.corpora import load_corpus, load_raw_texts, subsample_evenly
from alignscope.data.corpus import parse_corpus
from alignscope.data.locate import read_corpus
from alignscope.data.paths import DataPaths
from alignscope.data.synthetic import corpus
from alignscope.data.synthetic.corpus import read_synthetic
from alignscope.errors import AlignScopeError, DataError
from alignscope.experiments import inputs
from alignscope.experiments.inputs import input_checksums, load_split


@pytest.fixture(autouse=True)
def small_corpora(monkeypatch: pytest.MonkeyPatch) -> object:
    """Synthetic corpora and texts of a few sentences."""
    caches = (read_synthetic, inputs._checksum_of_synthetic)
    monkeypatch.setattr(corpus, "SIZES", {"train": 9, "dev": 4, "test": 4})
    monkeypatch.setattr(corpus, "TEXT", 5)
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


@pytest.fixture
def data_paths(tiny_corpora: Path, tmp_path: Path) -> DataPaths:
    return DataPaths((tiny_corpora,), tmp_path / "cache", download=False)


def make_run(source: str, *targets: str, task: str = "pos", **limits: int) -> RunSpec:
    grid = {"sources": [source], "targets": list(targets)}
    rate = {"learning_rate": 1e-3}
    settings = {"encoders": ["enc"], "tasks": {task: grid}, "limits": limits, "training": rate}
    return expand(Study.model_validate(settings), lambda _: EncoderInfo("enc@1", 2))[0]


def test_sentences_are_generated_or_read_from_a_file(data_paths: DataPaths) -> None:
    generated = load_corpus(parse_corpus("synthetic:vesti/chat"), "dev", data_paths)
    assert generated == read_synthetic("vesti", "chat", "dev")
    assert len(generated) == 4
    tiny = parse_corpus("ud:de_tiny")
    assert load_corpus(tiny, "dev", data_paths) == read_corpus(tiny, "dev", data_paths)


@pytest.mark.parametrize("task", ["pos", "parsing", "ner"])
def test_synthetic_corpora_have_the_annotations_of_every_task(
    data_paths: DataPaths, task: str
) -> None:
    run = make_run("synthetic:vesti/news", task=task, train=3)
    sentences = load_split(run, "synthetic:vesti/news", "train", data_paths)
    ids = [sentence.id for sentence in sentences]
    assert ids == ["news-train-00000", "news-train-00003", "news-train-00006"]


def test_parallel_corpora_stay_parallel_when_limited(data_paths: DataPaths) -> None:
    run = make_run("synthetic:vesti/news", test=2)
    names = ("synthetic:vesti/news", "synthetic:qadir/news")
    vesti, qadir = (load_split(run, name, "test", data_paths) for name in names)
    assert [sentence.id for sentence in vesti] == [sentence.id for sentence in qadir]
    assert len(vesti) == 2


@pytest.mark.parametrize(
    ("name", "split", "message"),
    [
        ("synthetic:vesta/news", "dev", "vesta is not a synthetic language; did you mean 'vesti'"),
        ("synthetic:vesti/mews", "dev", "have no domain mews; did you mean 'news'"),
        ("synthetic:vesti/news", "val", "have no split val. The splits are train, dev, test"),
    ],
)
def test_an_unknown_language_domain_or_split_is_refused(
    data_paths: DataPaths, name: str, split: str, message: str
) -> None:
    with pytest.raises(DataError) as error:
        load_corpus(parse_corpus(name), split, data_paths)
    assert message in str(error.value)


def test_a_missing_annotation_is_named(data_paths: DataPaths) -> None:
    with pytest.raises(AlignScopeError, match="ud:de_tiny/dev lacks entities"):
        load_split(make_run("ud:de_tiny", task="ner"), "ud:de_tiny", "dev", data_paths)


def test_checksums_differ_if_and_only_if_sentences_differ(
    data_paths: DataPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run("synthetic:vesti/news", "synthetic:vesti/chat", "synthetic:lianu/news")
    checksums = input_checksums(run, data_paths)
    assert set(checksums) == {
        "synthetic:vesti/news/train", "synthetic:vesti/news/dev", "synthetic:vesti/news/test",
        "synthetic:vesti/chat/test", "synthetic:lianu/news/test",
    }  # fmt: skip
    assert len(set(checksums.values())) == 5
    assert all(len(value) == 64 for value in checksums.values())
    inputs._checksum_of_synthetic.cache_clear()
    assert input_checksums(run, data_paths) == checksums
    inputs._checksum_of_synthetic.cache_clear()
    read_synthetic.cache_clear()
    monkeypatch.setattr(corpus, "SIZES", {"train": 9, "dev": 4, "test": 5})
    again = input_checksums(run, data_paths)
    changed = {name for name in checksums if again[name] != checksums[name]}
    assert changed == {name for name in checksums if name.endswith("/test")}


def test_checksums_of_files_and_generated_sentences(
    data_paths: DataPaths, tiny_corpora: Path
) -> None:
    checksums = input_checksums(make_run("synthetic:vesti/news", "ud:de_tiny"), data_paths)
    assert checksums["ud:de_tiny/test"] == checksum(tiny_corpora / "ud/de_tiny/test.conllu")
    assert len(checksums) == 4


def test_texts_are_loaded_in_the_given_order(data_paths: DataPaths, tmp_path: Path) -> None:
    path = tmp_path / "two.txt"
    path.write_text("Hello\n\nworld\n")
    names = ["synthetic:vesti/news", str(path), "synthetic:lianu"]
    lines, source = load_raw_texts(names, data_paths)
    assert lines[5:7] == ["Hello", "world"]
    assert lines[:5] == list(corpus.read_synthetic_text("vesti/news"))
    assert lines[7:] == list(corpus.read_synthetic_text("lianu"))
    text = "".join(f"{line}\n" for line in lines[:5])
    assert source == {
        names[0]: [hashlib.sha256(text.encode()).hexdigest()],
        names[1]: [checksum(path)],
        names[2]: [corpora.digest_lines(lines[7:])],
    }


def test_a_text_of_an_unknown_language_is_refused(data_paths: DataPaths) -> None:
    with pytest.raises(DataError, match="vesta is not a synthetic language"):
        load_raw_texts(["synthetic:vesta"], data_paths)


@pytest.mark.parametrize(("limit", "expected"), [(None, 10), (3, 3), (10, 10), (11, 10)])
def test_a_subsample_is_ordered_and_starts_with_the_first_sentence(
    limit: int | None, expected: int
) -> None:
    taken = subsample_evenly(range(10), limit)
    assert len(taken) == expected
    assert sorted(set(taken)) == list(taken)
    assert taken[0] == 0
