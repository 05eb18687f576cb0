"""The real parallel treebanks line up by id, and every sentence is read once."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from alignscope.data.corpora import load_corpus
from alignscope.data.corpus import parse_corpus
from alignscope.data.paths import DataPaths
from alignscope.data.sentence import Sentence
from alignscope.encoders.load import load_model, load_tokenizer
from alignscope.encoders.tokenization import WordTokenizer
from alignscope.errors import DataError
from alignscope.similarity.alignment import align_by_id
from alignscope.similarity.representations import sentence_representations


def languages(folder: Path) -> list[str]:
    """Return the languages that have a PUD treebank in a folder."""
    found = (folder / "ud").glob("*_pud")
    return sorted(path.name.removesuffix("_pud") for path in found)


def pud(folder: Path, language: str) -> list[Sentence]:
    corpus = parse_corpus(f"ud:{language}_pud")
    return list(load_corpus(corpus, "test", DataPaths((folder,), Path(), download=False)))


@pytest.mark.slow
def test_every_sentence_of_every_language_is_read_once(
    real_data: Path, encoder_folders: Callable[[str], Path]
) -> None:
    folder = str(encoder_folders("bert"))
    encoder, subwords = load_model(folder), WordTokenizer(load_tokenizer(folder), 64)
    english = pud(real_data, "en")
    found = languages(real_data)
    assert len(found) > 10
    for language in found:
        sentences = pud(real_data, language)
        assert len(sentences) == 1000
        assert align_by_id(english, sentences, ("en", language)) == sentences
        vectors = sentence_representations(encoder, subwords, sentences)
        assert vectors.shape == (5, 1000, 32)
        backwards = sentence_representations(
            encoder, subwords, sentences[::-1], tokens_per_batch=900
        )
        assert torch.allclose(vectors, backwards.flip(1), atol=1e-4)


@pytest.mark.slow
def test_sentence_missing_in_one_language_is_an_error(real_data: Path) -> None:
    english, german = pud(real_data, "en"), pud(real_data, "de")
    del german[500]
    with pytest.raises(
        DataError, match=f"sentence 501 of en, {english[500].id}, is missing from de"
    ):
        align_by_id(english, german, ("en", "de"))
