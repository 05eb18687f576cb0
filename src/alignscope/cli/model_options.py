"""Command-line options made from the fields of a pydantic model."""

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer
from annotated_types import Ge, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo


def with_options_of(
    model: type[BaseModel], old_names: Mapping[str, str]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that replaces ``**options`` of a command by the fields of ``model``.

    Args:
        model: The model. A field's description is the help of its option, and bounds that include
            the limit are checked by the command line; the model checks all others.
        old_names: Former names of fields, which stay accepted.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command)
        parameters = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        aliases = {current: old for old, current in old_names.items()}
        parameters += [
            _parameter(name, field, aliases.get(name)) for name, field in model.model_fields.items()
        ]
        # Keyword-only parameters may have a default before others that have none.
        parameters = [p.replace(kind=p.KEYWORD_ONLY) for p in parameters]
        command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": None}
        return command

    return decorate


def _parameter(name: str, field: FieldInfo, old_name: str | None) -> inspect.Parameter:
    flags = ["--" + each.replace("_", "-") for each in (name, old_name) if each]
    low: Any = next((limit.ge for limit in field.metadata if isinstance(limit, Ge)), None)
    high: Any = next((limit.le for limit in field.metadata if isinstance(limit, Le)), None)
    declared = [] if field.annotation is bool else flags  # typer adds --no-… to a switch
    option = typer.Option(*declared, min=low, max=high, help=_sentence(field.description or name))
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=field.default,
        annotation=Annotated[field.annotation, option],
    )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
