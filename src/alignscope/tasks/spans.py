"""From IOB2 tags to entity spans, in the two readings that the field uses, and their F1.

The readings differ on ill-formed sequences only, such as ``O I-PER``, which heads do produce.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """An entity: ``words[start:end]``, counted from 0 as Python does."""

    type: str
    start: int
    end: int


def iob2_to_spans(tags: Sequence[str], *, strict: bool = False) -> list[Span]:
    """Return the entities that a sequence of IOB2 tags marks.

    >>> iob2_to_spans(("B-PER", "I-PER", "O", "I-LOC"))
    [Span(type='PER', start=0, end=2), Span(type='LOC', start=3, end=4)]
    >>> iob2_to_spans(("B-PER", "I-PER", "O", "I-LOC"), strict=True)
    [Span(type='PER', start=0, end=2)]

    The default is the reading of CoNLL-2003's ``conlleval``: an ``I-X`` that continues no X
    begins one. The strict reading follows the definition of IOB2: only ``B-X`` begins an X, and
    an ``I-X`` that continues nothing is no entity.

    Raises:
        ValueError: if a tag is not ``O``, ``B-…`` or ``I-…``.
    """
    found: list[Span] = []
    open_: Span | None = None
    for position, tag in enumerate((*tags, "O")):
        prefix, type_ = _split(tag)
        if open_ and prefix == "I" and type_ == open_.type:
            continue
        if open_:
            found.append(open_._replace(end=position))
        begins = prefix == "B" or (prefix == "I" and not strict)
        open_ = Span(type_, position, position) if begins else None
    return found


def span_f1(pairs: Iterable[tuple[Sequence[str], Sequence[str]]], *, strict: bool) -> float:
    """Return the micro-averaged F1 over the spans of (gold, predicted) tag sequences.

    >>> span_f1([(("B-PER", "O", "B-LOC"), ("B-PER", "O", "B-PER"))], strict=False)
    0.5

    A predicted span is right if type, start and end are. Without any span, gold or predicted,
    F1 is undefined; it is reported as 0, as ``conlleval`` and seqeval do, so that a predictor
    that finds nothing is never rewarded.
    """
    correct = total = 0
    for gold, predicted in pairs:
        expected, given = (
            set(iob2_to_spans(gold, strict=strict)),
            set(iob2_to_spans(predicted, strict=strict)),
        )
        correct += len(expected & given)
        total += len(expected) + len(given)
    return 2 * correct / total if total else 0.0


def _split(tag: str) -> tuple[str, str]:
    prefix, _, type_ = tag.partition("-")
    if tag != "O" and not (prefix in ("B", "I") and type_):
        raise ValueError(f"{tag!r} is not an IOB2 tag: O, B-TYPE or I-TYPE")
    return prefix, type_
