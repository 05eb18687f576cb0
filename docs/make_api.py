"""Print the API reference, generated from the docstrings of all public names.

``make docs`` writes it to ``docs/api.md``; ``make check`` compares it with that file.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import alignscope

HEADER = """# The Python API

Generated from the docstrings by `make docs`. These names are the whole public interface; everything
else may change without notice.
"""
SECTIONS = {"Args", "Attributes", "Returns", "Raises", "Yields", "Notes", "Note", "Example"}
WIDTH = 88


def reference() -> str:
    """Return the whole page as Markdown."""
    names = [name for name in getattr(alignscope, "__all__", []) if not name.startswith("__")]
    index = " · ".join(f"[`{name}`](#{name.lower()})" for name in names)
    return "\n".join([HEADER, index, "", *(entry(name) for name in names)])


def entry(name: str) -> str:
    """Return the section of one public name."""
    value = getattr(alignscope, name)
    text = class_entry(name, value) if inspect.isclass(value) else function_entry(name, value)
    return f"## `{name}`\n\n{text}"


def function_entry(name: str, function: Any) -> str:
    """Return signature and docstring of a function."""
    node = definition(function)
    return f"{fenced(signature(name, node))}\n{markdown(inspect.getdoc(function) or '')}"


def class_entry(name: str, value: type) -> str:
    """Return constructor, docstring and public members of a class."""
    constructor = next((m for m in definition(value).body if named(m) == "__init__"), None)
    members = public_members(value)
    title = signature(name, constructor) if constructor is not None else f"class {name}"
    parts = [f"{fenced(title)}\n{markdown(inspect.getdoc(value) or '')}"]
    fields = [field for field in members if isinstance(field, ast.AnnAssign)]
    if fields:
        parts.append("\n".join(map(field_entry, fields)) + "\n")
    parts += [
        f"**`{name}.{member.name}`**\n\n{member_entry(member)}"
        for member in members
        if isinstance(member, ast.FunctionDef)
    ]
    return "\n".join(parts)


def public_members(value: type) -> list[ast.stmt]:
    """Return the documented members of a class and its base classes, the first of each name."""
    found: dict[str, ast.stmt] = {}
    for base in value.__mro__:
        if base.__module__.startswith("alignscope.") and "._util." not in base.__module__:
            for member in filter(is_public, definition(base).body):
                found.setdefault(named(member), member)
    return list(found.values())


def field_entry(field: ast.AnnAssign) -> str:
    """Return a list item with name, type, default and description of a field."""
    default, description = field.value, ""
    if isinstance(default, ast.Call) and ast.unparse(default.func) in ("Field", "field"):
        keywords = {keyword.arg: keyword.value for keyword in default.keywords}
        factory = keywords.get("default_factory")
        empty = None if factory is None else ast.Call(factory, [], [])
        description = str(ast.literal_eval(keywords.get("description", ast.Constant(""))))
        default = default.args[0] if default.args else keywords.get("default", empty)
    value = "" if default is None else f" = {ast.unparse(default)}"
    text = f"- `{ast.unparse(field.target)}: {unquoted(field.annotation)}{value}`"
    return f"{text}: {description}" if description else text


def member_entry(member: ast.FunctionDef) -> str:
    """Return signature and docstring of a method, or the docstring of a property."""
    text = markdown(inspect.cleandoc(ast.get_docstring(member) or ""))
    is_property = any("property" in ast.unparse(node) for node in member.decorator_list)
    return text if is_property else f"{fenced(signature(member.name, member))}\n{text}"


def definition(value: Any) -> Any:
    """Return the syntax tree of a class or a function."""
    path = inspect.getsourcefile(inspect.unwrap(value))
    if path is None:
        raise SystemExit(f"{value} has no source file.")
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    # The last definition of a name is the implementation; those before it are overloads.
    return [node for node in tree.body if named(node) == value.__name__][-1]


def named(node: ast.stmt) -> str:
    """Return the name that a statement defines, or nothing."""
    return (
        ast.unparse(node.target) if isinstance(node, ast.AnnAssign) else getattr(node, "name", "")
    )


def is_public(node: ast.stmt) -> bool:
    """Return whether a member belongs to the public interface and is documented."""
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return not node.target.id.startswith("_") and "ClassVar" not in ast.unparse(node.annotation)
    documented = isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None
    is_setter = any("setter" in ast.unparse(d) for d in getattr(node, "decorator_list", ()))
    return documented and not named(node).startswith("_") and not is_setter


def signature(name: str, node: Any) -> str:
    """Return a call with parameters, defaults and types, on several lines if it is long."""
    result = f" -> {unquoted(node.returns)}" if node.returns and named(node) != "__init__" else ""
    parameters = [p for p in split_parameters(node.args) if p not in ("self", "cls")]
    short = f"{name}({', '.join(parameters)}){result}"
    if len(short) <= WIDTH:
        return short
    lines = "".join(f"    {parameter},\n" for parameter in parameters)
    return f"{name}(\n{lines}){result}"


def split_parameters(arguments: ast.arguments) -> list[str]:
    """Return each parameter with its type and default, including the marks ``/`` and ``*``."""
    positional = [*arguments.posonlyargs, *arguments.args]
    missing: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    parameters = list(map(parameter, positional, [*missing, *arguments.defaults]))
    if arguments.posonlyargs:
        parameters.insert(len(arguments.posonlyargs), "/")
    if arguments.vararg:
        parameters.append(f"*{parameter(arguments.vararg, None)}")
    elif arguments.kwonlyargs:
        parameters.append("*")
    parameters += map(parameter, arguments.kwonlyargs, arguments.kw_defaults)
    if arguments.kwarg:
        parameters.append(f"**{parameter(arguments.kwarg, None)}")
    return parameters


def parameter(argument: ast.arg, default: ast.expr | None) -> str:
    """Return a parameter as it is written in a call."""
    text = argument.arg + (f": {unquoted(argument.annotation)}" if argument.annotation else "")
    if default is None:
        return text
    return f"{text} = {ast.unparse(default)}" if argument.annotation else f"{text}={default}"


def unquoted(annotation: ast.expr) -> str:
    """Return a type without the quotes of forward references."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value
    return ast.unparse(annotation)


def fenced(code: str) -> str:
    """Return a block of Python code."""
    return f"```python\n{code}\n```\n"


def markdown(docstring: str) -> str:
    """Convert a Google-style docstring to Markdown."""
    lines: list[str] = []
    for block in blocks(docstring.replace("``", "`")):
        title, _, rest = block.partition("\n")
        if block.startswith(">>>"):
            lines.append(fenced(block))
        elif title.rstrip(":") in SECTIONS and title.endswith(":"):
            lines.append(section(title.rstrip(":"), textwrap.dedent(rest)))
        elif block.startswith("    "):
            lines.append(fenced(textwrap.dedent(block)))
        else:
            lines.append(f"{re.sub(r'::$', ':', block)}\n")
    return "\n".join(lines)


def blocks(text: str) -> Iterator[str]:
    """Split a docstring at empty lines; an indented block keeps its empty lines."""
    block = ""
    for part in re.split(r"\n\s*\n", text):
        joins = part.startswith("    ") and (block.startswith("    ") or is_section(block))
        if block and not joins:
            yield block
        block = f"{block}\n\n{part}" if block and joins else part
    if block:
        yield block


def is_section(block: str) -> bool:
    """Return whether a block begins a section such as ``Args:``."""
    return block.partition(":")[0] in SECTIONS


def section(title: str, body: str) -> str:
    """Return a section of a docstring; its entries become a list."""
    if title in ("Args", "Attributes", "Raises"):
        items = re.split(r"\n(?=\S)", body)
        body = "\n".join(re.sub(r"^(\*{0,2}\w+)", r"- `\1`", item) for item in items)
    return f"*{title}*\n\n{body}\n"


if __name__ == "__main__":
    print(reference().rstrip())
