"""Pretraining writes the configured encoder, resumes exactly, and overwrites no other folder."""

import json
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import Tensor
from transformers import BertForMaskedLM, BertModel, PreTrainedTokenizerFast

from alignscope._util.files import checksum
from alignscope.data.corpora import load_raw_texts
from alignscope.data.paths import DataPaths
from alignscope.encoders.load import load_model, load_tokenizer
from alignscope.errors import DataError, EncoderError
from alignscope.tasks.label_ids import IGNORED_LABEL
from alignscope.training.pretraining import pretrain as pretraining
from alignscope.training.pretraining.config import PretrainingConfig, parse_config
from alignscope.training.pretraining.masking import MaskingStrategy
from alignscope.training.pretraining.wordpiece import train_wordpiece
from tests.helpers import families

SENTENCES = ["the dog barks at the cat", "der Hund bellt die Katze an", "a cat sees a dog ."]
LINES = [f"{random.Random(n).choice(SENTENCES)} {n % 9}" for n in range(120)]
TINY = {
    "blocks": 2, "hidden": 16, "attention_heads": 2, "vocabulary": 100,
    "steps": 12, "tokens_per_batch": 256, "max_length": 24, "dropout": 0.1,
}  # fmt: skip


def pretrain(*args: Any, checkpoint_every: int = 500, **options: Any) -> Path:
    """Pretrain with a checkpoint every few steps."""
    with patch.object(pretraining, "CHECKPOINT_EVERY", checkpoint_every):
        return pretraining.pretrain(*args, **options)


def recipe(**options: Any) -> PretrainingConfig:
    return PretrainingConfig.model_validate({**TINY, **options})


class KilledError(Exception):
    """What a test raises to stop a pretraining."""


def stop_after(steps: int) -> Any:
    def progress(step: int, total: int, loss: float) -> None:
        if step == steps:
            raise KilledError

    return progress


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_pretraining_writes_the_configured_encoder(tmp_path: Path) -> None:
    folder = pretrain(LINES, tmp_path / "new" / "tiny", recipe(), source={"text:en": ["abc"]})
    encoder, tokenizer = load_model(str(folder)), load_tokenizer(str(folder))
    config = encoder.config
    assert (config.num_hidden_layers, config.hidden_size, config.num_attention_heads) == (2, 16, 2)
    assert (config.intermediate_size, config.max_position_embeddings) == (64, 24)
    assert config.hidden_dropout_prob == config.attention_probs_dropout_prob == 0.1
    assert config.vocab_size == len(tokenizer) <= 100
    assert config.pad_token_id == tokenizer.pad_token_id == 0
    assert tokenizer.tokenize("Katze at") == ["Katze", "at"]
    described = json.loads((folder / "recipe.json").read_text())
    assert described["recipe"] == recipe().model_dump()
    assert described["source"] == {"text:en": ["abc"]}
    assert described["vocabulary"] == len(tokenizer)
    assert len(described["losses"]) == 12
    assert "checkpoint.pt" not in files(folder)


@pytest.mark.parametrize("positions", ["absolute", "rotary"])
def test_positions_are_absolute_or_rotary_as_configured(tmp_path: Path, positions: str) -> None:
    folder = pretrain(LINES, tmp_path, recipe(positions=positions, learning_rate=3e-2))
    encoder, tokenizer = load_model(str(folder)), load_tokenizer(str(folder))
    rotary = positions == "rotary"
    assert encoder.config.model_type == ("roformer" if rotary else "bert")
    first, reordered = (
        encoder(**tokenizer(text, return_tensors="pt"), output_hidden_states=True).hidden_states
        for text in ("dog cat dog", "cat dog dog")
    )
    # The embedding of a word depends on its position only if positions are added to it ...
    assert torch.equal(first[0][0, 1], first[0][0, 3]) == rotary
    # ... and in both cases the output of the blocks depends on the order of the words.
    assert not torch.allclose(first[-1][0, 3], reordered[-1][0, 3], atol=1e-3)


def test_the_loss_decreases(tmp_path: Path) -> None:
    losses: list[float] = []
    settings = recipe(steps=120, learning_rate=1e-2, hidden=32, dropout=0.0)
    pretrain(LINES, tmp_path, settings, progress=lambda step, steps, loss: losses.append(loss))
    assert len(losses) == 120
    assert sum(losses[-20:]) < 0.5 * sum(losses[:20])


def test_equal_recipes_and_texts_produce_equal_weights(tmp_path: Path) -> None:
    for name, noise in (("one", 1), ("other", 2)):
        torch.manual_seed(noise)
        pretrain(LINES, tmp_path / name, recipe())
    assert_same(tmp_path / "one", tmp_path / "other")


def test_another_seed_produces_other_weights(tmp_path: Path) -> None:
    for seed in (1, 2):
        pretrain(LINES, tmp_path / str(seed), recipe(seed=seed))
    first, second = (load_file(tmp_path / str(seed) / "model.safetensors") for seed in (1, 2))
    assert not any(torch.equal(first[name], second[name]) for name in first if first[name].ndim > 1)


def test_pretraining_leaves_the_random_state_alone(tmp_path: Path) -> None:
    before = torch.get_rng_state()
    pretrain(LINES, tmp_path, recipe(steps=2))
    assert torch.equal(before, torch.get_rng_state())


def assert_same(first: Path, second: Path) -> None:
    weights = [load_file(folder / "model.safetensors") for folder in (first, second)]
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    for name in ("tokenizer.json", "config.json"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    described = [json.loads((folder / "recipe.json").read_text()) for folder in (first, second)]
    assert described[0]["losses"] == described[1]["losses"]


@pytest.mark.parametrize("killed", [[1], [7], [8], [3, 6, 9]])
def test_a_resumed_pretraining_equals_an_uninterrupted_one(
    tmp_path: Path, killed: list[int]
) -> None:
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    pretrain(LINES, whole, recipe())
    for step in killed:
        torch.rand(step)
        with pytest.raises(KilledError):
            pretrain(LINES, resumed, recipe(), checkpoint_every=4, progress=stop_after(step))
    steps: list[int] = []
    pretrain(
        LINES, resumed, recipe(), checkpoint_every=4, progress=lambda step, *_: steps.append(step)
    )
    # The progress of a step is reported before its checkpoint is written.
    assert steps[0] == (killed[-1] - 1) // 4 * 4 + 1
    assert_same(whole, resumed)


def test_a_kill_while_a_checkpoint_is_written_keeps_the_previous_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    pretrain(LINES, whole, recipe())
    original, written = torch.save, []

    def save(state: Any, path: Path) -> None:
        written.append(path)
        original(state, path)
        if len(written) == 2:
            path.write_bytes(path.read_bytes()[:1000])
            raise KilledError

    monkeypatch.setattr(torch, "save", save)
    with pytest.raises(KilledError):
        pretrain(LINES, resumed, recipe(), checkpoint_every=4)
    steps: list[int] = []
    pretrain(LINES, resumed, recipe(), progress=lambda step, *_: steps.append(step))
    assert steps[0] == 5
    assert_same(whole, resumed)
    assert not {name for name in files(resumed) if "checkpoint" in name}


@pytest.mark.parametrize(
    ("kind", "lost"),
    [
        (PreTrainedTokenizerFast, "tokenizer.json"),
        (PreTrainedTokenizerFast, "tokenizer_config.json"),
        (BertForMaskedLM, "model.safetensors"),
        (BertForMaskedLM, "config.json"),
    ],
)
def test_a_kill_while_a_file_is_written_repeats_the_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any, lost: str
) -> None:
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    pretrain(LINES, whole, recipe())
    original = kind.save_pretrained

    def save(self: Any, folder: Path, **named: Any) -> Any:
        original(self, folder, **named)
        (Path(folder) / lost).unlink()
        raise KilledError

    monkeypatch.setattr(kind, "save_pretrained", save)
    with pytest.raises(KilledError):
        pretrain(LINES, resumed, recipe())
    monkeypatch.setattr(kind, "save_pretrained", original)
    pretrain(LINES, resumed, recipe())
    assert_same(whole, resumed)


@pytest.mark.parametrize("moves", [0, 1, 2, 3])
def test_a_kill_between_two_files_repeats_the_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    """Two files of the tokenizer, then two of the encoder, are moved to their places."""
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    pretrain(LINES, whole, recipe())
    original, moved = Path.replace, []

    def replace(self: Path, target: Path) -> Path:
        if self.parent.name.startswith(".part"):
            if len(moved) == moves:
                raise KilledError
            moved.append(self.name)
        return original(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(KilledError):
        pretrain(LINES, resumed, recipe())
    monkeypatch.setattr(Path, "replace", original)
    pretrain(LINES, resumed, recipe())
    assert_same(whole, resumed)
    assert files(whole) == files(resumed)


@pytest.mark.parametrize(
    ("lines", "options", "source"),
    [
        (LINES, {"seed": 2}, {}),
        (LINES, {"steps": 13}, {}),
        (LINES, {}, {"text:en": ["abc"]}),
        ([*LINES, "one line more"], {}, {}),
        (LINES[::-1], {}, {}),
    ],
    ids=["seed", "steps", "source", "text", "order"],
)
def test_another_configuration_or_text_cannot_resume(
    tmp_path: Path, lines: list[str], options: dict[str, int], source: dict[str, Any]
) -> None:
    with pytest.raises(KilledError):
        pretrain(LINES, tmp_path, recipe(), checkpoint_every=2, progress=stop_after(3))
    with pytest.raises(EncoderError, match="with another configuration or text"):
        pretrain(lines, tmp_path, recipe(**options), source=source)
    pretrain(LINES, tmp_path, recipe())


def test_a_finished_encoder_is_not_overwritten(tmp_path: Path) -> None:
    pretrain(LINES, tmp_path, recipe())
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(EncoderError, match=r"already holds an encoder\. Choose another"):
        pretrain(LINES, tmp_path, recipe())
    assert before == {path: path.read_bytes() for path in tmp_path.iterdir()}


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(EncoderError, match=r"is not empty\. Choose another"):
        pretrain(LINES, tmp_path, recipe())
    assert files(tmp_path) == {"thesis.tex"}


@pytest.mark.parametrize("content", ["{", "[]", "\udcff"])
def test_an_invalid_recipe_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "recipe.json").write_text(content, errors="surrogateescape")
    with pytest.raises(EncoderError, match=r"recipe.json was not written by a pretraining"):
        pretrain(LINES, tmp_path, recipe())


def test_an_output_path_that_cannot_be_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "inside"):
        with pytest.raises(EncoderError, match=r"Cannot write .*: (File exists|Not a dir)"):
            pretrain(LINES, out, recipe())


def test_temporary_files_of_a_killed_process_are_ignored(tmp_path: Path) -> None:
    (tmp_path / ".recipe.json.x1y2").write_text("{")
    assert "model.safetensors" in files(pretrain(LINES, tmp_path, recipe()))


@pytest.mark.parametrize("lines", [[], ["", "  "], ["\u00ad", "\x01\u200b"]])
def test_an_empty_text_is_refused(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(EncoderError, match="There is no text to pretrain on"):
        pretrain(lines, tmp_path / "out", recipe())
    assert not (tmp_path / "out" / "model.safetensors").exists()


def test_a_batch_without_masked_tokens_keeps_the_weights_finite(tmp_path: Path) -> None:
    """In a line of two words, no token is masked in most steps."""
    pretrain(["a dog"], tmp_path, recipe(steps=20))
    weights = load_file(tmp_path / "model.safetensors")
    assert all(value.isfinite().all() for value in weights.values())


def test_long_lines_are_read_to_their_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[Tensor] = []

    original = MaskingStrategy.mask_tokens

    def spy(
        self: MaskingStrategy, batch: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        batches.append(batch)
        return original(self, batch, generator)

    monkeypatch.setattr(MaskingStrategy, "mask_tokens", spy)
    lines = [" ".join(str((n * n) % 7) for n in range(count)) for count in (100, 3, 10, 11)]
    pretrain(lines, tmp_path, recipe(steps=1, max_length=12, tokens_per_batch=4096))
    ids = load_tokenizer(str(tmp_path))(lines, add_special_tokens=False)["input_ids"]
    ends = {"[CLS]": 2, "[SEP]": 3}
    expected = [
        [ends["[CLS]"], *one[start : start + 10], ends["[SEP]"]]
        for one in ids
        for start in range(0, len(one), 10)
    ]
    assert sorted(row[row != 0].tolist() for row in batches[0]) == sorted(expected)
    assert load_model(str(tmp_path)).config.max_position_embeddings == 12


def test_padding_is_not_attended_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Tensor, Tensor]] = []
    original = BertModel.forward

    def spy(self: BertModel, ids: Tensor, attention_mask: Tensor, **named: Any) -> Any:
        seen.append((ids, attention_mask))
        return original(self, ids, attention_mask=attention_mask, **named)

    monkeypatch.setattr(BertModel, "forward", spy)
    pretrain(["a dog", *["the dog barks"] * 3], tmp_path, recipe(steps=2))
    for ids, present in seen:
        assert present.sum(dim=1).tolist().count(4) == 1
        assert torch.equal(present.bool(), ids != 0)


def test_every_step_draws_new_dropout_masks(tmp_path: Path) -> None:
    states: list[bytes] = []

    def note(step: int, steps: int, loss: float) -> None:
        states.append(torch.get_rng_state().numpy().tobytes())

    pretrain(["a dog barks"] * 5, tmp_path, recipe(), progress=note)
    assert len(set(states)) == len(states) == 12


def test_a_diverging_pretraining_names_its_step(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"Pretraining diverged: the loss is .* at step \d+"):
        pretrain(LINES, tmp_path, recipe(learning_rate=1e30, warmup=0.0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"hidden": 30, "attention_heads": 4},
            "options: hidden 30 is not a multiple of 4 attention heads.",
        ),
        (
            {"hidden": 12, "attention_heads": 4, "positions": "rotary"},
            "options: Rotary positions need an even hidden size per attention head, "
            "got 12 / 4 = 3.",
        ),
        ({"steps": 0}, "steps: Input should be greater than or equal to 1, got 0."),
        ({"colour": 1}, "colour is not a key. Allowed are: attention_heads, blocks, "),
    ],
)
def test_an_invalid_recipe_is_refused_with_a_one_line_message(
    options: dict[str, int], message: str
) -> None:
    with pytest.raises(EncoderError) as caught:
        parse_config(**options)
    assert str(caught.value).startswith(message)


def test_a_text_that_is_listed_twice_is_refused() -> None:
    with pytest.raises(DataError, match="The text synthetic:vesti is listed twice"):
        load_raw_texts(
            ["synthetic:vesti", "synthetic:vesti"], DataPaths((), Path(), download=False)
        )


def test_texts_are_loaded_in_order_with_the_checksums_of_their_files(tmp_path: Path) -> None:
    for code, texts in {"en": {"b": "two", "a": "one"}, "de": {"c": "drei"}}.items():
        (tmp_path / "text" / code).mkdir(parents=True)
        for name, text in texts.items():
            (tmp_path / "text" / code / f"{name}.tsv").write_text(f"1\t{text}\n2\t{text}!\n")
    places = DataPaths((tmp_path,), tmp_path / "cache", download=False)
    lines, source = load_raw_texts(["text:de", "text:en"], places)
    assert lines == ["drei", "drei!", "one", "one!", "two", "two!"]
    assert source == {
        "text:de": [checksum(tmp_path / "text" / "de" / "c.tsv")],
        "text:en": [checksum(tmp_path / "text" / "en" / f"{name}.tsv") for name in "ab"],
    }
    with pytest.raises(DataError, match="text:fr was not found"):
        load_raw_texts(["text:de", "text:fr"], places)


def masked(batch: Tensor, fraction: float, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return MaskingStrategy.of(families.tokenizer(), fraction).mask_tokens(batch, generator)


def test_masking_uses_the_fractions_of_the_paper() -> None:
    batch = torch.randint(5, len(families.VOCABULARY), (400, 500))
    inputs, gold = masked(batch, 0.15, seed=1)
    chosen = gold != IGNORED_LABEL
    assert chosen.float().mean().item() == pytest.approx(0.15, abs=0.005)
    assert torch.equal(gold[chosen], batch[chosen])
    assert torch.equal(inputs[~chosen], batch[~chosen])
    hidden, kept = inputs[chosen] == 4, inputs[chosen] == batch[chosen]
    size = len(families.VOCABULARY)
    assert hidden.float().mean().item() == pytest.approx(0.8 + 0.1 / size, abs=0.01)
    assert kept.float().mean().item() == pytest.approx(0.1 + 0.1 / size, abs=0.01)
    others = inputs[chosen][~hidden & ~kept].bincount(minlength=size)
    assert (others[:4] > 0).all()
    assert (others[5:] > 0).all()


@given(st.integers(0, 1000), st.floats(0.01, 0.99), st.integers(0, 1000))
@settings(deadline=None)
def test_special_tokens_and_padding_are_never_masked(
    content: int, fraction: float, seed: int
) -> None:
    draw = torch.Generator().manual_seed(content)
    batch = torch.randint(0, 12, (8, 16), generator=draw)
    inputs, gold = masked(batch, fraction, seed)
    special = batch < 5
    assert (gold[special] == IGNORED_LABEL).all()
    assert torch.equal(inputs[special], batch[special])


def test_whole_word_masking_masks_all_subwords_of_a_word() -> None:
    tokenizer = families.tokenizer()
    inner = torch.tensor([piece.startswith("##") for piece in families.VOCABULARY])
    batch = torch.randint(5, len(inner), (200, 50), generator=torch.Generator().manual_seed(1))
    continues = inner[batch[:, 1:]]
    assert continues.any()
    assert not continues.all()
    for whole in (True, False):
        masking = MaskingStrategy.of(tokenizer, 0.3, whole_words=whole)
        _, gold = masking.mask_tokens(batch, torch.Generator().manual_seed(2))
        chosen = gold != IGNORED_LABEL
        as_previous = (chosen[:, 1:] == chosen[:, :-1])[continues]
        assert as_previous.all() == whole
        assert chosen.float().mean().item() == pytest.approx(0.3, abs=0.03)


def test_masking_depends_only_on_its_generator() -> None:
    batch, before = torch.randint(5, 90, (20, 30)), torch.get_rng_state()
    first, same_seed, other_seed = (masked(batch, 0.15, seed) for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(first, same_seed, strict=True))
    assert not torch.equal(first[1], other_seed[1])


SAME = """
import hashlib, random
from alignscope.training.pretraining.wordpiece import train_wordpiece
draw = random.Random(1)
words = ["".join(draw.choices("abcdefgh", k=draw.randint(2, 7))) for _ in range(300)]
lines = [" ".join(draw.choices(words, k=8)) for _ in range(200)]
lines += [chr(0x4E00 + n) for n in range(200)]
tokenizer = train_wordpiece(lines, 200, 64)
print(hashlib.sha256(tokenizer.backend_tokenizer.to_str().encode()).hexdigest())
"""


def test_equal_texts_produce_equal_tokenizers_in_every_process() -> None:
    """Hash maps in ``tokenizers`` are seeded anew in every process: see its issue on trainers."""
    processes = [
        subprocess.run([sys.executable, "-c", SAME], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    assert len({process.stdout for process in processes}) == 1
    assert processes[0].stdout


def vocabulary_of(lines: Sequence[str], vocabulary: int) -> set[str]:
    return set(train_wordpiece(lines, vocabulary, 64).get_vocab())


def test_rare_characters_leave_room_for_words() -> None:
    rare = [chr(0x4E00 + n) for n in range(500)]
    subwords = vocabulary_of([*["banana split"] * 50, *rare], vocabulary=200)
    assert len(subwords) <= 200
    assert {"banana", "split", "[PAD]", "[MASK]"} <= subwords
    assert len(subwords & set(rare)) <= 50


def test_frequent_characters_stay_in_the_vocabulary() -> None:
    subwords = vocabulary_of(
        ["x y z ß"] * 9 + [chr(0x4E00 + n) for n in range(500)], vocabulary=200
    )
    assert {"x", "y", "z", "ß"} <= subwords
