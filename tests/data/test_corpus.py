"""Corpus names, the files behind them, and the folders that are searched."""

import gzip
import os
import re
from pathlib import Path

import pytest

from alignscope._util.files import checksum
from alignscope.data.corpus import CorpusSpec, parse_corpus, relation_between, scheme_of
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
def test_the_parts_of_a_name_are_parsed(name, kind, language, treebank, domain):
    assert parse_corpus(name) == CorpusSpec(name, kind, language, treebank, domain)


@pytest.mark.parametrize("name", ["ud:en", "ud:", "ud:EN_ewt", "uner:en", "wikiann:", "kind:_x"])
def test_names_without_language_or_treebank_are_refused(name):
    with pytest.raises(DataError, match=f"Corpus {name} must name a language and a treebank"):
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
def test_the_language_of_a_path_is_parsed(tmp_path, file, stated, language, treebank):
    name = f"{stated}{save(tmp_path / file)}"
    corpus = parse_corpus(name)
    assert (corpus.kind, corpus.language, corpus.treebank) == ("path", language, treebank)
    assert (corpus.name, corpus.path) == (name, tmp_path / file)


def test_the_message_about_a_path_without_language_explains_how_to_state_it(tmp_path):
    path = save(tmp_path / "corpus.conllu")
    with pytest.raises(DataError, match=r"does not start with a language\. State .* as en=PATH"):
        parse_corpus(str(path))
    with pytest.raises(DataError, match="neither an existing path nor a name such as ud:en_ewt"):
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
def test_files_are_found_in_every_layout(tmp_path, data_paths, name, layout, dev):
    for split in ("train", "test"):
        save(tmp_path / layout.format(split))
    expected = save(tmp_path / layout.format(dev))
    assert locate(parse_corpus(name), "dev", data_paths) == expected


def test_a_folder_given_as_a_path_has_one_file_per_split(tmp_path, data_paths):
    train = save(tmp_path / "en_mine" / "en_mine-ud-train.conllu")
    save(tmp_path / "en_mine" / "README.md", "no corpus")
    save(tmp_path / "en_mine" / "notes_test.stats", "no corpus")
    corpus = parse_corpus(str(tmp_path / "en_mine"))
    assert locate(corpus, "train", data_paths) == train
    with pytest.raises(DataError, match=r"has no test split in .*en_mine, only train"):
        locate(corpus, "test", data_paths)
    save(tmp_path / "en_mine" / "en_other-ud-train.conllu")
    with pytest.raises(DataError, match=r"two train files, en_mine-ud-train\.conllu and en_other"):
        locate(corpus, "train", data_paths)
    (tmp_path / "en_none").mkdir()
    with pytest.raises(DataError, match="en_none has no file for any of train, dev, test"):
        locate(parse_corpus(str(tmp_path / "en_none")), "test", data_paths)


def test_a_file_is_a_single_split(tmp_path, data_paths):
    train = save(tmp_path / "en_x-ud-train.conllu")
    assert locate(parse_corpus(str(train)), "train", data_paths) == train
    with pytest.raises(DataError, match=r"has no test split in .*, only train"):
        locate(parse_corpus(str(train)), "test", data_paths)
    unnamed = parse_corpus(str(save(tmp_path / "en_x.conllu")))
    assert locate(unnamed, "test", data_paths).name == "en_x.conllu"
    with pytest.raises(DataError, match="has no train split"):
        locate(unnamed, "train", data_paths)


def test_all_splits_come_from_the_first_folder_that_has_the_corpus(tmp_path):
    first, second = tmp_path / "1", tmp_path / "2"
    expected = save(first / "ud/en_ewt/test.conllu")
    save(second / "ud/en_ewt/test.conllu")
    save(second / "ud/en_ewt/train.conllu")
    data_paths = DataPaths((first, second), tmp_path / "cache", download=False)
    assert locate(parse_corpus("ud:en_ewt"), "test", data_paths) == expected
    with pytest.raises(DataError, match=r"ud:en_ewt has no train split in .*, only test"):
        locate(parse_corpus("ud:en_ewt"), "train", data_paths)


MISSING = {
    "ud:en_ewtt": ["; did you mean 'en_ewt'?", "--data or ALIGNSCOPE_DATA", "searched: "],
    "ud:en_ewt": ["ud:en_ewt was not found", ", and downloading is switched off. Name a folder"],
    "uner:en_ewd": ["; did you mean 'en_ewt'?"],
    "udd:en_ewt": [
        "prefix udd: is unknown; did you mean 'ud'?",
        "Known prefixes: own, ud, uner, wikiann.",
    ],
    "own:en": ["own:en was not found (searched: ", "). Name a folder"],
}


@pytest.mark.parametrize(("name", "parts"), MISSING.items())
def test_the_message_about_a_missing_corpus_names_folders_and_remedy(
    tmp_path, data_paths, name, parts
):
    (tmp_path / "ner" / "own" / "de").mkdir(parents=True)
    with pytest.raises(DataError) as error:
        locate(parse_corpus(name), "test", data_paths)
    message = str(error.value)
    assert all(part in message for part in parts), message
    assert str(tmp_path) in message
    assert "\n" not in message


def test_an_unknown_split_is_refused(data_paths):
    with pytest.raises(
        DataError, match=r"^tests is not a split; did you mean 'test'\? The splits are train, dev"
    ):
        locate(parse_corpus("ud:en_ewt"), "tests", data_paths)


def test_missing_annotations_are_reported(tmp_path, data_paths):
    save(tmp_path / "ud/ar_padtpos/test.conllu", CONLLU + UNPARSED)
    corpus = parse_corpus("ud:ar_padtpos")
    sentences, name = read_corpus(corpus, "test", data_paths), "ud:ar_padtpos/test"
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


def test_a_file_is_read_again_only_after_it_changes(tmp_path, data_paths):
    path = save(tmp_path / "ner/own/en/test.tsv", TAGGED)
    corpus = parse_corpus("own:en")
    first = read_corpus(corpus, "test", data_paths)
    assert first == (Sentence(words=("Hi",), entities=("O",)),)
    assert read_corpus(corpus, "test", data_paths) is first
    path.write_text(TAGGED + TAGGED)
    os.utime(path, ns=(1, 1))
    assert len(read_corpus(corpus, "test", data_paths)) == 2


def test_synthetic_corpora_are_named_by_language_and_domain():
    corpus = parse_corpus("synthetic:vesti/news")
    assert (corpus.kind, corpus.language, corpus.domain) == ("synthetic", "vesti", "news")
    with pytest.raises(DataError, match="a language and a domain, as in synthetic:vesti/news"):
        parse_corpus("synthetic:vesti")


@pytest.mark.parametrize(
    ("source", "evaluated", "task", "relation"),
    [
        ("ud:en_ewt", "ud:en_ewt", "pos", "in-domain"),
        ("ud:en_ewt", "ud:en_gum", "parsing", "cross-domain"),
        ("ud:en_pud", "ud:de_pud", "pos", "cross-lingual"),
        ("wikiann:en", "wikiann:en", "ner", "in-domain"),
        ("uner:en_ewt", "uner:en_pud", "ner", "cross-domain"),
        ("uner:en_ewt", "wikiann:en", "ner", "cross-scheme"),
        ("wikiann:en", "wikineural:en", "ner", "cross-scheme"),
        ("wikiann:en", "uner:de_pud", "ner", "cross-lingual"),
        ("xnli:en", "sib200:en", "classification", "cross-scheme"),
        ("synthetic:vesti/news", "synthetic:vesti/news", "ner", "in-domain"),
        ("synthetic:vesti/news", "synthetic:vesti/chat", "ner", "cross-domain"),
        ("synthetic:vesti/news", "synthetic:dorun/news", "ner", "cross-lingual"),
    ],
)
def test_the_relation_of_two_corpora_follows_from_language_scheme_and_treebank(
    source, evaluated, task, relation
):
    pair = parse_corpus(source), parse_corpus(evaluated)
    assert relation_between(*pair, task) == relation_between(*pair[::-1], task) == relation


@pytest.mark.parametrize(
    ("task", "schemes"), [("pos", 1), ("parsing", 1), ("ner", 2), ("classification", 2)]
)
def test_a_path_is_a_treebank_of_ud_or_has_a_scheme_of_its_own(tmp_path, task, schemes):
    (tmp_path / "en_own.conllu").touch()
    corpora = parse_corpus(str(tmp_path / "en_own.conllu")), parse_corpus("ud:en_ewt")
    assert len({scheme_of(corpus, task) for corpus in corpora}) == schemes


@pytest.mark.parametrize(
    ("name", "prefix", "domain"),
    [
        ("en_pud-ud-test.conllu", "", "pud"),
        ("de_pud", "", "pud"),
        ("news.conllu", "en=", "news"),
        ("en.conllu", "", "en"),
    ],
)
def test_the_domain_of_a_path_is_its_name_without_the_language(tmp_path, name, prefix, domain):
    (tmp_path / name).touch()
    assert parse_corpus(f"{prefix}{tmp_path / name}").domain == domain


def test_folders_come_from_arguments_then_from_the_environment(tmp_path, monkeypatch):
    argument, variable = tmp_path / "given", tmp_path / "named"
    argument.mkdir()
    variable.mkdir()
    monkeypatch.setenv("ALIGNSCOPE_DATA", os.pathsep.join([str(variable), str(argument), ""]))
    monkeypatch.setenv("ALIGNSCOPE_CACHE", str(tmp_path / "c"))
    assert DataPaths.of([argument]) == DataPaths(
        (argument, variable), tmp_path / "c", download=True
    )
    monkeypatch.delenv("ALIGNSCOPE_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert DataPaths.of().cache == tmp_path / ".cache" / "alignscope"
    with pytest.raises(DataError, match=r"^The data folder .*nowhere does not exist"):
        DataPaths.of([tmp_path / "nowhere"])


def test_a_checksum_is_the_sha256_of_the_file(tmp_path):
    (tmp_path / "empty").touch()
    expected = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert checksum(tmp_path / "empty") == expected
