"""The cache: what changes a vector changes the key, and nothing is half there."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from alignscope.data.sentence import Sentence
from alignscope.encoders.load import load_encoder, load_tokenizer, speak
from alignscope.encoders.tokenization import Subwords
from alignscope.errors import DataError
from alignscope.similarity.cache import Cache, fingerprint, key_of
from alignscope.similarity.extractor import Reader
from alignscope.similarity.representations import represent

Folders = Callable[[str], Path]
SENTENCES = [Sentence(("a", "dog", "barks")), Sentence(("cats", "see"))]


def reader(folder: Path, kept: Path | None) -> Reader:
    name = str(folder)
    return Reader(load_encoder(name), Subwords(load_tokenizer(name), 64), Cache(kept))


def never() -> Tensor:
    raise AssertionError("it was there")


def test_what_was_read_is_read_from_disk(encoder_folders: Folders, tmp_path: Path) -> None:
    folder = encoder_folders("bert")
    first = reader(folder, tmp_path / "deep/er").sentences("en=.", SENTENCES, "mean")
    (file,) = (tmp_path / "deep/er").iterdir()
    again = reader(folder, tmp_path / "deep/er")
    assert torch.equal(first, Cache(tmp_path / "deep/er").keep(file.stem, never))
    assert torch.equal(first, again.sentences("en=.", SENTENCES, "mean"))
    assert torch.equal(first, represent(again.encoder, again.subwords, SENTENCES))
    again.sentences("en=.", SENTENCES, "last")
    again.sentences("en=.", SENTENCES[:1], "mean")
    again.words("en=.", SENTENCES, [[0], [1]])
    again.words("en=.", SENTENCES, [[0], [0]])
    assert len(list((tmp_path / "deep/er").iterdir())) == 5


def test_nothing_is_written_without_a_folder(encoder_folders: Folders, tmp_path: Path) -> None:
    found = reader(encoder_folders("bert"), None)
    found.sentences("en=.", SENTENCES, "mean")
    assert "_whole" not in vars(found)  # nor is the time taken to look at every weight


def test_one_weight_makes_another_encoder(encoder_folders: Folders) -> None:
    encoder = load_encoder(str(encoder_folders("bert")))
    before = fingerprint(encoder)
    assert before == fingerprint(load_encoder(str(encoder_folders("bert"))))
    assert before != fingerprint(load_encoder(str(encoder_folders("distilbert"))))
    with torch.no_grad():
        next(encoder.parameters())[0, 0] += 1e-3
    changed = fingerprint(encoder)
    assert before != changed
    encoder.config.hidden_act = "relu"
    assert fingerprint(encoder) != changed


def test_the_adapters_that_speak_are_in_the_key(encoder_folders: Folders) -> None:
    encoder = load_encoder(str(encoder_folders("xmod")))
    keys, whole = [], set()
    for language in ("en", "de"):
        speak(encoder, language)
        whole.add(fingerprint(encoder))
        keys.append(key_of(encoder, *whole, [], ["mean"]))
    assert keys[0] != keys[1]


def test_a_broken_file_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "key.safetensors").write_bytes(b"broken")
    found = Cache(tmp_path).keep("key", lambda: torch.ones(2, 3))
    assert torch.equal(Cache(tmp_path).keep("key", never), found)
    assert [path.name for path in tmp_path.iterdir()] == ["key.safetensors"]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"representations cannot be kept in .*file"):
        Cache(tmp_path / "file").keep("key", never)
