"""The command line: parse options, call the library, print."""

from alignscope.cli.commands import app, main

__all__ = ["app", "main"]
