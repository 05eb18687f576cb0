"""Frozen and skipped encoders in `fine_tune`, which works without a study."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel

from alignscope.api.training import fine_tune
from alignscope.encoders.blocks import blocks
from alignscope.encoders.encoder import Encoder, load_encoder
from alignscope.encoders.reinitialize import reinitialize
from alignscope.encoders.skip import skipped_blocks
from alignscope.errors import EncoderError
from alignscope.training import frozen
from tests.helpers import toys

TRAIN, DEV = toys.sentences(30, seed=1), toys.sentences(8, seed=2)
CONFIG = toys.training(learning_rate=1e-3, weight_decay=0.1, epochs=2)


@pytest.fixture
def encoder(encoder_folders: Callable[[str], Path]) -> Encoder:
    return load_encoder(encoder_folders("bert"), device="cpu")


def changed_blocks(before: PreTrainedModel, after: PreTrainedModel) -> set[int]:
    pairs = zip(blocks(before), blocks(after), strict=True)
    return {
        index
        for index, (old, new) in enumerate(pairs)
        if any(
            not torch.equal(a, b) for a, b in zip(old.parameters(), new.parameters(), strict=True)
        )
    }


def test_frozen_blocks_are_not_trained_and_all_others_are(encoder: Encoder) -> None:
    random = reinitialize(encoder, "1", seed=1)
    both = fine_tune(
        [encoder, random], "pos", TRAIN, DEV, config=CONFIG, freeze="1-2", progress=False
    )
    for start, tuned in zip((encoder, random), both, strict=True):
        assert changed_blocks(start.model, tuned.encoder.model) == {0, 3}
        assert all(weight.requires_grad for weight in tuned.encoder.model.parameters())
        assert all(weight.requires_grad for weight in start.model.parameters())
        alone = fine_tune(start, "pos", TRAIN, DEV, config=CONFIG, freeze="1-2", progress=False)
        assert alone.history["loss"].to_list() == pytest.approx(
            tuned.history["loss"].to_list(), abs=1e-4
        )


def test_weights_that_the_user_froze_are_kept(encoder: Encoder) -> None:
    """Also the word embeddings, whose rows are trained apart from the others."""
    words = encoder.model.get_input_embeddings().weight.requires_grad_(False)
    tuned = fine_tune(encoder, "pos", TRAIN, DEV, config=CONFIG, progress=False)
    assert torch.equal(tuned.encoder.model.get_input_embeddings().weight, words)
    assert changed_blocks(encoder.model, tuned.encoder.model) == {0, 1, 2, 3}


def test_skipped_encoder_and_reference_give_together_what_each_gives_alone(
    encoder: Encoder,
) -> None:
    both = [encoder, reinitialize(encoder, "0-1", seed=1, init="skip")]
    together = fine_tune(both, "pos", TRAIN, DEV, config=CONFIG, progress=False)
    for one, tuned in zip(both, together, strict=True):
        alone = fine_tune(one, "pos", TRAIN, DEV, config=CONFIG, progress=False)
        assert alone.history["loss"].to_list() == tuned.history["loss"].to_list()
        assert skipped_blocks(tuned.encoder.model) == skipped_blocks(one.model)
    assert changed_blocks(both[1].model, together[1].encoder.model) == {2, 3}


def test_a_frozen_weight_that_moves_is_detected(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alignscope.experiments.in_memory.freeze_blocks_", lambda *given: [])
    with pytest.raises(EncoderError, match=r"Training changed encoder\.layer\.2"):
        fine_tune(encoder, "pos", TRAIN, DEV, config=CONFIG, freeze="2", progress=False)


def test_frozen_blocks_must_exist(encoder: Encoder) -> None:
    with pytest.raises(EncoderError, match="Window 3-4 does not fit BertModel"):
        fine_tune(encoder, "pos", TRAIN, DEV, config=CONFIG, freeze="3-4", progress=False)
    assert frozen.freeze_blocks_(encoder.model, frozen.Window(3, 3))
