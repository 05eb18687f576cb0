import gzip
import os
import re
from pathlib import Path

import pytest

from alignscope._util.files import checksum
from alignscope.data.corpus import CorpusSpec, parse_corpus, relation_between
from alignscope.data.locate import check_annotations, locate, read_corpus
from alignscope.data.paths import DataPaths
from alignscope.data.sentence import Sentence
from alignscope.errors import DataError

CONLLU = "1\tHi\t_\tINTJ\t_\t_\t0\troot\t_\t_\n\n"
UNPARSED = "1\tHi\t_\tINTJ\t_\t_\t_\t_\t_\t_\n\n"
TAGGED = "Hi\tO\n\n"


def save(path: Path, text: str = CONLLU) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = text.encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize(
    ("name", "kind", "language", "treebank", "domain"),
    [
        ("ud:en_ewt", "ud", "en", "en_ewt", "ewt"),
        ("ud:qaf_arabizi", "ud", "qaf", "qaf_arabizi", "arabizi"),
        ("uner:zh_gsdsimp", "uner", "zh", "zh_gsdsimp", "gsdsimp"),
        ("wikiann:en", "wikiann", "en", "en", "wikiann"),
        ("wikiann:zh-min-nan", "wikiann", "zh-min-nan", "zh-min-nan", "wikiann"),
        ("kind:it_fiction", "kind", "it", "it_fiction", "fiction"),
        ("mine:en_a_b", "mine", "en", "en_a_b", "a_b"),
    ],
)
def test_names_are_understood(name, kind, language, treebank, domain):
    assert parse_corpus(name) == CorpusSpec(name, kind, language, treebank, domain)


@pytest.mark.parametrize("name", ["ud:en", "ud:", "ud:EN_ewt", "uner:en", "wikiann:", "kind:_x"])
def test_names_without_language_or_treebank_are_refused(name):
    with pytest.raises(DataError, match=f"corpus {name} should name a language and a treebank"):
        parse_corpus(name)


@pytest.mark.parametrize(
    ("file", "stated", "language", "treebank"),
    [
        ("en_mine-ud-test.conllu", "", "en", "en_mine"),
        ("en_mine_dev.tsv.gz", "", "en", "en_mine"),
        ("fi.iob2", "", "fi", "fi"),
        ("de_news/test.conllu", "", "de", "de_news"),
        ("strange name/x.conllu", "sv=", "sv", "x"),
        ("en_mine.conllu", "sv=", "sv", "en_mine"),
    ],
)
def test_paths_are_understood(tmp_path, file, stated, language, treebank):
    name = f"{stated}{save(tmp_path / file)}"
    corpus = parse_corpus(name)
    assert (corpus.kind, corpus.language, corpus.treebank) == ("path", language, treebank)
    assert (corpus.name, corpus.path) == (name, tmp_path / file)


def test_a_path_without_language_says_how_to_state_it(tmp_path):
    path = save(tmp_path / "corpus.conllu")
    with pytest.raises(DataError, match=r"cannot be told from its name, state it as en=PATH"):
        parse_corpus(str(path))
    with pytest.raises(DataError, match="neither a path that exists nor a name like ud:en_ewt"):
        parse_corpus("en_ewt")


LAYOUTS = {
    "shared": ("ud:en_ewt", "ud/en_ewt/{}.conllu.gz", "dev"),
    "repository": ("ud:en_ewt", "UD_English-EWT/en_ewt-ud-{}.conllu", "dev"),
    "release": ("ud:en_ewt", "ud-treebanks-v2.16/UD_English-EWT/en_ewt-ud-{}.conllu", "dev"),
    "ner": ("turku:fi", "ner/turku/fi/{}.tsv.gz", "dev"),
    "uner": ("uner:en_ewt", "UNER_English-EWT/en_ewt-ud-{}.iob2", "dev"),
    "wikiann": ("wikiann:en", "wikiann/en/{}-00000-of-00001.parquet", "validation"),
}


@pytest.mark.parametrize(("name", "layout", "dev"), LAYOUTS.values(), ids=LAYOUTS.keys())
def test_every_layout_is_found(tmp_path, places, name, layout, dev):
    for other in ("train", "test"):
        save(tmp_path / layout.format(other))
    expected = save(tmp_path / layout.format(dev))
    assert locate(parse_corpus(name), "dev", places) == expected


def test_folders_given_as_paths_and_repositories(tmp_path, places):
    train = save(tmp_path / "en_mine" / "en_mine-ud-train.conllu")
    save(tmp_path / "en_mine" / "README.md", "no corpus")
    save(tmp_path / "en_mine" / "notes_test.stats", "no corpus")
    corpus = parse_corpus(str(tmp_path / "en_mine"))
    assert locate(corpus, "train", places) == train
    with pytest.raises(DataError, match=r"has no test split in .*en_mine, only train"):
        locate(corpus, "test", places)
    save(tmp_path / "en_mine" / "en_other-ud-train.conllu")
    with pytest.raises(DataError, match=r"two train files, en_mine-ud-train\.conllu and en_other"):
        locate(corpus, "train", places)
    (tmp_path / "en_none").mkdir()
    with pytest.raises(DataError, match="en_none has no file for any of train, dev, test"):
        locate(parse_corpus(str(tmp_path / "en_none")), "test", places)


def test_a_file_is_one_split_only(tmp_path, places):
    train = save(tmp_path / "en_x-ud-train.conllu")
    assert locate(parse_corpus(str(train)), "train", places) == train
    with pytest.raises(DataError, match=r"has no test split in .*, only train"):
        locate(parse_corpus(str(train)), "test", places)
    unnamed = parse_corpus(str(save(tmp_path / "en_x.conllu")))
    assert locate(unnamed, "test", places).name == "en_x.conllu"
    with pytest.raises(DataError, match="has no train split"):
        locate(unnamed, "train", places)


def test_the_first_folder_that_has_a_corpus_has_all_of_it(tmp_path):
    first, second = tmp_path / "1", tmp_path / "2"
    expected = save(first / "ud/en_ewt/test.conllu")
    save(second / "ud/en_ewt/test.conllu")
    save(second / "ud/en_ewt/train.conllu")
    places = DataPaths((first, second), tmp_path / "cache", download=False)
    assert locate(parse_corpus("ud:en_ewt"), "test", places) == expected
    with pytest.raises(DataError, match=r"ud:en_ewt has no train split in .*, only test"):
        locate(parse_corpus("ud:en_ewt"), "train", places)


MISSING = {
    "ud:en_ewtt": ["; did you mean 'en_ewt'?", "--data or ALIGNSCOPE_DATA", "searched: "],
    "ud:en_ewt": ["ud:en_ewt was not found", "downloading is switched off"],
    "uner:en_ewd": ["; did you mean 'en_ewt'?"],
    "udd:en_ewt": ["prefix udd: is unknown; did you mean 'ud'?", "known: own, ud, uner, wikiann"],
    "own:en": ["own:en was not found"],
}


@pytest.mark.parametrize(("name", "parts"), MISSING.items())
def test_what_is_missing_is_explained(tmp_path, places, name, parts):
    (tmp_path / "ner" / "own" / "de").mkdir(parents=True)
    with pytest.raises(DataError) as error:
        locate(parse_corpus(name), "test", places)
    message = str(error.value)
    assert all(part in message for part in parts), message
    assert str(tmp_path) in message
    assert "\n" not in message


def test_unknown_splits_are_refused(places):
    with pytest.raises(
        DataError, match=r"^tests is not a split; did you mean 'test'\? The splits are train, dev"
    ):
        locate(parse_corpus("ud:en_ewt"), "tests", places)


def test_needed_annotations_are_checked(tmp_path, places):
    save(tmp_path / "ud/ar_padtpos/test.conllu", CONLLU + UNPARSED)
    corpus = parse_corpus("ud:ar_padtpos")
    sentences, name = read_corpus(corpus, "test", places), "ud:ar_padtpos/test"
    assert len(sentences) == 2
    check_annotations(sentences, ("upos",), name)
    message = (
        "ud:ar_padtpos/test lacks heads, which the task needs: HEAD is _ or absent "
        "in 1 of 2 sentences"
    )
    with pytest.raises(DataError, match=re.escape(message)):
        check_annotations(sentences, ("upos", "heads"), name)
    with pytest.raises(DataError, match="lacks entities"):
        check_annotations(sentences, ("entities",), name)


def test_a_file_is_read_once_until_it_changes(tmp_path, places):
    path = save(tmp_path / "ner/own/en/test.tsv", TAGGED)
    corpus = parse_corpus("own:en")
    first = read_corpus(corpus, "test", places)
    assert first == (Sentence(words=("Hi",), entities=("O",)),)
    assert read_corpus(corpus, "test", places) is first
    path.write_text(TAGGED + TAGGED)
    os.utime(path, ns=(1, 1))
    assert len(read_corpus(corpus, "test", places)) == 2


def test_embedded_languages_are_named_by_language_and_domain():
    corpus = parse_corpus("synthetic:vesti/news")
    assert (corpus.kind, corpus.language, corpus.domain) == ("synthetic", "vesti", "news")
    with pytest.raises(DataError, match="a language and a domain, as synthetic:vesti/news does"):
        parse_corpus("synthetic:vesti")


@pytest.mark.parametrize(
    ("source", "evaluated", "relation"),
    [
        ("ud:en_ewt", "ud:en_ewt", "in-domain"),
        ("ud:en_ewt", "ud:en_gum", "cross-domain"),
        ("uner:en_ewt", "ud:en_ewt", "cross-domain"),
        ("ud:en_pud", "ud:de_pud", "cross-lingual"),
        ("wikiann:en", "wikiann:en", "in-domain"),
        ("wikiann:en", "wikineural:en", "cross-domain"),
        ("wikiann:en", "wikiann:de", "cross-lingual"),
        ("synthetic:vesti/news", "synthetic:vesti/news", "in-domain"),
        ("synthetic:vesti/news", "synthetic:vesti/chat", "cross-domain"),
        ("synthetic:vesti/news", "synthetic:dorun/news", "cross-lingual"),
    ],
)
def test_relations(source, evaluated, relation):
    pair = parse_corpus(source), parse_corpus(evaluated)
    assert relation_between(*pair) == relation_between(*pair[::-1]) == relation


def test_places_come_from_arguments_then_the_environment(tmp_path, monkeypatch):
    given, named = tmp_path / "given", tmp_path / "named"
    given.mkdir()
    named.mkdir()
    monkeypatch.setenv("ALIGNSCOPE_DATA", os.pathsep.join([str(named), str(given), ""]))
    monkeypatch.setenv("ALIGNSCOPE_CACHE", str(tmp_path / "c"))
    assert DataPaths.of([given]) == DataPaths((given, named), tmp_path / "c", download=True)
    monkeypatch.delenv("ALIGNSCOPE_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert DataPaths.of().cache == tmp_path / ".cache" / "alignscope"
    with pytest.raises(DataError, match=r"data folder .*nowhere does not exist"):
        DataPaths.of([tmp_path / "nowhere"])


def test_checksum_is_sha256(tmp_path):
    (tmp_path / "empty").touch()
    expected = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert checksum(tmp_path / "empty") == expected
