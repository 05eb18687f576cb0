"""Pretrain a small BERT from raw text: a WordPiece tokenizer, then masked language modelling.

Every random draw is a function of the seed and the step, so that an interrupted and resumed
pretraining ends with the same weights as an uninterrupted one.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from alignscope._util.seeding import derive_seed
from alignscope.config.schedule import linear_warmup_decay, nearest_positive
from alignscope.encoders.batching import bucket_by_length
from alignscope.errors import EncoderError
from alignscope.tasks.label_ids import IGNORED_LABEL
from alignscope.training.pretraining.checkpoint import PretrainingCheckpoint
from alignscope.training.pretraining.config import PretrainingConfig
from alignscope.training.pretraining.masking import MaskingStrategy

Progress = Callable[[int, int, float], None]
"""Called after every step as (step, steps, loss), with steps counted from 1."""
CHECKPOINT_EVERY = 500
"""Steps between two checkpoints."""
ENCODED_AT_ONCE = 10_000
"""Lines encoded at once; an encoding takes far more memory than its subwords."""
_NO_TEXT = "There is no text to pretrain on: every corpus is empty. Choose other corpora."


def pretrain(
    lines: Sequence[str],
    out: Path,
    config: PretrainingConfig,
    *,
    source: dict[str, Any] | None = None,
    progress: Progress = lambda step, steps, loss: None,
) -> Path:
    """Train a tokenizer and an encoder on lines of text, and write a Hugging Face folder.

    .. code-block:: python

        lines = ["ein Hund bellt", "a dog barks"] * 500
        pretrain(lines, Path("tiny"), PretrainingConfig(steps=100))

    While the training runs, ``out`` holds a checkpoint. A second call with the same configuration
    and text resumes from it. The global random state is left as it was.

    Args:
        lines: the text.
        out: the folder for the encoder.
        config: the shape of the encoder and its training.
        source: corpus names and checksums, which are written into ``recipe.json``.
        progress: called after every step.

    Returns:
        The folder ``out``.

    Raises:
        EncoderError: if there is no text, ``out`` holds something else, or the loss is not finite.
    """
    if not any(line.strip() for line in lines):
        raise EncoderError(_NO_TEXT)
    checkpoint = PretrainingCheckpoint.open(out, config, lines, source or {})
    tokenizer = checkpoint.tokenizer(lines)
    rows = _encode(tokenizer, lines, config.max_length)
    if not rows:
        raise EncoderError(_NO_TEXT)
    with torch.random.fork_rng():
        _Trainer(checkpoint, tokenizer).train(rows, progress)
    return out


class _Trainer:
    """A pretraining from its checkpoint to the finished encoder."""

    def __init__(
        self, checkpoint: PretrainingCheckpoint, tokenizer: PreTrainedTokenizerFast
    ) -> None:
        self.checkpoint, self.config, self.tokenizer = checkpoint, checkpoint.config, tokenizer
        self.model, self.optimizer = checkpoint.model(tokenizer)
        self.masking = MaskingStrategy.of(
            tokenizer, self.config.masked, whole_words=self.config.whole_words
        )
        self.factor = linear_warmup_decay(
            self.config.steps, self.config.warmup, rounding=nearest_positive
        )

    def train(self, rows: list[Tensor], progress: Progress) -> None:
        """Take all steps that are left, and write the encoder."""
        checkpoint, last = self.checkpoint, time.monotonic()
        for step, batch in _batches(rows, self.config, checkpoint.step):
            loss = self._update(batch, step)
            checkpoint.losses.append(loss)
            checkpoint.step = step + 1
            now = time.monotonic()
            checkpoint.seconds, last = checkpoint.seconds + now - last, now
            progress(checkpoint.step, self.config.steps, loss)
            if checkpoint.step % CHECKPOINT_EVERY == 0:
                checkpoint.save(self.model, self.optimizer)
        checkpoint.finish(self.model, self.tokenizer)

    def _update(self, batch: Tensor, step: int) -> float:
        """Take one step on ``batch`` (rows, subwords), and return its loss."""
        loss = self._loss(batch, step)
        if not torch.isfinite(loss):
            raise EncoderError(
                f"Pretraining diverged: the loss is {loss.item()} at step {step + 1}. Choose a "
                "lower learning rate."
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * self.factor(step)
        self.optimizer.step()
        return float(loss.item())

    def _loss(self, batch: Tensor, step: int) -> Tensor:
        """Return the mean cross entropy of the masked subwords."""
        generator = torch.Generator().manual_seed(derive_seed(self.config.seed, "mask", step))
        torch.manual_seed(derive_seed(self.config.seed, "dropout", step))
        inputs, gold = self.masking.mask_tokens(batch, generator)
        attention_mask = (batch != self.model.config.pad_token_id).long()
        hidden = self.model.base_model(inputs, attention_mask=attention_mask).last_hidden_state
        chosen = gold != IGNORED_LABEL
        # Only masked positions are scored, since a softmax over the vocabulary is expensive.
        scores = self.model.cls(hidden[chosen])
        # A short batch may have no masked position, and the mean of nothing is NaN.
        total = torch.nn.functional.cross_entropy(scores, gold[chosen], reduction="sum")
        return total / max(1, len(scores))


def _encode(tokenizer: PreTrainedTokenizerFast, lines: Sequence[str], length: int) -> list[Tensor]:
    """Encode lines as rows of subwords with [CLS] and [SEP]; long lines become several rows."""
    room = length - 2
    rows = []
    encode = tokenizer.backend_tokenizer.encode_batch_fast
    for first in range(0, len(lines), ENCODED_AT_ONCE):
        chunk = list(lines[first : first + ENCODED_AT_ONCE])
        for ids in (encoding.ids for encoding in encode(chunk, add_special_tokens=False)):
            for start in range(0, len(ids), room):
                row = [tokenizer.cls_token_id, *ids[start : start + room], tokenizer.sep_token_id]
                rows.append(torch.tensor(row, dtype=torch.int32))
    return rows


def _batches(
    rows: list[Tensor], config: PretrainingConfig, start: int
) -> Iterator[tuple[int, Tensor]]:
    """Yield (step, batch (rows, subwords)) from step ``start`` on, epoch after epoch."""
    lengths = [len(row) for row in rows]
    step = 0
    for epoch in range(config.steps):
        generator = torch.Generator().manual_seed(derive_seed(config.seed, "order", epoch))
        for batch in bucket_by_length(lengths, config.tokens_per_batch, generator):
            if step >= start:
                padded = torch.nn.utils.rnn.pad_sequence([rows[i] for i in batch], batch_first=True)
                yield step, padded.long()
            step += 1
            if step == config.steps:
                return
