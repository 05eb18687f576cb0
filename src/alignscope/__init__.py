"""Find the blocks of a multilingual encoder that align languages, and those that predict.

    import alignscope as al

The public interface is the names in ``dir(al)``. The file ``__init__.pyi`` lists them, both for
type checkers and for this module. Everything else may change without notice. A name is imported
when it is first used, so that ``import alignscope`` takes no torch and results can be read where
torch is not installed.
"""

import ast
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any


def _public_names() -> dict[str, str]:
    """Return the module of every public name, from the imports of ``__init__.pyi``."""
    stub = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


_MODULES = _public_names()

__version__ = version("alignscope")
__all__ = ["__version__", *_MODULES]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module 'alignscope' has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """A module in which a subpackage never hides a public name.

    Importing ``alignscope.similarity.compare`` binds the subpackage ``similarity`` here, where
    ``al.similarity`` is a function.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (isinstance(value, ModuleType) and name in _MODULES):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
