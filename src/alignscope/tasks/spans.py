"""Convert IOB2 tags to entity spans, leniently or strictly, and compute their F1.

Both readings are common. They differ only on ill-formed sequences such as ``O I-PER``, which heads
may predict.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """An entity: ``words[start:end]``, counted from 0 as Python does."""

    type: str
    start: int
    end: int


def iob2_to_spans(tags: Sequence[str], *, strict: bool = False) -> list[Span]:
    """Return the entities in a sequence of IOB2 tags.

    >>> iob2_to_spans(("B-PER", "I-PER", "O", "I-LOC"))
    [Span(type='PER', start=0, end=2), Span(type='LOC', start=3, end=4)]
    >>> iob2_to_spans(("B-PER", "I-PER", "O", "I-LOC"), strict=True)
    [Span(type='PER', start=0, end=2)]

    The default is the reading of ``conlleval`` (CoNLL-2003): an ``I-X`` that continues no X begins
    an entity. The strict reading follows the definition of IOB2: only ``B-X`` begins an entity, and
    an ``I-X`` that continues no X is ignored.

    Raises:
        ValueError: if a tag is not ``O``, ``B-…`` or ``I-…``.
    """
    spans: list[Span] = []
    current: Span | None = None
    for position, tag in enumerate((*tags, "O")):
        prefix, type_ = _split_tag(tag)
        if current and prefix == "I" and type_ == current.type:
            continue
        if current:
            spans.append(current._replace(end=position))
        begins = prefix == "B" or (prefix == "I" and not strict)
        current = Span(type_, position, position) if begins else None
    return spans


def span_f1(pairs: Iterable[tuple[Sequence[str], Sequence[str]]], *, strict: bool) -> float:
    """Return the micro-averaged F1 over the spans of (gold, predicted) tag sequences.

    >>> span_f1([(("B-PER", "O", "B-LOC"), ("B-PER", "O", "B-PER"))], strict=False)
    0.5

    A predicted span is correct if its type, start and end are. If there is no span, neither gold
    nor predicted, F1 is undefined; the function returns 0, as ``conlleval`` and seqeval do, so that
    a predictor without predictions is never rewarded.
    """
    counts = span_counts(pairs, strict=strict)
    correct, total = (sum(column) for column in zip((0, 0), *counts, strict=True))
    return correct / total if total else 0.0


def span_counts(
    pairs: Iterable[tuple[Sequence[str], Sequence[str]]], *, strict: bool
) -> list[tuple[int, int]]:
    """Return the numerator and the denominator of F1 for each (gold, predicted) tag sequence.

    >>> span_counts([(("B-PER", "O", "B-LOC"), ("B-PER", "O", "B-PER"))], strict=False)
    [(2, 4)]

    The numerator is twice the number of correct spans, the denominator the number of gold spans
    and predicted spans.
    """
    counts = []
    for gold, predicted in pairs:
        gold_spans = set(iob2_to_spans(gold, strict=strict))
        predicted_spans = set(iob2_to_spans(predicted, strict=strict))
        total = len(gold_spans) + len(predicted_spans)
        counts.append((2 * len(gold_spans & predicted_spans), total))
    return counts


def _split_tag(tag: str) -> tuple[str, str]:
    prefix, _, type_ = tag.partition("-")
    if tag != "O" and not (prefix in ("B", "I") and type_):
        raise ValueError(f"{tag!r} is not an IOB2 tag. Use O, B-TYPE or I-TYPE.")
    return prefix, type_
