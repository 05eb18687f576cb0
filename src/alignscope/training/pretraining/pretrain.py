"""Pretrain a small BERT from raw text: a WordPiece tokenizer, then masked language modelling.

What makes offline work and controlled experiments possible. Every random draw is a function of
the recipe's seed and the step, so a run that was killed and resumed ends with the weights of one
that was not.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from alignscope._util.seeding import derive_seed
from alignscope.encoders.batching import bucket_by_length
from alignscope.errors import EncoderError
from alignscope.training.pretraining.checkpoint import Model, PretrainingCheckpoint
from alignscope.training.pretraining.config import PretrainingConfig
from alignscope.training.pretraining.masking import IGNORED_LABEL, MaskingStrategy
from alignscope.training.schedule import linear_warmup_decay, nearest_positive

Progress = Callable[[int, int, float], None]
"""Called as (step, steps, loss)."""


def pretrain(
    lines: Sequence[str],
    out: Path,
    recipe: PretrainingConfig,
    *,
    source: dict[str, Any] | None = None,
    checkpoint_every: int = 500,
    progress: Progress = lambda step, steps, loss: None,
) -> Path:
    """Train a tokenizer and an encoder on ``lines`` and write a Hugging Face folder.

    >>> lines = ["ein Hund bellt", "a dog barks"] * 500
    >>> pretrain(lines, Path("tiny"), PretrainingConfig(steps=100))

    ``out`` holds a checkpoint while the training goes on; calling again with the same recipe and
    text resumes from it. ``source`` (corpus names, checksums) is written into ``recipe.json``. The
    global random state stays as it was.

    Raises:
        EncoderError: if there is no text, ``out`` holds something else, or the loss is not finite.
    """
    if not any(line.strip() for line in lines):
        raise EncoderError(_NO_TEXT)
    state = PretrainingCheckpoint.open(out, recipe, lines, source or {})
    tokenizer = state.tokenizer(lines)
    rows = _encode(tokenizer, lines, recipe.max_length)
    if not rows:
        raise EncoderError(_NO_TEXT)
    with torch.random.fork_rng():
        _train(state, tokenizer, rows, checkpoint_every, progress)
    return out


_NO_TEXT = "there is no text to pretrain on: every corpus given is empty"


def _train(
    state: PretrainingCheckpoint,
    tokenizer: PreTrainedTokenizerFast,
    rows: list[Tensor],
    checkpoint_every: int,
    progress: Progress,
) -> None:
    """Take every step that is left, and write the encoder."""
    recipe, last = state.recipe, time.monotonic()
    model, optimizer = state.model(tokenizer)
    masking = MaskingStrategy.of(tokenizer, recipe.masked, whole_words=recipe.whole_words)
    for step, batch in _batches(rows, recipe, state.step):
        loss = _update(model, optimizer, batch, masking, recipe, step)
        state.losses.append(loss)
        state.step = step + 1
        now = time.monotonic()
        state.seconds, last = state.seconds + now - last, now
        progress(state.step, recipe.steps, loss)
        if state.step % checkpoint_every == 0:
            state.save(model, optimizer)
    state.finish(model, tokenizer)


def _update(
    model: Model,
    optimizer: torch.optim.Optimizer,
    batch: Tensor,
    masking: MaskingStrategy,
    recipe: PretrainingConfig,
    step: int,
) -> float:
    """Take one step on ``batch`` (rows, pieces) and return its loss."""
    generator = torch.Generator().manual_seed(derive_seed(recipe.seed, "mask", step))
    torch.manual_seed(derive_seed(recipe.seed, "dropout", step))
    inputs, gold = masking.mask_tokens(batch, generator)
    present = (batch != model.config.pad_token_id).long()
    hidden = model.base_model(inputs, attention_mask=present).last_hidden_state
    chosen = gold != IGNORED_LABEL
    # Only masked positions are scored: a softmax over the vocabulary costs more than the blocks.
    scores = model.cls(hidden[chosen])
    # A short batch may have none: the mean of nothing would not be a number.
    total = torch.nn.functional.cross_entropy(scores, gold[chosen], reduction="sum")
    loss = total / max(1, len(scores))
    if not torch.isfinite(loss):
        raise EncoderError(f"pretraining diverged: the loss is {loss.item()} at step {step + 1}")
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    factor = linear_warmup_decay(recipe.steps, recipe.warmup, rounding=nearest_positive)
    for group in optimizer.param_groups:
        group["lr"] = recipe.learning_rate * factor(step)
    optimizer.step()
    return float(loss.item())


def _encode(tokenizer: PreTrainedTokenizerFast, lines: Sequence[str], most: int) -> list[Tensor]:
    """Turn lines into rows of sub-words with [CLS] and [SEP]; long lines become several rows."""
    room = most - 2
    rows = []
    encode = tokenizer.backend_tokenizer.encode_batch_fast
    for first in range(0, len(lines), _ENCODED_AT_ONCE):
        chunk = list(lines[first : first + _ENCODED_AT_ONCE])
        for ids in (encoding.ids for encoding in encode(chunk, add_special_tokens=False)):
            for start in range(0, len(ids), room):
                piece = [tokenizer.cls_token_id, *ids[start : start + room], tokenizer.sep_token_id]
                rows.append(torch.tensor(piece, dtype=torch.int32))
    return rows


_ENCODED_AT_ONCE = 10_000  # an encoding is far larger than its sub-words


def _batches(
    rows: list[Tensor], recipe: PretrainingConfig, start: int
) -> Iterator[tuple[int, Tensor]]:
    """Yield (step, batch (rows, pieces)) from step ``start`` on, epoch after epoch."""
    lengths = [len(row) for row in rows]
    step = 0
    for epoch in range(recipe.steps):
        generator = torch.Generator().manual_seed(derive_seed(recipe.seed, "order", epoch))
        for batch in bucket_by_length(lengths, recipe.tokens_per_batch, generator):
            if step >= start:
                chosen = [rows[i] for i in batch]
                yield step, torch.nn.utils.rnn.pad_sequence(chosen, batch_first=True).long()
            step += 1
            if step == recipe.steps:
                return
