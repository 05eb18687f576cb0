"""Pretrain a small BERT from raw text: a WordPiece tokenizer, then masked language modelling.

What makes offline work and controlled experiments possible. Every random draw is a function of
the recipe's seed and the step, so a run that was killed and resumed ends with the weights of one
that was not.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from torch import Tensor
from transformers import BertConfig, BertForMaskedLM, PreTrainedTokenizerFast

from alignscope.buckets import plan_batches
from alignscope.data.files import replace_file
from alignscope.encoders.masking import IGNORED, mask_tokens
from alignscope.encoders.wordpiece import train_wordpiece
from alignscope.errors import EncoderError
from alignscope.seeds import derive

Progress = Callable[[int, int, float], None]
"""Called as (step, steps, loss)."""


class Recipe(BaseModel):
    """What a small encoder is made by; together with the text it determines the weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    blocks: int = Field(6, ge=1)
    hidden: int = Field(128, ge=8)
    attention_heads: int = Field(4, ge=1)
    vocabulary: int = Field(16_000, ge=100)
    steps: int = Field(8000, ge=1)
    batch_pieces: int = Field(2048, ge=64, description="padded sub-words per batch")
    max_pieces: int = Field(128, ge=8, description="longer lines are cut into pieces")
    learning_rate: float = Field(2e-3, gt=0)
    warmup: float = Field(0.05, ge=0, le=1, description="fraction of the steps")
    masked: float = Field(0.15, gt=0, lt=1)
    dropout: float = Field(0.0, ge=0, lt=1)
    seed: int = 1

    @model_validator(mode="after")
    def _heads_divide_hidden(self) -> "Recipe":
        if self.hidden % self.attention_heads:
            raise ValueError(
                f"hidden {self.hidden} is not a multiple of {self.attention_heads} attention heads"
            )
        return self


def recipe_of(**options: Any) -> Recipe:
    """Make a recipe from options; EncoderError, one sentence, if they do not fit together."""
    try:
        return Recipe(**options)
    except ValidationError as error:
        reason = error.errors()[0]
        place = ".".join(map(str, reason["loc"]))
        raise EncoderError(f"{place} {reason['msg']}".strip()) from None


def pretrain(
    lines: Sequence[str],
    out: Path,
    recipe: Recipe,
    *,
    source: dict[str, Any] | None = None,
    checkpoint_every: int = 500,
    progress: Progress = lambda step, steps, loss: None,
) -> Path:
    """Train a tokenizer and an encoder on ``lines`` and write a Hugging Face folder.

    >>> pretrain(["ein Hund bellt", "a dog barks"] * 500, Path("tiny"), Recipe(steps=100))

    ``out`` holds a checkpoint while the training goes on; calling again with the same recipe and
    text resumes from it. ``source`` (corpus names, checksums) is written into ``recipe.json``.

    Raises:
        EncoderError: if there is no text, ``out`` holds something else, or the loss is not finite.
    """
    if not any(line.strip() for line in lines):
        raise EncoderError("there is no text to pretrain on: every corpus given is empty")
    state = _State.open(out, recipe, source or {})
    tokenizer = state.tokenizer(lines)
    model, optimizer = state.model(tokenizer)
    rows = _encode(tokenizer, lines, recipe.max_pieces)
    started = time.monotonic()
    for step, batch in _batches(rows, recipe, state.step):
        loss = _update(model, optimizer, batch, tokenizer, recipe, step)
        state.losses.append(loss)
        state.step = step + 1
        progress(state.step, recipe.steps, loss)
        if state.step % checkpoint_every == 0:
            state.save(model, optimizer)
    state.finish(model, tokenizer, seconds=time.monotonic() - started)
    return out


def _update(
    model: BertForMaskedLM,
    optimizer: torch.optim.Optimizer,
    batch: Tensor,
    tokenizer: PreTrainedTokenizerFast,
    recipe: Recipe,
    step: int,
) -> float:
    """Take one step on ``batch`` (rows, pieces) and return its loss."""
    generator = torch.Generator().manual_seed(derive(recipe.seed, "mask", step))
    torch.manual_seed(derive(recipe.seed, "dropout", step))
    inputs, gold = mask_tokens(batch, tokenizer, recipe.masked, generator)
    present = (batch != tokenizer.pad_token_id).long()
    hidden = model.bert(inputs, attention_mask=present).last_hidden_state
    chosen = gold != IGNORED
    # Only masked positions are scored: a softmax over the vocabulary costs more than the blocks.
    loss = torch.nn.functional.cross_entropy(model.cls(hidden[chosen]), gold[chosen])
    if not torch.isfinite(loss):
        raise EncoderError(f"pretraining diverged: the loss is {loss.item()} at step {step + 1}")
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for group in optimizer.param_groups:
        group["lr"] = recipe.learning_rate * _schedule(step, recipe)
    optimizer.step()
    return float(loss.item())


def _schedule(step: int, recipe: Recipe) -> float:
    """Linear warm-up, then linear decay to zero: the factor of the learning rate."""
    warm = max(1, round(recipe.warmup * recipe.steps))
    return min((step + 1) / warm, (recipe.steps - step) / max(1, recipe.steps - warm), 1.0)


def _encode(tokenizer: PreTrainedTokenizerFast, lines: Sequence[str], most: int) -> list[Tensor]:
    """Turn lines into rows of sub-words with [CLS] and [SEP]; long lines become several rows."""
    room = most - 2
    rows = []
    for encoding in tokenizer.backend_tokenizer.encode_batch_fast(
        list(lines), add_special_tokens=False
    ):
        ids = encoding.ids
        for start in range(0, len(ids), room):
            piece = [tokenizer.cls_token_id, *ids[start : start + room], tokenizer.sep_token_id]
            rows.append(torch.tensor(piece, dtype=torch.int32))
    return rows


def _batches(rows: list[Tensor], recipe: Recipe, start: int) -> Iterator[tuple[int, Tensor]]:
    """Yield (step, batch (rows, pieces)) from step ``start`` on, epoch after epoch."""
    lengths = [len(row) for row in rows]
    step = 0
    for epoch in range(recipe.steps):
        generator = torch.Generator().manual_seed(derive(recipe.seed, "order", epoch))
        for batch in plan_batches(lengths, recipe.batch_pieces, generator):
            if step >= start:
                chosen = [rows[i] for i in batch]
                yield step, torch.nn.utils.rnn.pad_sequence(chosen, batch_first=True).long()
            step += 1
            if step == recipe.steps:
                return


class _State:
    """The folder of a pretraining: recipe, tokenizer, checkpoint and, at last, the encoder."""

    def __init__(self, out: Path, recipe: Recipe, source: dict[str, Any]) -> None:
        self.out, self.recipe, self.source = out, recipe, source
        self.step = 0
        self.losses: list[float] = []

    @classmethod
    def open(cls, out: Path, recipe: Recipe, source: dict[str, Any]) -> "_State":
        """Begin, or find what was begun, with this very recipe and text."""
        state = cls(out, recipe, source)
        marker = out / "recipe.json"
        if (out / "model.safetensors").exists():
            raise EncoderError(f"{out} already holds an encoder; choose another folder")
        if marker.exists():
            found = json.loads(marker.read_text())
            if (found["recipe"], found["source"]) != (recipe.model_dump(), source):
                raise EncoderError(f"{out} holds a pretraining begun with another recipe or text")
        elif out.exists() and any(out.iterdir()):
            raise EncoderError(f"{out} is not empty; choose another folder")
        else:
            out.mkdir(parents=True, exist_ok=True)
            state._describe()
        return state

    def _describe(self, **more: Any) -> None:
        text = {"recipe": self.recipe.model_dump(), "source": self.source, **more}
        replace_file(json.dumps(text, indent=1).encode(), self.out / "recipe.json")

    def tokenizer(self, lines: Sequence[str]) -> PreTrainedTokenizerFast:
        """Return the tokenizer of this folder, training it if it is not there yet."""
        if (self.out / "tokenizer_config.json").exists():
            return PreTrainedTokenizerFast.from_pretrained(self.out)
        tokenizer = train_wordpiece(lines, self.recipe.vocabulary, self.recipe.max_pieces)
        tokenizer.save_pretrained(self.out)
        return tokenizer

    def model(
        self, tokenizer: PreTrainedTokenizerFast
    ) -> tuple[BertForMaskedLM, torch.optim.Optimizer]:
        """Return model and optimizer, fresh or as the checkpoint left them."""
        torch.manual_seed(derive(self.recipe.seed, "init"))
        model = BertForMaskedLM(_config(self.recipe, tokenizer)).train()
        matrices = [p for p in model.parameters() if p.ndim > 1]
        vectors = [p for p in model.parameters() if p.ndim < 2]
        groups: list[dict[str, Any]] = [
            {"params": matrices, "weight_decay": 0.01},
            {"params": vectors},
        ]
        optimizer = torch.optim.AdamW(
            groups, self.recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True
        )
        if self._checkpoint.exists():
            saved = torch.load(self._checkpoint, weights_only=True)
            model.load_state_dict(saved["model"])
            optimizer.load_state_dict(saved["optimizer"])
            self.step, self.losses = saved["step"], saved["losses"]
        return model, optimizer

    @property
    def _checkpoint(self) -> Path:
        return self.out / "checkpoint.pt"

    def save(self, model: BertForMaskedLM, optimizer: torch.optim.Optimizer) -> None:
        """Write a checkpoint; one that was cut short never replaces a whole one."""
        part = self._checkpoint.with_suffix(".part")
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save({**state, "step": self.step, "losses": self.losses}, part)
        part.replace(self._checkpoint)

    def finish(
        self, model: BertForMaskedLM, tokenizer: PreTrainedTokenizerFast, seconds: float
    ) -> None:
        """Write the encoder, say how the loss went, and drop the checkpoint."""
        tail = self.losses[-max(1, len(self.losses) // 50) :]
        every = max(1, len(self.losses) // 200)
        self._describe(
            loss=sum(tail) / len(tail),
            losses=self.losses[::every],
            seconds=seconds,
            vocabulary=len(tokenizer),
            parameters=sum(p.numel() for p in model.parameters()),
        )
        model.eval().save_pretrained(self.out)
        self._checkpoint.unlink(missing_ok=True)


def _config(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> BertConfig:
    return BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.hidden,
        num_hidden_layers=recipe.blocks,
        num_attention_heads=recipe.attention_heads,
        intermediate_size=4 * recipe.hidden,
        max_position_embeddings=recipe.max_pieces,
        hidden_dropout_prob=recipe.dropout,
        attention_probs_dropout_prob=recipe.dropout,
        pad_token_id=tokenizer.pad_token_id,
    )
