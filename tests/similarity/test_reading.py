"""How texts are read: as written or word by word, with their documents."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from alignscope.config.similarity import ComparisonConfig
from alignscope.data.paths import DataPaths
from alignscope.data.sentence import MultiwordToken, Sentence
from alignscope.encoders.encoder import Encoder, load_encoder
from alignscope.similarity.compare import compare_corpora, compare_texts
from alignscope.similarity.reading import as_read
from alignscope.similarity.representations import (
    sentence_representations,
    word_representations,
)

LAYERS = "0,4,8"
RAW = ComparisonConfig(measures=("cka",), layers=LAYERS)
WORDS = ComparisonConfig(measures=("cka",), layers=LAYERS, text="words")
FORMS = ("tavu", "ori", "kesha", "mo", "lenda", "vashu", "pira", "dolu")


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("embedded", device="cpu")


def contracted(count: int = 30, documents: int = 10) -> list[Sentence]:
    """Return sentences whose first two words are written as one token, three to a document."""
    sentences = []
    for i in range(count):
        words = tuple(FORMS[(i * k + k) % len(FORMS)] for k in range(1, 4 + i % 4))
        token = MultiwordToken(1, 2, words[0] + words[1])
        glosses = tuple(f"Gloss={k}" for k in range(len(words)))
        document = f"d{i * documents // count}"
        sentences.append(Sentence(words, f"s{i}", misc=glosses, ranges=(token,), document=document))
    return sentences


def written(sentences: list[Sentence]) -> list[str]:
    return [
        " ".join((sentence.words[0] + sentence.words[1], *sentence.words[2:]))
        for sentence in sentences
    ]


def test_sentences_are_read_as_their_text(encoder: Encoder) -> None:
    sentences = contracted()
    assert as_read(sentences, RAW) == written(sentences)
    assert as_read(sentences, WORDS) is sentences
    others = [sentence.annotate() for sentence in sentences[::-1]]
    targets = {"t": sorted(others, key=lambda sentence: int(str(sentence.id)[1:]))}
    raw = compare_texts(encoder, sentences, targets, RAW)
    texts = compare_texts(encoder, written(sentences), {"t": written(sentences)}, RAW)
    assert raw["value"].to_list() == texts["value"].to_list()


def test_words_have_the_vectors_of_their_place_in_the_text(encoder: Encoder) -> None:
    """Both words of a contraction have its vector; the others have that of the text as written."""
    sentences = contracted()
    tokenizer = encoder.word_tokenizer()
    config = ComparisonConfig(words=True)
    vectors = word_representations(
        encoder.model, tokenizer, as_read(sentences, config), [[0, 1, 2]] * len(sentences)
    ).unflatten(1, (len(sentences), 3))
    assert torch.equal(vectors[:, :, 0], vectors[:, :, 1])
    merged = [
        Sentence((sentence.words[0] + sentence.words[1], *sentence.words[2:]))
        for sentence in sentences
    ]
    expected = word_representations(
        encoder.model, tokenizer, merged, [[0, 1]] * len(sentences)
    ).unflatten(1, (len(sentences), 2))
    assert torch.allclose(vectors[:, :, 1:], expected, atol=1e-5)
    apart = sentence_representations(encoder.model, tokenizer, sentences)
    together = sentence_representations(encoder.model, tokenizer, as_read(sentences, RAW))
    assert float((apart - together).abs().max()) > 0.01


def translated(sentences: list[Sentence]) -> list[Sentence]:
    """Return other sentences of the same lengths under the same ids."""
    shifted = {form: FORMS[(k + 1) % len(FORMS)] for k, form in enumerate(FORMS)}
    return [
        replace(sentence, words=tuple(shifted[word] for word in sentence.words), ranges=())
        for sentence in sentences
    ]


def test_intervals_leave_out_documents_where_they_are_known(encoder: Encoder) -> None:
    sentences, other = contracted(60, 12), translated(contracted(60, 20))
    plain, target = (
        [sentence.annotate(document=None) for sentence in texts] for texts in (sentences, other)
    )
    known = compare_texts(encoder, sentences, {"t": other}, RAW)
    assert known["documents"].unique().to_list() == [12]  # the source decides
    of_target = compare_texts(encoder, plain, {"t": other}, RAW)
    assert of_target["documents"].unique().to_list() == [20]
    unknown = compare_texts(encoder, plain, {"t": target}, RAW)
    assert unknown["documents"].null_count() == len(unknown)
    values = ["value", "null_low", "null_high", "without_length", "length_null_high"]
    assert known.select(values).equals(unknown.select(values))
    assert (known["low"] != unknown["low"]).all()


def test_aligned_words_of_one_document_are_left_out_together(encoder: Encoder) -> None:
    config = ComparisonConfig(measures=("cka",), layers="4", words=True)
    sentences = contracted(60, 12)
    found = compare_texts(encoder, sentences, {"t": contracted(60, 12)}, config)
    assert found["documents"].to_list() == [12, 12]
    assert found["mean_peak"].null_count() == 2


@pytest.mark.filterwarnings("ignore::alignscope.similarity.reading.UnknownWarning")
@pytest.mark.parametrize("language", ["it", "ja"])
def test_reading_words_changes_what_is_measured(
    encoder: Encoder, real_data: Path, tmp_path: Path, language: str
) -> None:
    """Contractions and scripts without blanks are read differently; documents are those of PUD."""
    paths = DataPaths((real_data,), tmp_path, download=False)
    corpora = ["ud:en_pud", f"ud:{language}_pud"]
    tables = [
        compare_corpora(
            encoder,
            corpora,
            paths,
            ComparisonConfig.model_validate(
                {"measures": ["cka"], "layers": "2", "limit": 300, "text": text}
            ),
        )
        for text in ("raw", "words")
    ]
    raw, words = (table.row(0, named=True) for table in tables)
    assert raw["value"] != words["value"]
    assert raw["documents"] == words["documents"] > 150
    assert 0.9 < raw["length_broken"] <= 1
