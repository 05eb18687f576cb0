"""Sentences and strings in memory are compared as corpora are, whatever encoder reads them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from alignscope.config.similarity import ComparisonConfig
from alignscope.data.corpora import load_corpus
from alignscope.data.corpus import parse_corpus
from alignscope.data.paths import DataPaths
from alignscope.data.sentence import Sentence
from alignscope.encoders.encoder import Encoder, load_encoder
from alignscope.encoders.reinitialize import reinitialize
from alignscope.errors import DataError, EncoderError, SimilarityError
from alignscope.results.schemas import SIMILARITY
from alignscope.similarity.compare import compare_corpora, compare_texts
from alignscope.similarity.reading import UnknownWarning

VESTI, QADIR = "synthetic:vesti/news", "synthetic:qadir/news"
CONFIG = ComparisonConfig(measures=("cka", "retrieval"), layers="0,8", limit=100)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("embedded", device="cpu")


def corpus(name: str) -> list[Sentence]:
    paths = DataPaths((), Path("nowhere"), download=False)
    return list(load_corpus(parse_corpus(name), "test", paths))


def strings(sentences: list[Sentence]) -> list[str]:
    return [" ".join(sentence.words) for sentence in sentences]


@pytest.fixture(scope="module")
def vesti() -> list[Sentence]:
    return corpus(VESTI)


@pytest.fixture(scope="module")
def qadir() -> list[Sentence]:
    return corpus(QADIR)


def test_sentences_in_memory_give_the_table_of_their_corpora(
    encoder: Encoder, vesti: list[Sentence], qadir: list[Sentence], tmp_path: Path
) -> None:
    paths = DataPaths((), tmp_path, download=False)
    expected = compare_corpora("embedded", [VESTI, QADIR], paths, CONFIG)
    found = compare_texts(encoder, vesti, {QADIR: qadir[::-1]}, CONFIG, source_name=VESTI)
    assert found.schema == SIMILARITY
    assert found["split"].null_count() == len(found)
    assert found.drop("split").equals(expected.drop("split"))
    assert compare_corpora(encoder, [VESTI, QADIR], paths, CONFIG).equals(expected)
    assert [path.name for path in tmp_path.iterdir()] == ["representations"]


def test_strings_are_compared_by_position(
    encoder: Encoder, vesti: list[Sentence], qadir: list[Sentence]
) -> None:
    """The words of these languages are split at blanks, so strings give the same vectors."""
    texts = strings(vesti), {"qadir": strings(qadir)}
    found = compare_texts(encoder, *texts, CONFIG)
    expected = compare_texts(encoder, vesti, {"qadir": qadir}, CONFIG)
    assert found["source"].unique().to_list() == ["source"]
    difference = (found["value"] - expected["value"]).abs().max()
    assert isinstance(difference, float)
    assert difference < 1e-5


def test_sentences_without_ids_are_compared_by_position(
    encoder: Encoder, vesti: list[Sentence], qadir: list[Sentence]
) -> None:
    plain = [replace(sentence, id=None) for sentence in qadir]
    expected = compare_texts(encoder, vesti, {"qadir": qadir}, CONFIG)
    assert compare_texts(encoder, vesti, {"qadir": plain}, CONFIG).equals(expected)
    with pytest.raises(DataError, match=r"source has \d+ sentences and qadir has \d+.* position"):
        compare_texts(encoder, vesti, {"qadir": plain[1:]}, CONFIG)


def test_sentences_of_which_some_have_ids_are_refused(
    encoder: Encoder, vesti: list[Sentence], qadir: list[Sentence]
) -> None:
    some = [replace(qadir[0], id=None), *qadir[1:]]
    with pytest.raises(DataError, match="a sentence of qadir has no id"):
        compare_texts(encoder, vesti, {"qadir": some}, CONFIG)


def test_encoder_in_memory_is_compared_as_it_is(
    encoder: Encoder, vesti: list[Sentence], qadir: list[Sentence]
) -> None:
    ablated = reinitialize(encoder, "0-7", seed=1)
    before = {name: weight.clone() for name, weight in ablated.model.state_dict().items()}
    found = compare_texts(ablated, vesti, {"qadir": qadir}, CONFIG)
    expected = compare_texts(encoder, vesti, {"qadir": qadir}, CONFIG)
    assert set(found["encoder"]) == {"embedded (0-7 re-initialised)"}
    differs = (found["value"] != expected["value"]).to_list()
    assert differs == [layer == 8 for layer in found["layer"]]  # layer 0 are the embeddings
    after = ablated.model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_aligned_words_of_sentences_in_memory_are_compared(
    encoder: Encoder, vesti: list[Sentence], qadir: list[Sentence], tmp_path: Path
) -> None:
    words = ComparisonConfig(measures=("cka",), layers="4", limit=100, words=True)
    paths = DataPaths((), tmp_path, download=False)
    expected = compare_corpora(encoder, [VESTI, QADIR], paths, words, cached=False)
    found = compare_texts(encoder, vesti, {QADIR: qadir}, words, source_name=VESTI)
    assert found.drop("split").equals(expected.drop("split"))
    with pytest.raises(DataError, match="qadir has strings, whose words are not aligned"):
        compare_texts(encoder, vesti, {"qadir": strings(qadir)}, words)


def test_texts_that_cannot_be_compared_are_refused(
    encoder: Encoder, vesti: list[Sentence], qadir: list[Sentence]
) -> None:
    with pytest.raises(SimilarityError, match="needs at least 20 rows, got 19"):
        compare_texts(encoder, vesti[:19], {"qadir": qadir[:19]})
    with pytest.raises(DataError, match="A target has the name of the source, source"):
        compare_texts(encoder, vesti, {"source": qadir})
    model: Any = encoder.model
    with pytest.raises(SimilarityError, match="takes an Encoder, got a RoFormerModel"):
        compare_texts(model, vesti, {"qadir": qadir})
    with pytest.raises(DataError, match="nothing to represent"):
        compare_texts(encoder, ["a"] * 19 + [" "], {"de": ["a"] * 20})


def test_unknown_words_of_strings_raise_a_warning(encoder: Encoder, vesti: list[Sentence]) -> None:
    words = [" ".join(text.split()[:5]) for text in strings(vesti)[:40]]
    odd = [f"犬 {text}" for text in words]
    with pytest.warns(UnknownWarning, match=r"maps \d\d % of the words of odd to its unknown"):
        compare_texts(encoder, words, {"odd": odd}, CONFIG)


def test_xmod_takes_the_language_from_the_name_and_keeps_its_own(
    encoder_folders: Callable[[str], Path],
) -> None:
    encoder = load_encoder(encoder_folders("xmod"), device="cpu")
    encoder.model.set_default_language(encoder.model.config.languages[0])
    before = encoder.model.config.default_language
    texts = [f"{a}{b} dog" for a in "abcde" for b in "fghij"]
    config = ComparisonConfig(measures=("cka",), layers="4")
    english, german = (
        compare_texts(encoder, texts, {name: texts}, config, source_name="en_XX")["value"][0]
        for name in ("en", "de")
    )
    assert english == pytest.approx(1)
    assert german < 1 - 1e-4
    assert encoder.model.config.default_language == before
    with pytest.raises(EncoderError, match="klingon names 0 language adapters of this encoder"):
        compare_texts(encoder, texts, {"klingon": texts}, config, source_name="en")
