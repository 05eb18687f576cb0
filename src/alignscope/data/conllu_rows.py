"""The lines of a CoNLL-U sentence, and the order of their ids."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from alignscope.data.sentence import EmptyNode, MultiwordToken
from alignscope.errors import DataError

COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
"""The names of the ten columns."""

_ID = re.compile(r"([0-9]+)(?:([-.])([0-9]+))?")


def count(number: int, noun: str) -> str:
    """Write a number with its noun: ``count(1, "word")`` is ``1 word``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@dataclass(frozen=True, slots=True)
class TokenLine:
    """A line with ten columns, its file and its number, counted from 1."""

    path: Path
    number: int
    columns: list[str]

    @classmethod
    def of(cls, path: Path, number: int, text: str) -> "TokenLine":
        """Split a line into its columns; it must have ten, and a form."""
        line = cls(path, number, text.split("\t"))
        if len(line.columns) != len(COLUMNS):
            columns = count(len(line.columns), "column")
            raise line.error(f"The line has {columns}, but CoNLL-U has 10, separated by tabs.")
        if not line.columns[1]:
            raise line.error("FORM is empty.")
        return line

    def error(self, message: str) -> DataError:
        """Return an error about this line."""
        return DataError(f"{self.path}:{self.number}: {message}")


@dataclass(slots=True)
class TokenLines:
    """The lines of one sentence, sorted into words, multiword tokens and empty nodes."""

    words: list[TokenLine] = field(default_factory=list)
    ranges: list[MultiwordToken] = field(default_factory=list)
    empty: list[EmptyNode] = field(default_factory=list)

    @classmethod
    def of(cls, lines: list[TokenLine]) -> "TokenLines":
        """Sort the lines of a sentence, whose ids must be in order and complete."""
        rows = cls()
        for line in lines:
            rows._add(line)
        if not rows.words:
            raise lines[0].error("The sentence has no words.")
        if rows.ranges and rows.ranges[-1].last > len(rows.words):
            span = f"{rows.ranges[-1].first}-{rows.ranges[-1].last}"
            words = count(len(rows.words), "word")
            raise rows.words[-1].error(
                f"Multiword token {span} ends outside the sentence, which has {words}."
            )
        return rows

    def _add(self, line: TokenLine) -> None:
        first, mark, second = _parse_id(line)
        if not self._is_next(first, mark, second):
            last = len(self.words)
            raise line.error(f"Id {line.columns[0]} is out of order. The next word is {last + 1}.")
        if not mark:
            self.words.append(line)
        elif mark == "-":
            self.ranges.append(MultiwordToken(first, second, line.columns[1], line.columns[9]))
        else:
            self.empty.append(EmptyNode(first, second, line.columns[1]))

    def _is_next(self, first: int, mark: str, second: int) -> bool:
        last_word = len(self.words)
        last_range = self.ranges[-1] if self.ranges else MultiwordToken(0, 0, "")
        if not mark:
            return first == last_word + 1
        if mark == "-":
            return last_range.last < first == last_word + 1 <= second
        after = [node.index for node in self.empty if node.after == last_word]
        # Nothing comes between a multiword token and its first word.
        return first == last_word and second == len(after) + 1 and last_range.first <= last_word


def _parse_id(line: TokenLine) -> tuple[int, str, int]:
    match = _ID.fullmatch(line.columns[0])
    if match is None:
        raise line.error(
            f"Id {line.columns[0]} is not valid. Ids look like 7 (word), 7-8 (multiword token) or "
            "7.1 (empty node)."
        )
    return int(match[1]), match[2] or "", int(match[3] or 0)
