"""The configuration of similarity, for a study or for one comparison."""

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from alignscope._util.validation import StrictModel
from alignscope.config.registry import MEASURE_INFO
from alignscope.data.corpus import parse_corpus
from alignscope.errors import StudyError

SentencePooling = Literal["mean", "weighted", "first", "last"]
Split = Literal["train", "dev", "test"]
Reading = Literal["raw", "words"]

MIN_ROWS = 20
"""Smallest number of sentences or words to compare; intervals of fewer would be too wide."""

STORED = "stored"
"""The validation context of a specification that a store holds."""

KNN = "mutual-knn"
"""The measure whose number of neighbours is a key of the configuration."""

_LAYERS = re.compile(r"\d+(-\d+)?(,\d+(-\d+)?)*")


def _check_measure(name: str, info: ValidationInfo) -> str:
    if info.context != STORED:  # results can be read where their measure is not installed
        try:
            MEASURE_INFO[name]
        except StudyError as error:
            raise ValueError(str(error)) from None
    return name


MeasureName = Annotated[str, AfterValidator(_check_measure)]
"""The name of a measure that is built in or registered."""


class ComparisonConfig(StrictModel):
    """How parallel sentences are compared; layers count from 0, the embeddings."""

    measures: tuple[MeasureName, ...] = Field(("cka", "retrieval"), min_length=1)
    layers: str | None = Field(None, description="such as 0-3,8; default: all")
    split: Split = "test"
    limit: int | None = Field(
        None,
        ge=MIN_ROWS,
        description="maximum number of sentences, spread evenly over the file; default: all",
    )
    pooling: SentencePooling = "mean"
    words: bool = Field(False, description="compare aligned words instead of sentences")
    text: Reading = Field(
        "raw", description="raw: running text as written; words: every word after a blank"
    )
    neighbours: int = Field(10, ge=1, description="neighbours of each sentence in mutual-knn")

    @model_validator(mode="before")
    @classmethod
    def _as_earlier_versions_read(cls, content: Any, info: ValidationInfo) -> Any:
        if info.context == STORED and isinstance(content, dict):
            return {"text": "words", **content}
        return content

    @model_serializer(mode="wrap")
    def _omit_keys_of_later_versions(self, handler: SerializerFunctionWrapHandler) -> Any:
        # Addresses and stored configurations of earlier versions, which read words, stay the same.
        content: dict[str, Any] = handler(self)
        absent = {"text": self.text == "words", "neighbours": KNN not in self.measures}
        return {key: value for key, value in content.items() if not absent.get(key)}

    @field_validator("measures")
    @classmethod
    def _check_repetition(cls, measures: tuple[str, ...]) -> tuple[str, ...]:
        for name in measures:
            if measures.count(name) > 1:
                raise ValueError(f"{name} is given twice")
        return measures

    @field_validator("layers")
    @classmethod
    def _check_ranges(cls, layers: str | None) -> str | None:
        if layers is not None and not _LAYERS.fullmatch(layers):
            raise ValueError(f"{layers} is not a list of layers. Write it like 0-3,8")
        return layers

    @model_validator(mode="after")
    def _check_pooling(self) -> "ComparisonConfig":
        if self.words and self.pooling != "mean":
            raise ValueError(
                "`pooling` cannot be combined with `words`: a word vector is always the mean of "
                "its subwords"
            )
        return self

    @property
    def unit(self) -> str:
        """The compared unit, ``sentence`` or ``word``."""
        return "word" if self.words else "sentence"

    def layers_of(self, count: int) -> list[int]:
        """Return the numbers of the layers to compare, sorted, for an encoder of ``count`` layers.

        >>> ComparisonConfig(layers="0-2,5").layers_of(13)
        [0, 1, 2, 5]

        Raises:
            ValueError: if the encoder does not have one of the layers.
        """
        if self.layers is None:
            return list(range(count))
        numbers: set[int] = set()
        for part in self.layers.split(","):
            first, _, last = part.partition("-")
            layers = range(int(first), int(last or first) + 1)
            if not layers or layers[-1] >= count:
                raise ValueError(f"The encoder has the layers 0-{count - 1}, not {part}.")
            numbers |= set(layers)
        return sorted(numbers)


class SimilarityConfig(ComparisonConfig):
    """The similarity of a study: its parallel corpora, and the runs that compare them."""

    corpora: tuple[str, ...] = Field(min_length=2, description="the same sentences in each")
    runs: Literal["REF", "all"] = "REF"
    drift: bool = Field(True, description="compare the pretrained with the fine-tuned encoder")

    @field_validator("corpora")
    @classmethod
    def _check_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            parse_corpus(name)
            if names.count(name) > 1:
                raise ValueError(f"{name} is given twice")
        return names

    def corpus_of(self, source: str) -> str:
        """Return the parallel corpus in the language of the corpus ``source``.

        Raises:
            ValueError: if there is none, or more than one.
        """
        language = parse_corpus(source).language
        matching = [name for name in self.corpora if parse_corpus(name).language == language]
        if len(matching) != 1:
            raise ValueError(
                f"corpora need exactly one in the language of {source}, {language}, to compare the "
                f"others with. There are {len(matching)}."
            )
        return matching[0]
