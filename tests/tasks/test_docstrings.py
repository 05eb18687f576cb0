"""The examples in the docstrings are true."""

import doctest
import importlib
import pkgutil

import pytest

import alignscope.tasks

MODULES = ["alignscope.tasks"] + [
    f"alignscope.tasks.{module.name}" for module in pkgutil.iter_modules(alignscope.tasks.__path__)
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    module = importlib.import_module(name)
    result = doctest.testmod(module)
    assert result.failed == 0
