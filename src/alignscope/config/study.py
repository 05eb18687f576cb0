"""A study: one TOML file that determines a grid of runs."""

import tomllib
from itertools import product
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import (
    BaseModel,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from alignscope._util.validation import StrictModel, first_error
from alignscope.config.controls import (
    NOT_FROZEN,
    ControlsConfig,
    Freezes,
    Inits,
    WindowNames,
)
from alignscope.config.run import (
    LEGACY_RATE,
    TYPICAL_RATES,
    Adapters,
    EncoderSpec,
    SplitLimits,
    StudyLimits,
    StudyTraining,
    TrainingConfig,
    digest_of,
    short_names,
    without_unset_similarity,
)
from alignscope.config.setting import listed
from alignscope.config.similarity import SimilarityConfig
from alignscope.config.task import TaskConfig
from alignscope.config.thresholds import HypothesisThresholds
from alignscope.config.windows import expand_windows
from alignscope.errors import AlignScopeError, StudyError


class Setting(NamedTuple):
    """The hyperparameters and limits of one task."""

    training: TrainingConfig
    limits: SplitLimits


class Study(StrictModel):
    """A grid of runs, which `grid.expand` lists."""

    name: str = "study"
    encoders: tuple[EncoderSpec, ...] = ()
    seeds: Annotated[tuple[int, ...], Field(min_length=1)] = (1,)
    windows: WindowNames = ("tiles:2",)
    init: Inits = ("config",)
    freeze: Freezes = NOT_FROZEN
    controls: ControlsConfig | None = None
    adapters: Adapters = "reset"
    training: StudyTraining = StudyTraining()
    limits: StudyLimits = StudyLimits()
    data: tuple[str, ...] = ()
    similarity: SimilarityConfig | None = None
    claims: HypothesisThresholds = HypothesisThresholds()
    tasks: dict[str, TaskConfig] = Field(min_length=1)

    @field_validator("encoders", mode="before")
    @classmethod
    def _expand_names(cls, encoders: Any) -> Any:
        if not isinstance(encoders, list | tuple):
            return encoders
        return [{"name": item} if isinstance(item, str) else item for item in encoders]

    @field_validator("encoders")
    @classmethod
    def _check_short_names(cls, encoders: tuple[EncoderSpec, ...]) -> tuple[EncoderSpec, ...]:
        by_short_name: dict[str, str] = {}
        names = short_names(encoders)
        for encoder in encoders:
            other = by_short_name.setdefault(names[encoder.label], encoder.label)
            if other != encoder.label:
                raise ValueError(
                    f"{other} and {encoder.label} have the same short name, {names[encoder.label]}."
                )
        return encoders

    @field_validator("training", "limits", mode="before")
    @classmethod
    def _generalise(cls, table: Any) -> Any:
        return dict(table) if isinstance(table, TrainingConfig | SplitLimits) else table

    @model_validator(mode="after")
    def _check_tasks(self) -> "Study":
        for task in self.tasks:
            for key, merged in (
                ("training", self.merged_training),
                ("limits", self.merged_limits),
            ):
                try:
                    merged(task)
                except ValidationError as error:
                    text = first_error(error, _MODELS, key)
                    of_table = text.startswith(f"{key}: ")
                    place = f"tasks.{task}" if of_table else f"tasks.{task}.{key}"
                    raise StudyError(f"{place}.{text}") from None
        return self

    @model_validator(mode="after")
    def _check_parallel_corpora(self) -> "Study":
        if self.similarity is not None:
            for source in (name for task in self.tasks.values() for name in task.sources):
                try:
                    self.similarity.corpus_of(source)
                except ValueError as error:
                    raise StudyError(f"similarity.{error}") from None
        return self

    @property
    def counts_blocks(self) -> bool:
        """Whether some window, such as ``tiles:2``, depends on the number of blocks."""
        controls = () if self.controls is None else self.controls.windows
        return any(expand_windows(text, None) is None for text in (*self.windows, *controls))

    def training_of(self, task: str) -> TrainingConfig:
        """Return the hyperparameters of one task: the study's, with the task's own values.

        Raises:
            StudyError: if neither the study nor the task states the learning rate, or the task has
                several settings.
        """
        return self._only_setting(task).training

    def limits_of(self, task: str) -> SplitLimits:
        """Return the limits of one task: the study's, with the task's own values.

        Raises:
            StudyError: as `training_of` does.
        """
        return self._only_setting(task).limits

    def settings_of(self, task: str) -> list[Setting]:
        """Return the settings of one task: the product of its lists, in the study's order.

        Raises:
            StudyError: if neither the study nor the task states the learning rate.
        """
        merged, limits = self.merged_training(task), self.merged_limits(task)
        if merged.learning_rate is None:
            raise StudyError(
                f"Study {self.name} states no learning_rate for {task}. Set it in [training] or in "
                f"[tasks.{task}.training]. {TYPICAL_RATES} "
                "`alignscope tune STUDY` measures a good one."
            )
        axes = (*(getattr(merged, name) for name in merged.axes), limits.train)
        return [
            Setting(
                TrainingConfig.model_validate(
                    {**dict(merged), **dict(zip(merged.axes, values, strict=True))}
                ),
                SplitLimits.model_validate({**dict(limits), "train": train}),
            )
            for *values, train in product(*map(listed, axes))
        ]

    def _only_setting(self, task: str) -> Setting:
        settings = self.settings_of(task)
        if len(settings) > 1:
            raise StudyError(
                f"Study {self.name} has {len(settings)} settings of {task}. Get them all with "
                "`settings_of`."
            )
        return settings[0]

    def merged_training(self, task: str) -> StudyTraining:
        """Return the hyperparameters of one task, which may be lists or lack the rate."""
        return StudyTraining.model_validate({**dict(self.training), **self.tasks[task].training})

    def merged_limits(self, task: str) -> StudyLimits:
        """Return the limits of one task, which may be lists."""
        return StudyLimits.model_validate({**dict(self.limits), **self.tasks[task].limits})

    @property
    def grid(self) -> dict[str, Any]:
        """Everything that determines the runs: not names, thresholds or data folders."""
        excluded: dict[str, Any] = dict.fromkeys(("name", "data", "claims"), True)
        excluded["encoders"] = {"__all__": {"given_short_name"}}
        if self.freeze == NOT_FROZEN:
            excluded["freeze"] = True  # digests stay those of versions that could not freeze
        if self.controls is None:
            excluded["controls"] = True  # the same for versions without controls
        content = self.model_dump(mode="json", exclude=excluded)
        if self.training.learning_rate is None:
            # Stores know such a study by the digest that it had when there was a default.
            content["training"]["learning_rate"] = LEGACY_RATE
        return without_unset_similarity(content)

    @property
    def digest(self) -> str:
        """Digest of the grid, 16 hex digits."""
        return digest_of(self.grid)

    def matches(self, grid: dict[str, Any]) -> bool:
        """Return whether a grid is this study's; a study without encoders matches any."""
        ignored = {} if self.encoders else {"encoders": None}
        return {**self.grid, **ignored} == {**grid, **ignored}

    def as_earlier_versions_read_it(self) -> "Study":
        """Return the study with the reading of words if its file does not state how to read.

        Earlier versions compared words, and their results are found under this study.
        """
        if self.similarity is None or "text" in self.similarity.model_fields_set:
            return self
        words = self.similarity.model_copy(update={"text": "words"})
        return self.model_copy(update={"similarity": words})


_MODELS: dict[str | None, type[BaseModel]] = {
    None: Study,
    "tasks": TaskConfig,
    "encoders": EncoderSpec,
}
_MODELS |= {
    "training": StudyTraining,
    "limits": StudyLimits,
    "similarity": SimilarityConfig,
    "claims": HypothesisThresholds,
    "controls": ControlsConfig,
}


StudyModel = TypeVar("StudyModel", bound=Study)


def read_study(path: Path) -> Study:
    """Read a study file.

    Raises:
        StudyError: as `read_study_as` does.
    """
    return read_study_as(Study, path)


def read_study_as(model: type[StudyModel], path: Path) -> StudyModel:
    """Read a study file as an instance of ``model``, which is `Study` or a subclass.

    Raises:
        StudyError: if the file cannot be read or is not valid; the message names file and key.
    """
    try:
        return model.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise StudyError(f"There is no study file {path}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"{path} cannot be read: {error}.") from None
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{path} is not valid TOML: {error}.") from None
    except ValidationError as error:
        raise StudyError(f"{path}: {first_error(error, _MODELS)}") from None
    except AlignScopeError as error:
        raise StudyError(f"{path}: {error}") from None
