"""Spans and F1 equal those of seqeval, in lenient and strict mode."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import f1_score
from seqeval.scheme import IOB2, Tokens

from alignscope.data.sentence import Sentence
from alignscope.tasks import TASKS
from alignscope.tasks.spans import iob2_to_spans

NER = TASKS["ner"]
TAGS = st.sampled_from(("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-A-B", "I-A-B"))
PAIRS = st.lists(st.lists(st.tuples(TAGS, TAGS), min_size=1, max_size=8), min_size=1, max_size=4)


def sentences(tags: list[list[str]]) -> list[Sentence]:
    return [Sentence(words=("w",) * len(row), entities=tuple(row)) for row in tags]


def repair(tags: list[str]) -> list[str]:
    """Make a tag sequence well-formed: an I- that continues nothing becomes B-."""
    repaired: list[str] = []
    for tag in tags:
        before = repaired[-1][2:] if repaired else ""
        repaired.append("B-" + tag[2:] if tag[0] == "I" and before != tag[2:] else tag)
    return repaired


def check_against_seqeval(gold: list[list[str]], predicted: list[list[str]]) -> None:
    scores = NER.score(sentences(gold), sentences(predicted))
    # Without zero_division=0 seqeval warns about scores of 0 / 0.
    lenient = f1_score(gold, predicted, zero_division=0)
    strict = f1_score(gold, predicted, mode="strict", scheme=IOB2, zero_division=0)
    assert scores == pytest.approx({"f1": lenient, "f1_strict": strict})


@given(PAIRS)
@settings(max_examples=200, deadline=None)
def test_f1_equals_that_of_seqeval_on_any_tags(rows: list[list[tuple[str, str]]]) -> None:
    gold = [[tag for tag, _ in row] for row in rows]
    check_against_seqeval(gold, [[tag for _, tag in row] for row in rows])


@given(PAIRS)
@settings(max_examples=50, deadline=None)
def test_lenient_and_strict_f1_are_equal_on_well_formed_tags(
    rows: list[list[tuple[str, str]]],
) -> None:
    gold = [repair([tag for tag, _ in row]) for row in rows]
    predicted = [repair([tag for _, tag in row]) for row in rows]
    check_against_seqeval(gold, predicted)
    scores = NER.score(sentences(gold), sentences(predicted))
    assert scores["f1"] == scores["f1_strict"]


@given(st.lists(TAGS, min_size=1, max_size=12))
@settings(max_examples=100, deadline=None)
def test_strict_spans_equal_those_of_seqeval(tags: list[str]) -> None:
    expected = [(entity.tag, entity.start, entity.end) for entity in Tokens(tags, IOB2).entities]
    assert iob2_to_spans(tags, strict=True) == expected


def test_spans_end_with_their_sentence() -> None:
    gold, predicted = sentences([["B-PER"], ["I-PER"]]), sentences([["B-PER"], ["B-PER"]])
    assert NER.score(gold, predicted) == {"f1": 1.0, "f1_strict": pytest.approx(2 / 3)}


def test_without_any_span_f1_is_zero() -> None:
    nothing = sentences([["O", "O"]])
    assert NER.score(nothing, nothing) == {"f1": 0.0, "f1_strict": 0.0}


def test_a_type_that_the_source_lacks_counts_as_missed() -> None:
    gold, predicted = sentences([["B-EVENT", "B-PER"]]), sentences([["O", "B-PER"]])
    assert NER.score(gold, predicted)["f1"] == pytest.approx(2 / 3)


def test_the_majority_baseline_predicts_no_entity() -> None:
    train = sentences([["B-PER", "O", "O"]])
    predicted = NER.majority(train)(train[0])
    assert predicted.entities == ("O", "O", "O")
    assert NER.score(train, [predicted])["f1"] == 0


@pytest.mark.parametrize("tag", ["E-PER", "PER", "B-", "B", "", "O-PER"])
def test_tags_that_are_not_iob2_are_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="is not an IOB2 tag"):
        iob2_to_spans(("O", tag))
