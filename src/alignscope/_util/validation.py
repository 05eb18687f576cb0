"""Strict models of configuration tables, and validation errors as one sentence."""

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from alignscope.errors import StudyError, nearest


class StrictModel(BaseModel):
    """A frozen configuration table that refuses unknown keys and numbers that are not finite.

    A key that was renamed is accepted under both names for ever: `renamed_keys` maps the old name
    to the new one. Run addresses and stored results keep the old name, so the field of a renamed
    key has it as ``serialization_alias``, and every dump uses the aliases.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, serialize_by_alias=True
    )
    renamed_keys: ClassVar[Mapping[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _accept_renamed_keys(cls, values: Any) -> Any:
        return cls.with_current_keys(values) if isinstance(values, Mapping) else values

    @classmethod
    def with_current_keys(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``values`` with old names of keys replaced by the current ones.

        Raises:
            ValueError: if a key is given under both names.
        """
        for old, current in cls.renamed_keys.items():
            if old in values and current in values:
                raise ValueError(f"Give {current} or its old name {old}, not both.")
        return {cls.renamed_keys.get(key, key): value for key, value in values.items()}

    @classmethod
    def with_stored_keys(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``values`` with the names of keys that run addresses and stores use."""
        stored = {current: old for old, current in cls.renamed_keys.items()}
        return {stored.get(key, key): value for key, value in values.items()}


Table = TypeVar("Table", bound=StrictModel)


def parse_options(table: type[Table], **values: object) -> Table:
    """Return a model made from options; an option that is None keeps its default.

    Raises:
        StudyError: if an option is not allowed.
    """
    try:
        return table.model_validate({k: v for k, v in values.items() if v is not None})
    except ValidationError as error:
        raise StudyError(first_error(error, {None: table}, "options")) from None


def first_error(
    error: ValidationError,
    tables: Mapping[str | None, type[BaseModel]],
    table: str | None = None,
) -> str:
    """Return the first error as text: the place, the problem and the value or the nearest key.

    Args:
        error: The errors of pydantic.
        tables: The model of each table of the file by its key; None is the file itself.
        table: The key of the table that was validated, if it was not the whole file.

    Returns:
        One or two sentences.
    """
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if not str(part).startswith("["))
    if first["type"] == "extra_forbidden":
        allowed = _allowed_keys((table, *first["loc"][:-1]), tables)
        hint = nearest(str(first["loc"][-1]), allowed) or "."
        return f"{place} is not a key{hint} Allowed are: {', '.join(sorted(allowed))}."
    message = first["msg"].removeprefix("Value error, ").removesuffix(".")
    shows_value = first["type"] == "value_error" or isinstance(first["input"], dict)
    value = "" if shows_value else f", got {first['input']!r}"
    return f"{place or table or 'study'}: {message}{value}."


def _allowed_keys(
    place: tuple[int | str | None, ...], tables: Mapping[str | None, type[BaseModel]]
) -> set[str]:
    """Return the keys of the innermost table on the way to a place."""
    models = [tables[part] for part in place if isinstance(part, str) and part in tables]
    fields = (models or [tables[None]])[-1].model_fields
    return {field.alias or name for name, field in fields.items()}
