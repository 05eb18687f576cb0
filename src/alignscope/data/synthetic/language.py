"""The description of a language: a short TOML file in ``languages/``."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from alignscope._util.validation import first_error
from alignscope.data.synthetic.phonology import family_names
from alignscope.data.synthetic.scripts import SOUNDS, script_names
from alignscope.data.synthetic.world import FUNCTION_WORDS, world
from alignscope.errors import DataError, nearest

_REFERENCE = re.compile(r"\\\d|\\g<\w+>")
"""A reference to a group of the pattern in a replacement."""

Side = Literal["before", "after"]
Case = Literal["accusative", "genitive", "dative", "locative", "ablative", "instrumental"]


class Language(BaseModel):
    """The traits of a language; its sentences express the meanings that all languages share.

    >>> load_language("ataru").order
    'SOV'

    Attributes:
        sounds: sound laws, as pairs of pattern and replacement, that turn the roots of the family
            into the words of this language.
        loans: for each donor family the share of words taken from it without sound changes.
        homographs: share of verbs that are spelt like a noun.
        same: pairs of function words that share one form.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    family: str
    sounds: tuple[tuple[str, str], ...] = ()
    loans: dict[str, float] = {}
    script: str
    capitals: Literal["none", "names", "nouns"] = "none"

    order: Literal["SVO", "SOV", "VSO", "VOS"]
    adjective: Side
    genitive: Side
    relative: Side
    numeral: Side
    determiner: Side
    adposition: Side
    subordinator: Literal["initial", "final"] = "initial"
    question: Literal["initial", "final", "none"] = "none"
    scrambling: float = Field(
        0.0, ge=0, le=1, description="probability that the object moves to the front"
    )

    morphology: Literal["fusional", "agglutinating", "isolating"]
    classes: int = Field(
        1, ge=1, le=4, description="number of noun classes, each with its own endings"
    )
    article: Literal["none", "definite", "both"]
    plural: Literal["suffix", "word", "none"]
    cases: tuple[Case, ...] = ()
    possession: Literal["case", "adposition", "none"]
    agreement: bool = Field(False, description="whether adjectives take the endings of their noun")
    person: bool = Field(False, description="whether verbs agree with the person of their subject")
    pro_drop: bool = False
    tense: Literal["suffix", "auxiliary"]
    negation: Literal["before", "after", "suffix"]
    copula: bool = Field(True, description="whether the present tense has a copula")
    relativizer: Literal["pronoun", "particle", "none"]
    infinitive: Literal["particle", "suffix", "none"]
    classifiers: bool = False
    surname_first: bool = False

    homographs: float = Field(0.0, ge=0, le=1)
    same: tuple[tuple[str, str], ...] = ()

    @field_validator("script", "family")
    @classmethod
    def _known(cls, name: str, info: ValidationInfo) -> str:
        known = {"script": script_names, "family": family_names}[str(info.field_name)]()
        if name not in known:
            raise ValueError(
                f"unknown {info.field_name} {name}{nearest(name, known) or '.'} "
                f"Choose one of {', '.join(known)}."
            )
        return name

    @field_validator("sounds")
    @classmethod
    def _valid_sound_laws(cls, rules: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        for pattern, replacement in rules:
            try:
                re.compile(pattern).sub(replacement, "a")
            except re.error as error:
                raise ValueError(f"{pattern} is not a regular expression: {error}.") from None
            unknown = set(_REFERENCE.sub("", replacement)) - set(SOUNDS)
            if unknown:
                raise ValueError(f"{unknown.pop()} is not a sound. The sounds are {SOUNDS}.")
        return rules

    @field_validator("loans")
    @classmethod
    def _valid_loans(cls, loans: dict[str, float]) -> dict[str, float]:
        for donor, share in loans.items():
            if donor not in family_names():
                known = ", ".join(family_names())
                raise ValueError(
                    f"{donor} is not a family{nearest(donor, family_names()) or '.'} "
                    f"The families are {known}."
                )
            if not 0 <= share <= 1:
                raise ValueError(f"the share of {donor} is {share}, but must be between 0 and 1.")
        if sum(loans.values()) > 1:
            raise ValueError(
                f"the shares sum to {sum(loans.values()):g}, but must sum to at most 1."
            )
        return loans

    @field_validator("same")
    @classmethod
    def _known_function_words(
        cls, same: tuple[tuple[str, str], ...]
    ) -> tuple[tuple[str, str], ...]:
        verbs = [verb.gloss for verb in world().verbs]
        for word, model in same:
            for name, known in ((word, FUNCTION_WORDS), (model, (*FUNCTION_WORDS, *verbs))):
                if name not in known:
                    kind = "function word" if known is FUNCTION_WORDS else "function word or verb"
                    raise ValueError(f"{name} is not a {kind}{nearest(name, known) or '.'}")
        return same

    @model_validator(mode="after")
    def _possession_matches_cases(self) -> "Language":
        if (self.possession == "case") != ("genitive" in self.cases):
            raise ValueError("possession must be 'case' if and only if cases contains 'genitive'.")
        return self

    @property
    def verb_final(self) -> bool:
        """Whether objects precede the verb."""
        return self.order == "SOV"


def languages() -> tuple[str, ...]:
    """Return the names of the synthetic languages in alphabetical order."""
    paths = (files(__package__) / "languages").iterdir()
    return tuple(sorted(path.name.removesuffix(".toml") for path in paths
                        if path.name.endswith(".toml")))  # fmt: skip


@cache
def load_language(name: str) -> Language:
    """Read the description of a language.

    Raises:
        DataError: if the language is unknown or its description is invalid.
    """
    if name not in languages():
        raise DataError(
            f"{name or 'An empty name'} is not a synthetic language"
            f"{nearest(name, languages()) or '.'} "
            f"The languages are {', '.join(languages())}."
        )
    text = (files(__package__) / "languages" / f"{name}.toml").read_text(encoding="utf-8")
    try:
        return Language.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{name}.toml is not valid TOML: {error}.") from None
    except ValidationError as error:
        raise DataError(f"{name}.toml: {first_error(error, {None: Language})}") from None
