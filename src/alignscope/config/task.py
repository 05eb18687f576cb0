"""The corpora of one task of a study."""

from typing import Any

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    field_serializer,
    field_validator,
    model_serializer,
    model_validator,
)

from alignscope._util.validation import StrictModel
from alignscope.config.run import StudyLimits, StudyTraining, TrainingConfig
from alignscope.data.corpus import parse_corpus


class TaskConfig(StrictModel):
    """The corpora of one task, and its deviations from the study's training and limits."""

    sources: tuple[str, ...] = Field(min_length=1)
    targets: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    supervised: tuple[str, ...] = Field(
        (), description="corpora in target languages, fine-tuned on as the ceiling of transfer"
    )
    training: dict[str, Any] = Field({})
    limits: dict[str, Any] = Field({})

    @field_validator("sources", "targets", "domains", "supervised")
    @classmethod
    def _check_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            parse_corpus(name)
        return names

    @field_validator("training", mode="after")
    @classmethod
    def _current_keys(cls, training: dict[str, Any]) -> dict[str, Any]:
        return StudyTraining.with_single_values(StudyTraining.with_current_keys(training))

    @field_validator("limits", mode="after")
    @classmethod
    def _single_limits(cls, limits: dict[str, Any]) -> dict[str, Any]:
        return StudyLimits.with_single_values(limits)

    @model_validator(mode="after")
    def _check_supervised(self) -> "TaskConfig":
        spoken = {parse_corpus(name).language for name in self.targets}
        for name in self.supervised:
            language = parse_corpus(name).language
            if language not in spoken:
                raise ValueError(
                    f"supervised has {name}, but no target is in its language, {language}. Remove "
                    "it, or add a target in this language."
                )
        return self

    @model_serializer(mode="wrap")
    def _omit_no_supervised(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Stored studies stay equal to those of versions without supervised corpora.
        content: dict[str, Any] = handler(self)
        if not self.supervised:
            content.pop("supervised", None)
        return content

    @field_serializer("training")
    def _stored_keys(self, training: dict[str, Any]) -> dict[str, Any]:
        return TrainingConfig.with_stored_keys(training)
