"""A tiny study with its data and encoder, and calls of the command line."""

import io
import random
import sys
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from alignscope.cli.commands import main

SPLITS = {"train": 10, "dev": 4, "test": 4}
TREEBANKS = ("en_tiny", "de_tiny", "en_web")
_WORDS = {
    "en": {"NOUN": ("dog", "cat", "house"), "VERB": ("sees", "likes"), "DET": ("the", "a")},
    "de": {"NOUN": ("hund", "katze", "haus"), "VERB": ("sieht", "mag"), "DET": ("der", "ein")},
}
_NAMES = {"en": ("ada", "paris"), "de": ("otto", "köln")}


def write_corpora(folder: Path) -> Path:
    """Write three corpora each of trees, named entities and topics below ``folder``."""
    for code in TREEBANKS:
        draw = random.Random(code)
        for split, count in SPLITS.items():
            trees = [_tree(code[:2], draw) for _ in range(count)]
            _write(folder / "ud" / code / f"{split}.conllu", trees)
            tags = [_tags(code[:2], draw) for _ in range(count)]
            _write(folder / "ner" / "uner" / code / f"{split}.tsv", tags)
            topic_draw = random.Random(f"topics {code} {split}")
            topics = [["text\tlabel"], *(_topic(code[:2], topic_draw) for _ in range(count))]
            path = folder / "classification" / "topic" / code / f"{split}.tsv"
            _write(path, topics, separator="\n")
    return folder


def _tree(language: str, draw: random.Random) -> list[str]:
    """Return ``the dog sees a cat`` as CoNLL-U, sometimes without the object."""
    words = _WORDS[language]
    kinds = ["DET", "NOUN", "VERB", *(["DET", "NOUN"] if draw.random() < 0.7 else [])]
    heads, relations = (2, 3, 0, 5, 3), ("det", "nsubj", "root", "det", "obj")
    return [
        f"{i + 1}\t{draw.choice(words[kind])}\t_\t{kind}\t_\t_\t{heads[i]}\t{relations[i]}\t_\t_"
        for i, kind in enumerate(kinds)
    ]


def _tags(language: str, draw: random.Random) -> list[str]:
    words = _WORDS[language]
    person, place = _NAMES[language]
    rows = [(draw.choice(words["VERB"]), "O"), (person, "B-PER"), (place, "B-LOC")]
    draw.shuffle(rows)
    return [f"{word}\t{tag}" for word, tag in rows]


def _topic(language: str, draw: random.Random) -> list[str]:
    """Return a sentence about an animal or a house, with the topic as its label."""
    words = _WORDS[language]
    noun = draw.choice(words["NOUN"])
    topic = "house" if noun == words["NOUN"][-1] else "animal"
    return [f"{draw.choice(words['DET'])} {noun} {draw.choice(words['VERB'])}\t{topic}"]


def _write(path: Path, sentences: Iterable[list[str]], separator: str = "\n\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join("\n".join(lines) + separator for lines in sentences)
    path.write_text(text, encoding="utf-8")


GRID = """
name = "tiny"
seeds = [1, 2]
windows = ["tiles:2"]
training = { epochs = 2, learning_rate = 1e-3, head_learning_rate = 1e-2 }

[tasks.pos]
sources = ["ud:en_tiny"]
targets = ["ud:de_tiny"]
domains = ["ud:en_web"]
"""
"""Six runs of one task."""

THREE_TASKS = """
name = "three"
windows = ["0-1"]
training = { epochs = 1, learning_rate = 1e-3 }

[tasks.pos]
sources = ["ud:en_tiny"]
targets = ["ud:de_tiny"]

[tasks.parsing]
sources = ["ud:en_tiny"]
targets = ["ud:de_tiny"]

[tasks.ner]
sources = ["uner:en_tiny"]
targets = ["uner:de_tiny"]
"""


@dataclass(frozen=True)
class Answer:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str
    raw: bytes


def call(*arguments: str | Path) -> Answer:
    """Call ``alignscope`` in this process; unexpected errors are raised."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    code = 0
    with (
        patch.object(sys, "argv", ["alignscope", *map(str, arguments)]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    out.flush()
    err.flush()
    raw = out.buffer.getvalue()  # type: ignore[attr-defined]
    errors = err.buffer.getvalue().decode()  # type: ignore[attr-defined]
    return Answer(code, raw.decode(errors="replace"), errors, raw)


@dataclass(frozen=True)
class Workshop:
    """A folder with a study file and result folders, and the data and the encoder of the study."""

    folder: Path
    data: Path
    encoder: Path

    @property
    def study(self) -> Path:
        """The study file."""
        return self.folder / "tiny.toml"

    @property
    def store(self) -> Path:
        """The default result folder of ``run``."""
        return self.folder / "results"

    def write(self, text: str) -> Path:
        """Write the study file."""
        self.study.write_text(text, encoding="utf-8")
        return self.study

    def arguments(self, store: Path | None = None) -> list[str]:
        """Return the arguments of ``alignscope run`` for this study."""
        return [
            *("run", str(self.study), "--store", str(store or self.store), "--offline"),
            *("--data", str(self.data), "--encoder", str(self.encoder)),
        ]

    def run(self, *more: str | Path, store: Path | None = None) -> Answer:
        """Call ``alignscope run``."""
        return call(*self.arguments(store), *more)

    def table(self, which: str, form: str = "csv", store: Path | None = None) -> str:
        """Return a table as ``alignscope table`` prints it."""
        chosen = ("--store", store or self.store, "--format", form)
        answer = call("table", which, self.study, *chosen)
        assert answer.code == 0, answer.err
        return answer.out
