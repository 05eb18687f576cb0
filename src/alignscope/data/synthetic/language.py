"""A language: a short description that one can read, change and add to (``languages/*.toml``)."""

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
"""What stands for a group of the pattern in a replacement."""

Side = Literal["before", "after"]
Case = Literal["accusative", "genitive", "dative", "locative", "ablative", "instrumental"]


class Language(BaseModel):
    """What sets a language apart; everything else follows from the shared meanings.

    >>> load_language("ataru").order
    'SOV'

    ``sounds`` are the changes, pattern and replacement in this order, that made its words from the
    family's roots. ``loans`` say what share of the words comes from other families, unchanged.
    ``homographs`` is the share of verbs that are written like some noun, and ``same`` lists
    function words that are written alike.
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
        0.0, ge=0, le=1, description="how often the object moves to the front"
    )

    morphology: Literal["fusional", "agglutinating", "isolating"]
    classes: int = Field(1, ge=1, le=4, description="classes of nouns, each with its own endings")
    article: Literal["none", "definite", "both"]
    plural: Literal["suffix", "word", "none"]
    cases: tuple[Case, ...] = ()
    possession: Literal["case", "adposition", "none"]
    agreement: bool = Field(False, description="adjectives take the endings of their noun")
    person: bool = Field(False, description="verbs say who acts")
    pro_drop: bool = False
    tense: Literal["suffix", "auxiliary"]
    negation: Literal["before", "after", "suffix"]
    copula: bool = Field(True, description="a copula in the present too")
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
            raise ValueError(f"allowed are {', '.join(known)}{nearest(name, known)}")
        return name

    @field_validator("sounds")
    @classmethod
    def _patterns(cls, rules: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        for pattern, replacement in rules:
            try:
                re.compile(pattern).sub(replacement, "a")
            except re.error as error:
                raise ValueError(f"{pattern} is no pattern: {error}") from None
            strange = set(_REFERENCE.sub("", replacement)) - set(SOUNDS)
            if strange:
                raise ValueError(f"{strange.pop()} is no sound; they are {SOUNDS}")
        return rules

    @field_validator("loans")
    @classmethod
    def _donors(cls, loans: dict[str, float]) -> dict[str, float]:
        for donor, share in loans.items():
            if donor not in family_names():
                known = ", ".join(family_names())
                raise ValueError(
                    f"{donor} is no family{nearest(donor, family_names())}; they are {known}"
                )
            if not 0 <= share <= 1:
                raise ValueError(f"the share of {donor} is {share}, allowed is 0 to 1")
        if sum(loans.values()) > 1:
            raise ValueError(f"the shares sum to {sum(loans.values()):g}, allowed is 0 to 1")
        return loans

    @field_validator("same")
    @classmethod
    def _alike(cls, same: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        verbs = [verb.gloss for verb in world().verbs]
        for word, model in same:
            for asked, known in ((word, FUNCTION_WORDS), (model, (*FUNCTION_WORDS, *verbs))):
                if asked not in known:
                    kind = "function word" if known is FUNCTION_WORDS else "function word or verb"
                    raise ValueError(f"{asked} is no {kind}{nearest(asked, known)}")
        return same

    @model_validator(mode="after")
    def _owners_have_a_case(self) -> "Language":
        if (self.possession == "case") != ("genitive" in self.cases):
            raise ValueError("possession is case where there is a genitive, and only there")
        return self

    @property
    def verb_final(self) -> bool:
        """Whether objects precede their verb."""
        return self.order == "SOV"


def languages() -> tuple[str, ...]:
    """Name every embedded language, in alphabetical order."""
    found = (files(__package__) / "languages").iterdir()
    return tuple(sorted(path.name.removesuffix(".toml") for path in found
                        if path.name.endswith(".toml")))  # fmt: skip


@cache
def load_language(name: str) -> Language:
    """Read the description of a language.

    Raises:
        DataError: if there is none of that name, or what it says is not allowed.
    """
    if name not in languages():
        raise DataError(
            f"{name or 'an empty name'} is not an embedded language{nearest(name, languages())}; "
            f"they are {', '.join(languages())}"
        )
    text = (files(__package__) / "languages" / f"{name}.toml").read_text(encoding="utf-8")
    try:
        return Language.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{name}.toml is not valid TOML: {error}") from None
    except ValidationError as error:
        raise DataError(f"{name}.toml: {first_error(error, {None: Language})}") from None
