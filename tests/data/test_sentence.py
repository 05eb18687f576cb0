"""Sentences have annotations of any name, for each word or for the whole sentence."""

import pickle
from dataclasses import replace

import pytest

from alignscope.data.sentence import Sentence, text_for_checksum

DOGS = Sentence(("Dogs", "bark"), upos=("NOUN", "VERB"), label="animals")


def test_an_annotation_of_any_name_is_kept() -> None:
    sentence = Sentence(("Dogs", "bark"), None, {"stress": (1, 0)})
    assert sentence.annotations == {"stress": (1, 0)}
    assert sentence == Sentence(("Dogs", "bark"), stress=(1, 0))


@pytest.mark.parametrize(
    "wrong",
    [{"stress": (1,)}, {"misc": ("_",)}, {"heads": (2, 0, 2)}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_an_annotation_without_one_entry_per_word_is_refused(
    wrong: dict[str, tuple[int, ...]],
) -> None:
    with pytest.raises(ValueError, match="but the sentence has 2 words"):
        Sentence(("Dogs", "bark"), **wrong)  # type: ignore[arg-type]


def test_an_annotation_of_the_whole_sentence_is_a_string() -> None:
    assert (DOGS.label, DOGS.upos, DOGS.entities) == ("animals", ("NOUN", "VERB"), None)
    assert Sentence(("a",), label=("x",)).label is None  # a label for each word


@pytest.mark.parametrize("start", [0, 2, -1])
def test_a_pair_with_an_empty_sentence_is_refused(start: int) -> None:
    assert Sentence(("Dogs", "bark"), second_start=1).second_start == 1
    with pytest.raises(ValueError, match=f"second_start is {start}, but must be between 1 and 1"):
        Sentence(("Dogs", "bark"), second_start=start)


def test_other_annotations_are_kept_when_one_is_replaced() -> None:
    changed = DOGS.annotate(upos=("X", "X"), label=None)
    assert changed.annotations == {"upos": ("X", "X")}
    assert replace(DOGS, id="1").annotations == DOGS.annotations
    assert DOGS.label == "animals"


def test_a_sentence_can_be_hashed_and_sent_to_another_process() -> None:
    copy = pickle.loads(pickle.dumps(DOGS))
    assert (copy, hash(copy)) == (DOGS, hash(DOGS))


def test_the_text_for_checksums_leaves_new_annotations_out() -> None:
    plain = text_for_checksum(replace(DOGS, annotations={"upos": ("NOUN", "VERB")}))
    assert plain == (
        "Sentence(words=('Dogs', 'bark'), id=None, upos=('NOUN', 'VERB'), heads=None, "
        "relations=None, entities=None, misc=None, comments=(), ranges=(), empty=())"
    )
    assert text_for_checksum(DOGS) == plain
