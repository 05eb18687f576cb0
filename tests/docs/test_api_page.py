"""The API page is generated from the docstrings and lists exactly the public names."""

import importlib.util
import re
from types import ModuleType

import pytest

import alignscope
from tests.helpers import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """The script ``docs/make_api.py`` as a module."""
    spec = importlib.util.spec_from_file_location("make_api", ROOT / "docs" / "make_api.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(generator: ModuleType) -> None:
    assert generator.reference().rstrip() == PAGE.rstrip(), "run make docs"


def test_the_page_lists_exactly_the_public_names() -> None:
    headings = re.findall(r"^## `(\w+)`$", PAGE, flags=re.M)
    public = [name for name in getattr(alignscope, "__all__", []) if not name.startswith("__")]
    assert headings == public


def test_a_docstring_becomes_markdown(generator: ModuleType) -> None:
    docstring = """Return ``x``.

    >>> f(1)
    1

    Args:
        x: an array
            of numbers.
        y: another.

    Raises:
        ValueError: if it is empty.
    """
    assert generator.markdown(generator.inspect.cleandoc(docstring)) == (
        "Return `x`.\n\n```python\n>>> f(1)\n1\n```\n\n"
        "*Args*\n\n- `x`: an array\n    of numbers.\n- `y`: another.\n\n"
        "*Raises*\n\n- `ValueError`: if it is empty.\n"
    )


def test_a_long_signature_has_one_parameter_per_line(generator: ModuleType) -> None:
    source = "def f(a: 'int', b: str = 'a', *, c: float, **d: object) -> 'list[int]': ..."
    node = generator.ast.parse(source).body[0]
    assert (
        generator.signature("f", node)
        == "f(a: int, b: str = 'a', *, c: float, **d: object) -> list[int]"
    )
    assert generator.signature("f" * 60, node).splitlines()[1:4] == [
        "    a: int,",
        "    b: str = 'a',",
        "    *,",
    ]
