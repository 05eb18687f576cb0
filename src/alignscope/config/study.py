"""A study, written as one TOML file that a person can read, and the runs of which it consists."""

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    Field,
    ValidationError,
    field_serializer,
    field_validator,
    model_validator,
)

from alignscope._util.validation import StrictModel, first_error
from alignscope.config.run import (
    Adapters,
    EncoderSpec,
    Init,
    SplitLimits,
    TrainingConfig,
    digest_of,
    without_unset_similarity,
)
from alignscope.config.similarity import StudySimilarityConfig
from alignscope.config.windows import expand_windows
from alignscope.data.corpus import parse_corpus
from alignscope.errors import AlignScopeError, StudyError


class TaskConfig(StrictModel):
    """The corpora of one task, and what it does differently from the rest of the study."""

    sources: tuple[str, ...] = Field(min_length=1)
    targets: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    training: dict[str, Any] = Field({})
    limits: dict[str, Any] = Field({})

    @field_validator("sources", "targets", "domains")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            parse_corpus(name)
        return names

    @field_validator("training", mode="after")
    @classmethod
    def _current_keys(cls, training: dict[str, Any]) -> dict[str, Any]:
        return TrainingConfig.with_current_keys(training)

    @field_serializer("training")
    def _stored_keys(self, training: dict[str, Any]) -> dict[str, Any]:
        return TrainingConfig.with_stored_keys(training)


class HypothesisThresholds(StrictModel):
    """What the claims about a study are held against; scores are fractions (docs/claims.md)."""

    crucial: float = Field(0.02, ge=0, le=1, description="the lowest window costs targets more")
    harmless: float = Field(0.015, ge=0, le=1, description="the highest costs targets no more")
    language: float = Field(0.02, ge=0, le=1, description="the lowest costs more than on domains")
    stable: float = Field(0.01, ge=0, le=1, description="lower layers stay more alike by this")
    related: float = Field(0.0, ge=0, le=1, description="correlation of similarity and gap below −")


class Study(StrictModel):
    """A grid of runs; `grid.runs` unfolds it."""

    name: str = "study"
    encoders: tuple[EncoderSpec, ...] = ()
    seeds: Annotated[tuple[int, ...], Field(min_length=1)] = (1,)
    windows: tuple[str, ...] = ("tiles:2",)
    init: Annotated[tuple[Init, ...], Field(min_length=1)] = ("config",)
    adapters: Adapters = "reset"
    training: TrainingConfig = TrainingConfig()
    limits: SplitLimits = SplitLimits()
    data: tuple[str, ...] = ()
    similarity: StudySimilarityConfig | None = None
    claims: HypothesisThresholds = HypothesisThresholds()
    tasks: dict[str, TaskConfig] = Field(min_length=1)

    @field_validator("encoders", mode="before")
    @classmethod
    def _names(cls, given: Any) -> Any:
        if not isinstance(given, list | tuple):
            return given
        return [{"name": one} if isinstance(one, str) else one for one in given]

    @field_validator("windows")
    @classmethod
    def _windows(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for text in given:
            expand_windows(text, None)
        return given

    @model_validator(mode="after")
    def _overrides(self) -> "Study":
        for task in self.tasks:
            for key, merged in (("training", self.training_of), ("limits", self.limits_of)):
                try:
                    merged(task)
                except ValidationError as error:
                    raise StudyError(
                        f"tasks.{task}.{key}.{first_error(error, _MODELS, key)}"
                    ) from None
        return self

    @model_validator(mode="after")
    def _parallel(self) -> "Study":
        if self.similarity is not None:
            for source in (name for grid in self.tasks.values() for name in grid.sources):
                try:
                    self.similarity.corpus_of(source)
                except ValueError as error:
                    raise StudyError(f"similarity.{error}") from None
        return self

    @property
    def counts_blocks(self) -> bool:
        """Whether a window, such as ``tiles:2``, depends on how many blocks an encoder has."""
        return any(expand_windows(text, None) is None for text in self.windows)

    def training_of(self, task: str) -> TrainingConfig:
        """Return the training of one task: the study's, with the task's own values."""
        study_wide = self.training.model_dump(by_alias=False)
        return TrainingConfig.model_validate({**study_wide, **self.tasks[task].training})

    def limits_of(self, task: str) -> SplitLimits:
        """Return the limits of one task: the study's, with the task's own values."""
        return SplitLimits.model_validate({**self.limits.model_dump(), **self.tasks[task].limits})

    @property
    def grid(self) -> dict[str, Any]:
        """All that decides which runs there are; not the name, claims, nor where data lies."""
        excluded = {"name", "data", "claims"}
        return without_unset_similarity(self.model_dump(mode="json", exclude=excluded))

    @property
    def digest(self) -> str:
        """16 hex digits over the grid."""
        return digest_of(self.grid)

    def matches(self, grid: dict[str, Any]) -> bool:
        """Whether a grid is this study's, whatever its encoders if this study names none."""
        ignored = {} if self.encoders else {"encoders": None}
        return {**self.grid, **ignored} == {**grid, **ignored}


_MODELS: dict[str | None, type[BaseModel]] = {
    None: Study,
    "tasks": TaskConfig,
    "encoders": EncoderSpec,
}
_MODELS |= {
    "training": TrainingConfig,
    "limits": SplitLimits,
    "similarity": StudySimilarityConfig,
    "claims": HypothesisThresholds,
}


def read_study(path: Path) -> Study:
    """Read a study file.

    Raises:
        StudyError: one sentence that names the file, the key and what is allowed.
    """
    try:
        return Study.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise StudyError(f"there is no study file {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"{path} cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{path} is not valid TOML: {error}") from None
    except ValidationError as error:
        raise StudyError(f"{path}: {first_error(error, _MODELS)}") from None
    except AlignScopeError as error:
        raise StudyError(f"{path}: {error}") from None
