"""Rules for the source code that neither the linter nor the type checker can express."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import alignscope

SOURCE = Path(alignscope.__file__).parent
MAX_PARAMETERS = 5
ALLOWED = {
    "alignscope/training/stacked/dropout.py:_attention",  # the signature is torch's
    "alignscope/data/conllu.py:_row",  # the columns of a format
    "alignscope/data/sentence.py:__init__",  # the fields of a record
    "alignscope/data/synthetic/grammar.py:_order",  # the parts of a clause
}


def has_options(path: Path) -> bool:
    """Return whether functions of a file are called by users, who set options by keyword."""
    return "cli" in path.relative_to(SOURCE).parts or "api" in path.relative_to(SOURCE).parts


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def count_parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the named parameters of a function, without ``self`` and ``cls``."""
    arguments = function.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def test_parameters_are_counted() -> None:
    (function,) = ast.parse("def f(self, a, /, b, *args, c, d=1, **options): ...").body
    assert isinstance(function, ast.FunctionDef)
    assert count_parameters(function) == 4


def test_no_function_below_the_public_interface_has_more_than_five_parameters() -> None:
    long = {
        f"{path.relative_to(SOURCE.parent)}:{function.name}": count_parameters(function)
        for path in SOURCE.rglob("*.py")
        if not has_options(path)
        for function in functions(path)
        if count_parameters(function) > MAX_PARAMETERS
    }
    assert {name: count for name, count in long.items() if name not in ALLOWED} == {}


@pytest.mark.parametrize("package", ["training", "similarity", "tasks", "encoders", "data"])
def test_nothing_below_experiments_sees_a_run_specification(package: str) -> None:
    users = [
        str(path.relative_to(SOURCE))
        for path in (SOURCE / package).rglob("*.py")
        if "RunSpec" in path.read_text(encoding="utf-8")
    ]
    assert users == []
