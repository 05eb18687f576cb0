"""The cache: whatever changes a vector changes the key, and broken files do no harm."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from alignscope.data.sentence import Sentence
from alignscope.encoders.load import load_model, load_tokenizer, set_language
from alignscope.encoders.reinitialize import reinitialize_
from alignscope.encoders.tokenization import WordTokenizer
from alignscope.errors import DataError
from alignscope.similarity.cache import RepresentationCache, cache_key, fingerprint
from alignscope.similarity.extractor import RepresentationExtractor
from alignscope.similarity.representations import sentence_representations

Folders = Callable[[str], Path]
SENTENCES = [Sentence(("a", "dog", "barks")), Sentence(("cats", "see"))]


def reader(folder: Path, kept: Path | None) -> RepresentationExtractor:
    name = str(folder)
    return RepresentationExtractor(
        load_model(name), WordTokenizer(load_tokenizer(name), 64), RepresentationCache(kept)
    )


def never() -> Tensor:
    raise AssertionError("it was there")


def test_representations_are_read_from_disk(encoder_folders: Folders, tmp_path: Path) -> None:
    folder = encoder_folders("bert")
    first = reader(folder, tmp_path / "deep/er").sentences("en=.", SENTENCES, "mean")
    (file,) = (tmp_path / "deep/er").iterdir()
    again = reader(folder, tmp_path / "deep/er")
    assert torch.equal(
        first, RepresentationCache(tmp_path / "deep/er").get_or_compute(file.stem, never)
    )
    assert torch.equal(first, again.sentences("en=.", SENTENCES, "mean"))
    assert torch.equal(first, sentence_representations(again.encoder, again.tokenizer, SENTENCES))
    again.sentences("en=.", SENTENCES, "last")
    again.sentences("en=.", SENTENCES[:1], "mean")
    again.words("en=.", SENTENCES, [[0], [1]])
    again.words("en=.", SENTENCES, [[0], [0]])
    assert len(list((tmp_path / "deep/er").iterdir())) == 5


def test_without_a_folder_nothing_is_written(encoder_folders: Folders, tmp_path: Path) -> None:
    found = reader(encoder_folders("bert"), None)
    found.sentences("en=.", SENTENCES, "mean")
    assert "_whole" not in vars(found)  # nor is the time taken to look at every weight


def test_one_changed_weight_changes_the_fingerprint(encoder_folders: Folders) -> None:
    encoder = load_model(str(encoder_folders("bert")))
    before = fingerprint(encoder)
    assert before == fingerprint(load_model(str(encoder_folders("bert"))))
    assert before != fingerprint(load_model(str(encoder_folders("distilbert"))))
    with torch.no_grad():
        next(encoder.parameters())[0, 0] += 1e-3
    changed = fingerprint(encoder)
    assert before != changed
    encoder.config.hidden_act = "relu"
    assert fingerprint(encoder) != changed


def test_current_language_adapters_are_part_of_the_key(encoder_folders: Folders) -> None:
    encoder = load_model(str(encoder_folders("xmod")))
    keys, whole = [], set()
    for language in ("en", "de"):
        set_language(encoder, language)
        whole.add(fingerprint(encoder))
        keys.append(cache_key(encoder, *whole, [], ["mean"]))
    assert keys[0] != keys[1]


def test_broken_file_is_computed_anew(tmp_path: Path) -> None:
    (tmp_path / "key.safetensors").write_bytes(b"broken")
    found = RepresentationCache(tmp_path).get_or_compute("key", lambda: torch.ones(2, 3))
    assert torch.equal(RepresentationCache(tmp_path).get_or_compute("key", never), found)
    assert [path.name for path in tmp_path.iterdir()] == ["key.safetensors"]


def test_folder_that_cannot_be_created_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        DataError, match=r"Cannot write the representation cache to .*file.*ALIGNSCOPE_CACHE"
    ):
        RepresentationCache(tmp_path / "file").get_or_compute("key", never)


def test_a_skipped_block_changes_the_fingerprint(encoder_folders: Folders) -> None:
    """The weights of a skipped encoder are the pretrained ones, but its vectors are others."""
    encoder = load_model(str(encoder_folders("bert")))
    prints = [fingerprint(encoder)]
    for window in ("1", "2"):
        reinitialize_(encoder, window, seed=1, init="skip")
        prints.append(fingerprint(encoder))
    assert len(set(prints)) == 3
