"""The specification of one run: encoder, hyperparameters, data, and its address."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from alignscope._util.validation import StrictModel
from alignscope.config.schedule import DEFAULT_SCHEDULE, SCHEDULES
from alignscope.config.setting import AxesModel, Axis, setting_label, size_label
from alignscope.config.similarity import SimilarityConfig
from alignscope.errors import nearest

Init = Literal["config", "torch-default", "matched", "permuted", "skip"]
Freeze = Literal["none", "window"]
Adapters = Literal["reset", "keep"]
Pooling = Literal["first", "mean"]
Precision = Literal["auto", "fp32", "bf16"]
WordReading = Literal["syntactic", "surface"]
SYNTACTIC: WordReading = "syntactic"
"""The default reading of words: every syntactic word as its own form."""
RECIPE = 1
"""Version of the computation; part of every address. Raise it when the same specification gives
other numbers."""
EMBEDDED = "embedded"
"""The name of the small encoder that comes with AlignScope."""


class EncoderSpec(StrictModel):
    """A Hugging Face encoder: a folder, or a name and revision on the hub."""

    name: str
    revision: str = "main"
    remote_code: bool = False
    given_short_name: str | None = Field(
        None, alias="short_name", min_length=1, description="name in figures and text"
    )

    @field_validator("given_short_name")
    @classmethod
    def _refuse_paths(cls, name: str | None) -> str | None:
        if name is not None and ("/" in name or "\\" in name):
            raise ValueError("A short name has no slashes.")
        return name

    @model_serializer(mode="wrap")
    def _omit_unset_short_name(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Stored runs stay equal, byte by byte, to those of versions without short names.
        content: dict[str, Any] = handler(self)
        unset = {"short_name", "given_short_name"} if self.given_short_name is None else set()
        return {key: value for key, value in content.items() if key not in unset}

    @property
    def is_local(self) -> bool:
        """Whether the encoder is on this machine: a folder, or the embedded one."""
        return self.name == EMBEDDED or Path(self.name).is_dir()

    @property
    def label(self) -> str:
        """Name in tables: the full name, with the revision unless it is ``main``."""
        return self._with_revision(self.name)

    @property
    def short_name(self) -> str:
        """Name in figures and text: the one given, or the last part of the full name.

        >>> EncoderSpec(name="intfloat/multilingual-e5-small").short_name
        'multilingual-e5-small'
        >>> EncoderSpec(name="encoders/e5", revision="v2").short_name
        'e5@v2'
        >>> EncoderSpec(name="intfloat/multilingual-e5-small", short_name="e5-small").short_name
        'e5-small'
        """
        return self.given_short_name or self.last_parts(1)

    def last_parts(self, count: int) -> str:
        """Return the last ``count`` parts of the full name, with the revision unless ``main``."""
        parts = [part for part in self.name.replace("\\", "/").split("/") if part not in ("", ".")]
        return self._with_revision("/".join(parts[-count:]) or self.name)

    def _with_revision(self, name: str) -> str:
        return name if self.revision == "main" else f"{name}@{self.revision}"


def short_names(encoders: Iterable[EncoderSpec]) -> dict[str, str]:
    """Return the short name of each encoder by its label, with more parts where two are equal.

    >>> short_names([EncoderSpec(name="a/bert"), EncoderSpec(name="b/bert")])
    {'a/bert': 'a/bert', 'b/bert': 'b/bert'}
    """
    by_label = {encoder.label: encoder for encoder in encoders}
    names = {label: encoder.short_name for label, encoder in by_label.items()}
    most_parts = max((len(label.split("/")) for label in by_label), default=1)
    for count in range(2, most_parts + 1):
        uses = Counter(names.values())
        for label, encoder in by_label.items():
            if uses[names[label]] > 1 and encoder.given_short_name is None:
                names[label] = encoder.last_parts(count)
    return names


TYPICAL_RATES = (
    "Typical are 2e-5 to 1e-4 for encoders 768 wide, 1e-4 to 5e-4 for 384, and 5e-4 to 3e-3 for 64."
)
Rate = Annotated[float, Field(gt=0)]
Epochs = Annotated[int, Field(ge=1)]
Limit = Annotated[int, Field(ge=1)] | None
DEFAULT_EPOCHS = 3
DEFAULT_HEAD_RATE = 1e-3
LEGACY_RATE = 5e-5
"""The default of `learning_rate` in versions that had one; part of the digest of their studies."""


class StudyTraining(AxesModel):
    """The hyperparameters of a study; its tasks may state the learning rate instead.

    The keys in `axes` may be lists, whose product is a grid of settings.
    """

    axes: ClassVar[tuple[str, ...]] = ("learning_rate", "head_learning_rate", "epochs")

    renamed_keys: ClassVar[dict[str, str]] = {
        "batch_pieces": "tokens_per_batch",
        "max_pieces": "max_length",
        "clip": "max_grad_norm",
    }

    epochs: Axis[Epochs] = DEFAULT_EPOCHS
    learning_rate: Axis[Rate | None] = Field(None, description="peak rate of the encoder")
    head_learning_rate: Axis[Rate] = Field(
        DEFAULT_HEAD_RATE, description="peak rate of the task head"
    )
    tokens_per_batch: int = Field(
        1024, ge=1, serialization_alias="batch_pieces", description="padded subwords per batch"
    )
    warmup: float = Field(0.1, ge=0, le=1, description="fraction of all steps")
    schedule: str = Field(DEFAULT_SCHEDULE, description="shape of the learning rate")
    weight_decay: float = Field(0.01, ge=0)
    max_grad_norm: float = Field(
        1.0, gt=0, serialization_alias="clip", description="norm to which gradients are clipped"
    )
    pooling: Pooling = Field("first", description="subword or subwords that represent a word")
    max_length: int = Field(
        256,
        ge=4,
        serialization_alias="max_pieces",
        description="longest input in subwords; longer sentences are split",
    )
    precision: Precision = "auto"
    words: WordReading = Field(
        SYNTACTIC,
        description="syntactic: every word as its own form; surface: multiword tokens as written",
    )

    @field_validator("schedule")
    @classmethod
    def _check_schedule(cls, name: str) -> str:
        if name not in SCHEDULES:
            known = ", ".join(SCHEDULES)
            raise ValueError(f"{name} is not a schedule{nearest(name, SCHEDULES)}. Known: {known}.")
        return name

    @model_serializer(mode="wrap")
    def _omit_later_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Addresses and stored runs stay those of versions without these keys.
        content: dict[str, Any] = handler(self)
        later = {"schedule": DEFAULT_SCHEDULE, "words": SYNTACTIC}
        return {key: value for key, value in content.items() if later.get(key, ...) != value}


class TrainingConfig(StudyTraining):
    """Hyperparameters of a fine-tuning. Learning rates are peaks; lengths count subwords.

    ``learning_rate`` has no default, because a good rate depends on the encoder.
    """

    axes: ClassVar[tuple[str, ...]] = ()

    epochs: Epochs = DEFAULT_EPOCHS
    learning_rate: Rate = Field(description="peak rate of the encoder")
    head_learning_rate: Rate = Field(DEFAULT_HEAD_RATE, description="peak rate of the task head")

    @model_validator(mode="before")
    @classmethod
    def _require_rate(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and values.get("learning_rate") is None:
            raise ValueError(f"learning_rate is compulsory. {TYPICAL_RATES}")
        return values

    def setting(self, train: int | None) -> str:
        """Return the text of these rates and epochs with ``train`` sentences (`setting_label`)."""
        rates = self.learning_rate, self.head_learning_rate
        return setting_label(*rates, self.epochs, train)


class StudyLimits(AxesModel):
    """The limits of a study; ``train`` may be a list, an axis of the grid of settings."""

    axes: ClassVar[tuple[str, ...]] = ("train",)

    train: Axis[Limit] = None
    dev: Limit = None
    test: Limit = None


class SplitLimits(StudyLimits):
    """Maximum number of sentences of each split, spread evenly over the file; None means all."""

    axes: ClassVar[tuple[str, ...]] = ()

    train: Limit = None


class RunSpec(StrictModel):
    """Everything that determines the result of one fine-tuning; ``window`` is None for REF."""

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
    similarity: SimilarityConfig | None = None
    task_version: str = ""
    freeze: Literal["window"] | None = None
    supervised: bool = False
    """Whether the run only shows what fine-tuning in the language of a target reaches."""

    @model_serializer(mode="wrap")
    def _omit_unset(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Addresses and stored runs stay as they were before tasks had a version, windows could be
        # frozen and runs could be supervised.
        content: dict[str, Any] = handler(self)
        for name in ("task_version", "freeze", "supervised"):
            if not content.get(name):
                content.pop(name, None)
        return content

    @property
    def address(self) -> str:
        """Digest, 16 hex digits, of everything that can change a number, defaults included."""
        names_only = {"name", "revision", "given_short_name"}  # `identity` has the weights
        content = self.model_dump(mode="json", exclude={"encoder": names_only})
        return digest_of({"recipe": RECIPE, **without_unset_similarity(content)})

    @property
    def setting(self) -> str:
        """The hyperparameters that can be axes of a grid, as `setting_label` writes them."""
        return self.training.setting(self.limits.train)

    @property
    def size(self) -> str:
        """The part of the setting on which the cost depends: ``4 epochs, 2000 sentences``."""
        return size_label(self.training.epochs, self.limits.train)

    @property
    def label(self) -> str:
        """The run on one short line, such as ``pos ud:en_ewt 0-1 (config) seed 1``."""
        window = "REF" if self.window is None else f"{self.window} ({self.init_label})"
        supervised = " (supervised)" if self.supervised else ""
        return f"{self.task} {self.source}{supervised} {window} seed {self.seed}"

    @property
    def init_label(self) -> str | None:
        """The init in tables, such as ``matched`` or ``matched, frozen``; None for REF."""
        if self.init is None:
            return None
        return self.init if self.freeze is None else f"{self.init}, frozen"

    @property
    def trains_alone(self) -> bool:
        """Whether the run is never stacked: its window is skipped, or not trained."""
        return self.init == "skip" or self.freeze is not None


def without_unset_similarity(content: dict[str, Any]) -> dict[str, Any]:
    """Return ``content`` without an unset ``similarity``, which older versions did not have."""
    return {key: value for key, value in content.items() if (key, value) != ("similarity", None)}


def digest_of(content: dict[str, Any]) -> str:
    """Return 16 hex digits of the SHA-256 of ``content`` as JSON with sorted keys."""
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
