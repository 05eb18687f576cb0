"""One run, fully specified, and its address."""

import hashlib
import json
from typing import Any, ClassVar, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from alignscope._util.validation import StrictModel
from alignscope.config.similarity import StudySimilarityConfig

Init = Literal["config", "torch-default"]
Adapters = Literal["reset", "keep"]
Pooling = Literal["first", "mean"]
Precision = Literal["auto", "fp32", "bf16"]
RECIPE = 1
"""Raised whenever the code changes what a specification computes; part of every address."""


class EncoderSpec(StrictModel):
    """A Hugging Face encoder: a folder, or a name and revision on the hub."""

    name: str
    revision: str = "main"
    remote_code: bool = False

    @property
    def label(self) -> str:
        """How tables call it: the name, with the revision where there could be several."""
        return self.name if self.revision == "main" else f"{self.name}@{self.revision}"


class TrainingConfig(StrictModel):
    """Hyperparameters of a fine-tuning. Learning rates are peaks; lengths count subwords."""

    renamed_keys: ClassVar[dict[str, str]] = {
        "batch_pieces": "tokens_per_batch",
        "max_pieces": "max_length",
        "clip": "max_grad_norm",
    }

    epochs: int = Field(3, ge=1)
    learning_rate: float = Field(5e-5, gt=0, description="of the encoder")
    head_learning_rate: float = Field(1e-3, gt=0)
    tokens_per_batch: int = Field(
        1024, ge=1, serialization_alias="batch_pieces", description="padded subwords per batch"
    )
    warmup: float = Field(0.1, ge=0, le=1, description="fraction of all steps")
    weight_decay: float = Field(0.01, ge=0)
    max_grad_norm: float = Field(
        1.0, gt=0, serialization_alias="clip", description="norm to which gradients are clipped"
    )
    pooling: Pooling = "first"
    max_length: int = Field(
        256,
        ge=4,
        serialization_alias="max_pieces",
        description="longest input in subwords; longer sentences are split",
    )
    precision: Precision = "auto"


class SplitLimits(StrictModel):
    """How many sentences of each split are used, spread evenly over the file; none = all."""

    train: int | None = Field(None, ge=1)
    dev: int | None = Field(None, ge=1)
    test: int | None = Field(None, ge=1)


class RunSpec(StrictModel):
    """One fine-tuning, fully specified; ``window`` is None for REF."""

    encoder: EncoderSpec
    identity: str
    task: str
    source: str
    evaluated: tuple[str, ...]
    window: str | None
    init: Init | None
    adapters: Adapters | None
    seed: int
    training: TrainingConfig
    limits: SplitLimits
    similarity: StudySimilarityConfig | None = None
    task_version: str = ""

    @model_serializer(mode="wrap")
    def _omit_default_version(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Addresses and stored runs of the built-in tasks stay as they were before tasks had one.
        content: dict[str, Any] = handler(self)
        if not self.task_version:
            content.pop("task_version", None)
        return content

    @property
    def address(self) -> str:
        """16 hex digits over everything that could change a number, defaults included."""
        content = self.model_dump(mode="json", exclude={"encoder": {"name", "revision"}})
        return digest_of({"recipe": RECIPE, **without_unset_similarity(content)})

    @property
    def label(self) -> str:
        """One short line for people: ``pos ud:en_ewt 0-1 seed 1``."""
        window = "REF" if self.window is None else f"{self.window} ({self.init})"
        return f"{self.task} {self.source} {window} seed {self.seed}"


def without_unset_similarity(content: dict[str, Any]) -> dict[str, Any]:
    """What compares nothing is described as before there was anything to compare."""
    return {key: value for key, value in content.items() if (key, value) != ("similarity", None)}


def digest_of(content: dict[str, Any]) -> str:
    """Return 16 hex digits of the SHA-256 of ``content`` as JSON with sorted keys."""
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
