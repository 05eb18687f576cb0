"""The folder of a pretraining. Each of its files is complete, whenever the process is killed."""

import hashlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import torch
from transformers import (
    BertConfig,
    BertForMaskedLM,
    PreTrainedTokenizerFast,
    RoFormerConfig,
    RoFormerForMaskedLM,
)

from alignscope._util.files import replace_file
from alignscope._util.seeding import derive_seed
from alignscope.encoders.load import silence_transformers
from alignscope.errors import EncoderError
from alignscope.training.optimizer import decay_groups
from alignscope.training.pretraining.config import PretrainingConfig
from alignscope.training.pretraining.wordpiece import train_wordpiece

Model: TypeAlias = BertForMaskedLM | RoFormerForMaskedLM


class PretrainingCheckpoint:
    """The folder of a pretraining: recipe, tokenizer, checkpoint and, at the end, the encoder."""

    def __init__(
        self, out: Path, config: PretrainingConfig, lines: Sequence[str], source: dict[str, Any]
    ) -> None:
        self.out, self.config = out, config
        self.identity = {
            "recipe": config.model_dump(),
            "source": source,
            "text": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        }
        self.step = 0
        self.losses: list[float] = []
        self.seconds = 0.0  # of training, over all calls

    @classmethod
    def open(
        cls, out: Path, config: PretrainingConfig, lines: Sequence[str], source: dict[str, Any]
    ) -> "PretrainingCheckpoint":
        """Start a pretraining, or resume one with the same configuration and text.

        Args:
            out: the folder.
            config: the configuration.
            lines: the text.
            source: corpus names and checksums, kept with the configuration.

        Raises:
            EncoderError: if the folder holds something else, or cannot be written.
        """
        check_not_finished(out)
        checkpoint = cls(out, config, lines, source)
        try:
            checkpoint._start()
        except OSError as error:
            raise EncoderError(f"Cannot write {out}: {error.strerror}.") from None
        return checkpoint

    def _start(self) -> None:
        marker = self.out / "recipe.json"
        if marker.exists():
            recipe = _read_object(marker)
            if {key: recipe.get(key) for key in self.identity} != self.identity:
                raise EncoderError(
                    f"{self.out} holds a pretraining with another configuration or text. Choose "
                    "another folder, or delete it."
                )
        elif self.out.exists() and any(self.out.glob("[!.]*")):
            raise EncoderError(f"{self.out} is not empty. Choose another folder.")
        else:
            self.out.mkdir(parents=True, exist_ok=True)
            self._write_recipe()

    def _write_recipe(self, **more: Any) -> None:
        text = json.dumps({**self.identity, **more}, indent=1)
        replace_file(text.encode(), self.out / "recipe.json")

    def tokenizer(self, lines: Sequence[str]) -> PreTrainedTokenizerFast:
        """Return the tokenizer of this folder, which is trained first if it is missing."""
        if (self.out / "tokenizer.json").exists():
            return PreTrainedTokenizerFast.from_pretrained(self.out)
        tokenizer = train_wordpiece(lines, self.config.vocabulary, self.config.max_length)
        self._save_pretrained(tokenizer, last="tokenizer.json")
        return tokenizer

    def model(self, tokenizer: PreTrainedTokenizerFast) -> tuple[Model, torch.optim.Optimizer]:
        """Return model and optimizer, new or as the checkpoint left them."""
        torch.manual_seed(derive_seed(self.config.seed, "init"))
        model = _new_model(self.config, tokenizer).train()
        groups = decay_groups(model.parameters(), weight_decay=0.01)
        optimizer = torch.optim.AdamW(
            groups, self.config.learning_rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True
        )
        if self._checkpoint.exists():
            saved = torch.load(self._checkpoint, weights_only=True)
            model.load_state_dict(saved["model"])
            optimizer.load_state_dict(saved["optimizer"])
            self.step, self.losses = saved["step"], saved["losses"]
            self.seconds = saved["seconds"]
        return model, optimizer

    @property
    def _checkpoint(self) -> Path:
        return self.out / "checkpoint.pt"

    @property
    def _part(self) -> Path:
        return self.out / "checkpoint.part"

    def save(self, model: Model, optimizer: torch.optim.Optimizer) -> None:
        """Write a checkpoint. An incomplete one never replaces a complete one."""
        torch.save(
            {
                "model": model.state_dict(),
                "optimizer": optimizer.state_dict(),
                "step": self.step,
                "losses": self.losses,
                "seconds": self.seconds,
            },
            self._part,
        )
        self._part.replace(self._checkpoint)

    def finish(self, model: Model, tokenizer: PreTrainedTokenizerFast) -> None:
        """Write the encoder and the course of the loss, and delete the checkpoint."""
        tail = self.losses[-max(1, len(self.losses) // 50) :]
        every = max(1, len(self.losses) // 200)
        self._write_recipe(
            loss=sum(tail) / len(tail),
            losses=self.losses[::every],
            seconds=self.seconds,
            vocabulary=len(tokenizer),
            parameters=sum(p.numel() for p in model.parameters()),
        )
        self._save_pretrained(model.eval(), last="model.safetensors")
        for path in (self._checkpoint, self._part):
            path.unlink(missing_ok=True)

    def _save_pretrained(self, part: Model | PreTrainedTokenizerFast, last: str) -> None:
        """Write files into a temporary folder and move them; ``last`` marks that all are there."""
        with (
            silence_transformers(),
            tempfile.TemporaryDirectory(dir=self.out, prefix=".part") as folder,
        ):
            part.save_pretrained(folder)
            for path in sorted(Path(folder).iterdir(), key=lambda path: path.name == last):
                path.chmod(0o644)  # safetensors writes files that only their owner can read
                path.replace(self.out / path.name)


def check_not_finished(out: Path) -> None:
    """Raise ``EncoderError`` if a folder already holds an encoder."""
    if (out / "model.safetensors").exists():
        raise EncoderError(f"{out} already holds an encoder. Choose another folder.")


def _read_object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise EncoderError(f"{path} was not written by a pretraining. Choose another folder.")
    return content


def _new_model(config: PretrainingConfig, tokenizer: PreTrainedTokenizerFast) -> Model:
    """Return a BERT, or the same with rotary positions (Su et al. 2021), with random weights."""
    shape: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": config.hidden,
        "num_hidden_layers": config.blocks,
        "num_attention_heads": config.attention_heads,
        "intermediate_size": 4 * config.hidden,
        "max_position_embeddings": config.max_length,
        "hidden_dropout_prob": config.dropout,
        "attention_probs_dropout_prob": config.dropout,
        "pad_token_id": tokenizer.pad_token_id,
    }
    if config.positions == "rotary":
        return RoFormerForMaskedLM(RoFormerConfig(**shape, embedding_size=config.hidden))
    return BertForMaskedLM(BertConfig(**shape))
