"""Representations of sentences and words: every layer and every subword, in any batches."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AlbertConfig, AlbertModel

from alignscope.data.sentence import Sentence
from alignscope.encoders.load import load_model, load_tokenizer
from alignscope.encoders.tokenization import WordTokenizer
from alignscope.errors import DataError
from alignscope.similarity.layers import similarity_by_layer
from alignscope.similarity.measures.cka import debiased_cka
from alignscope.similarity.representations import (
    layers_after_norm,
    sentence_representations,
    word_representations,
)

Folders = Callable[[str], Path]
SENTENCES = [
    Sentence(tuple(text.split()))
    for text in ("a dog barks", "the", "cats see a dog that sees them and barks", "a b c d e f g")
]


@pytest.mark.parametrize("family", ["bert", "modernbert", "xlm-roberta"])
def test_composition_of_batches_does_not_change_vectors(
    encoder_folders: Folders, family: str
) -> None:
    folder = str(encoder_folders(family))
    encoder, subwords = load_model(folder), WordTokenizer(load_tokenizer(folder), 64)
    encoder.train()
    together = sentence_representations(encoder, subwords, SENTENCES)
    assert encoder.training
    alone = [
        sentence_representations(encoder, subwords, [one], tokens_per_batch=1)[:, 0]
        for one in SENTENCES
    ]
    assert torch.allclose(together, torch.stack(alone, dim=1), atol=1e-5)
    assert len(together) == encoder.config.num_hidden_layers + 1
    assert together.dtype == torch.float32


def test_mean_is_over_subwords_without_special_tokens(encoder_folders: Folders) -> None:
    folder = str(encoder_folders("bert"))
    encoder, tokenizer = load_model(folder), load_tokenizer(folder)
    found = sentence_representations(encoder, WordTokenizer(tokenizer, 64), SENTENCES)
    for place, sentence in enumerate(SENTENCES):
        encoded = tokenizer(list(sentence.words), is_split_into_words=True, return_tensors="pt")
        with torch.inference_mode():
            output = encoder(**encoded, output_hidden_states=True)
        expected = torch.stack(output.hidden_states)[:, 0, 1:-1].mean(1)
        assert torch.allclose(found[:, place], expected, atol=1e-5)


def test_every_chunk_of_a_long_sentence_counts(encoder_folders: Folders) -> None:
    folder = str(encoder_folders("bert"))
    encoder, tokenizer = load_model(folder), load_tokenizer(folder)
    long = Sentence(("a", "b", "c", "d", "e", "f"))
    halves = [Sentence(long.words[:3]), Sentence(long.words[3:])]
    whole = sentence_representations(encoder, WordTokenizer(tokenizer, 5), [long])
    parts = sentence_representations(encoder, WordTokenizer(tokenizer, 5), halves)
    assert torch.allclose(whole[:, 0], parts.mean(1), atol=1e-5)


def test_unrelated_corpora_in_one_encoder_are_not_similar(encoder_folders: Folders) -> None:
    """A common bug elsewhere: one model and two corpora give similarity 1."""
    folder = str(encoder_folders("bert"))
    encoder, subwords = load_model(folder), WordTokenizer(load_tokenizer(folder), 64)
    letters = "abcdefghijklmnopqrstuvwxyz"
    draw = torch.Generator().manual_seed(1)

    def made() -> list[Sentence]:
        words = torch.randint(26, (60, 9), generator=draw).tolist()
        return [Sentence(tuple(letters[i] for i in row)) for row in words]

    left, right = (sentence_representations(encoder, subwords, made()) for _ in range(2))
    rows = similarity_by_layer(left, {"other": right, "same": left}, ["cka"])
    rows = [row for row in rows if row["estimator"] == "debiased"]
    for row in rows:
        cka, high = float(str(row["value"])), float(str(row["null_high"]))
        assert (cka == pytest.approx(1)) if row["target"] == "same" else (cka < high + 0.1)
    assert [row["layer"] for row in rows] == [*range(len(left)), *range(len(left))]
    assert rows[1]["value"] == pytest.approx(debiased_cka(left[1], right[1]), abs=1e-6)


def test_no_sentences_or_empty_sentences_are_refused(encoder_folders: Folders) -> None:
    folder = str(encoder_folders("bert"))
    encoder, subwords = load_model(folder), WordTokenizer(load_tokenizer(folder), 64)
    for nothing in ([], [Sentence(())]):
        with pytest.raises(DataError, match="nothing to represent"):
            sentence_representations(encoder, subwords, nothing)


def test_other_poolings_agree_with_the_tokenizer(encoder_folders: Folders) -> None:
    folder = str(encoder_folders("bert"))
    encoder, tokenizer = load_model(folder), load_tokenizer(folder)
    subwords = WordTokenizer(tokenizer, 64)
    found = {
        name: sentence_representations(encoder, subwords, SENTENCES, name)
        for name in ("first", "last", "weighted")
    }
    for place, sentence in enumerate(SENTENCES):
        encoded = tokenizer(list(sentence.words), is_split_into_words=True, return_tensors="pt")
        with torch.inference_mode():
            layers = torch.stack(encoder(**encoded, output_hidden_states=True).hidden_states)[:, 0]
        inside = layers[:, 1:-1]
        places = torch.arange(1.0, inside.shape[1] + 1)
        expected = {
            "first": layers[:, 0],
            "last": layers[:, -1],
            "weighted": (places[:, None] * inside).sum(1) / places.sum(),
        }
        for name, vectors in expected.items():
            assert torch.allclose(found[name][:, place], vectors, atol=1e-5), name


@pytest.mark.parametrize(
    ("family", "after"), [("bert", set()), ("modernbert", {4}), ("eurobert", {4})]
)
def test_layer_after_the_final_norm_is_found(
    encoder_folders: Folders, family: str, after: set[int]
) -> None:
    assert layers_after_norm(load_model(str(encoder_folders(family)))) == after


def test_encoder_without_blocks_has_no_known_final_norm() -> None:
    config = AlbertConfig(vocab_size=9, hidden_size=8, num_hidden_layers=2, num_attention_heads=2,
                          intermediate_size=8, embedding_size=4)  # fmt: skip
    assert layers_after_norm(AlbertModel(config)) == frozenset()


def test_training_mode_is_restored_after_errors(encoder_folders: Folders) -> None:
    folder = str(encoder_folders("bert"))
    encoder, subwords = load_model(folder), WordTokenizer(load_tokenizer(folder), 64)
    encoder.train()
    with pytest.raises(IndexError):
        word_representations(encoder, subwords, SENTENCES[:1], [[7]])
    encoder.embeddings.register_forward_pre_hook(_stop)
    with pytest.raises(RuntimeError, match="stop"):
        sentence_representations(encoder, subwords, SENTENCES)
    assert encoder.training


def _stop(*_: object) -> None:
    raise RuntimeError("stop")
