"""Tables of a file that a person writes, and what is wrong with one, in one sentence."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from alignscope.errors import StudyError, nearest


class StrictModel(BaseModel):
    """A table of a file: fixed, without keys it does not know, and with finite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Table = TypeVar("Table", bound=StrictModel)


def parse_options(table: type[Table], **values: object) -> Table:
    """Make a table of options, those left out (None) being what the table says.

    Raises:
        StudyError: one sentence on the first that is not allowed.
    """
    try:
        return table.model_validate({k: v for k, v in values.items() if v is not None})
    except ValidationError as error:
        raise StudyError(first_error(error, {None: table}, "what is asked")) from None


def first_error(
    error: ValidationError,
    tables: Mapping[str | None, type[BaseModel]],
    table: str | None = None,
) -> str:
    """Say the first complaint, with the place, what was found and the nearest valid key.

    ``tables`` has the model of each table of the file by its key, None for the file itself;
    ``table`` is the one that was validated, if not the whole file.
    """
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part != "[key]")
    if first["type"] == "extra_forbidden":
        allowed = _keys((table, *first["loc"][:-1]), tables)
        meant = nearest(str(first["loc"][-1]), allowed)
        return f"{place} is not a key{meant}; allowed are {', '.join(sorted(allowed))}"
    asked = "" if isinstance(first["input"], dict) else f" (found {first['input']!r})"
    return f"{place or table or 'study'}: {first['msg'].removeprefix('Value error, ')}{asked}"


def _keys(
    where: tuple[int | str | None, ...], tables: Mapping[str | None, type[BaseModel]]
) -> set[str]:
    """The keys allowed at a place: those of the innermost table on the way to it."""
    known = [tables[part] for part in where if isinstance(part, str) and part in tables]
    return set((known or [tables[None]])[-1].model_fields)
