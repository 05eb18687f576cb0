"""The folder of a pretraining: what is in it is whole, whenever it is killed."""

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
    """The folder of a pretraining: recipe, tokenizer, checkpoint and, at last, the encoder."""

    def __init__(
        self, out: Path, recipe: PretrainingConfig, lines: Sequence[str], source: dict[str, Any]
    ) -> None:
        self.out, self.recipe = out, recipe
        self.begun = {
            "recipe": recipe.model_dump(),
            "source": source,
            "text": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        }
        self.step = 0
        self.losses: list[float] = []
        self.seconds = 0.0  # of training, over all the calls it took

    @classmethod
    def open(
        cls, out: Path, recipe: PretrainingConfig, lines: Sequence[str], source: dict[str, Any]
    ) -> "PretrainingCheckpoint":
        """Begin, or find what was begun, with this very recipe and text."""
        check_not_finished(out)
        state = cls(out, recipe, lines, source)
        try:
            state._begin()
        except OSError as error:
            raise EncoderError(f"{out} cannot be written: {error.strerror}") from None
        return state

    def _begin(self) -> None:
        marker = self.out / "recipe.json"
        if marker.exists():
            found = _read_object(marker)
            if {key: found.get(key) for key in self.begun} != self.begun:
                raise EncoderError(
                    f"{self.out} holds a pretraining begun with another recipe or text; choose "
                    "another folder, or delete it"
                )
        elif self.out.exists() and any(self.out.glob("[!.]*")):
            raise EncoderError(f"{self.out} is not empty; choose another folder")
        else:
            self.out.mkdir(parents=True, exist_ok=True)
            self._describe()

    def _describe(self, **more: Any) -> None:
        text = json.dumps({**self.begun, **more}, indent=1)
        replace_file(text.encode(), self.out / "recipe.json")

    def tokenizer(self, lines: Sequence[str]) -> PreTrainedTokenizerFast:
        """Return the tokenizer of this folder, training it if it is not there yet."""
        if (self.out / "tokenizer.json").exists():
            return PreTrainedTokenizerFast.from_pretrained(self.out)
        tokenizer = train_wordpiece(lines, self.recipe.vocabulary, self.recipe.max_length)
        self._put(tokenizer, last="tokenizer.json")
        return tokenizer

    def model(self, tokenizer: PreTrainedTokenizerFast) -> tuple[Model, torch.optim.Optimizer]:
        """Return model and optimizer, fresh or as the checkpoint left them."""
        torch.manual_seed(derive_seed(self.recipe.seed, "init"))
        model = _model(self.recipe, tokenizer).train()
        groups = decay_groups(model.parameters(), weight_decay=0.01)
        optimizer = torch.optim.AdamW(
            groups, self.recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True
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
        """Write a checkpoint; one that was cut short never replaces a whole one."""
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
        """Write the encoder, say how the loss went, and drop the checkpoint."""
        tail = self.losses[-max(1, len(self.losses) // 50) :]
        every = max(1, len(self.losses) // 200)
        self._describe(
            loss=sum(tail) / len(tail),
            losses=self.losses[::every],
            seconds=self.seconds,
            vocabulary=len(tokenizer),
            parameters=sum(p.numel() for p in model.parameters()),
        )
        self._put(model.eval(), last="model.safetensors")
        for path in (self._checkpoint, self._part):
            path.unlink(missing_ok=True)

    def _put(self, made: Model | PreTrainedTokenizerFast, last: str) -> None:
        """Write files beside their places; the one that says all are there is moved last."""
        with (
            silence_transformers(),
            tempfile.TemporaryDirectory(dir=self.out, prefix=".part") as part,
        ):
            made.save_pretrained(part)
            for path in sorted(Path(part).iterdir(), key=lambda path: path.name == last):
                path.chmod(0o644)  # safetensors writes files that only their owner can read
                path.replace(self.out / path.name)


def check_not_finished(out: Path) -> None:
    """Raise ``EncoderError`` if a folder already holds an encoder."""
    if (out / "model.safetensors").exists():
        raise EncoderError(f"{out} already holds an encoder; choose another folder")


def _read_object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise EncoderError(f"{path} is not what a pretraining writes; choose another folder")
    return found


def _model(recipe: PretrainingConfig, tokenizer: PreTrainedTokenizerFast) -> Model:
    """A BERT, or the same with rotary positions (Su et al. 2021), with fresh weights."""
    shape: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": recipe.hidden,
        "num_hidden_layers": recipe.blocks,
        "num_attention_heads": recipe.attention_heads,
        "intermediate_size": 4 * recipe.hidden,
        "max_position_embeddings": recipe.max_length,
        "hidden_dropout_prob": recipe.dropout,
        "attention_probs_dropout_prob": recipe.dropout,
        "pad_token_id": tokenizer.pad_token_id,
    }
    if recipe.positions == "rotary":
        return RoFormerForMaskedLM(RoFormerConfig(**shape, embedding_size=recipe.hidden))
    return BertForMaskedLM(BertConfig(**shape))
