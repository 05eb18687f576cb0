"""Sentence classification: scores as scikit-learn defines them, pooling, and labels."""

import pytest
import torch

from alignscope.data.sentence import Sentence
from alignscope.data.synthetic.corpus import read_synthetic
from alignscope.encoders.load import load_tokenizer
from alignscope.encoders.tokenization import WordTokenizer
from alignscope.errors import DataError
from alignscope.tasks import TASKS
from alignscope.tasks.classification import MeanPoolingHead

CLASSIFICATION = TASKS["classification"]


def labelled(*labels: str) -> list[Sentence]:
    return [Sentence((f"w{number}",), label=label) for number, label in enumerate(labels)]


def test_macro_f1_is_the_mean_over_gold_and_predicted_labels() -> None:
    gold, predicted = labelled("a", "a", "a", "b", "c"), labelled("a", "a", "b", "b", "d")
    scores = CLASSIFICATION.score(gold, predicted)
    # F1: a 2·2/(3+2), b 2·1/(1+2), c 0, d 0; equal to f1_score(average="macro") of scikit-learn.
    assert scores == {"accuracy": 0.6, "macro_f1": pytest.approx((4 / 5 + 2 / 3) / 4)}


def test_a_label_that_the_source_lacks_has_no_loss_but_counts_as_an_error() -> None:
    labels = CLASSIFICATION.labels(labelled("a", "b"))
    assert CLASSIFICATION.encode(labelled("c")[0], labels) == {"label": [-100]}
    output = torch.tensor([[3.0, 1.0], [0.0, 9.0]])
    mask = torch.ones(2, 4).bool()
    gold = torch.zeros(2, 4, dtype=torch.long)
    gold[1, 0] = -100
    known = CLASSIFICATION.loss(output[:1], {"label": gold[:1]}, mask[:1])
    assert torch.equal(CLASSIFICATION.loss(output, {"label": gold}, mask), known)
    assert CLASSIFICATION.score(labelled("c"), labelled("a")) == {"accuracy": 0, "macro_f1": 0}


def test_the_head_pools_the_mean_of_the_words() -> None:
    head = MeanPoolingHead(hidden=4, labels=2).eval()
    words = torch.randn(1, 3, 4)
    expected = head.linear(words[0, :2].mean(0))
    torch.testing.assert_close(head(words, torch.tensor([[True, True, False]]))[0], expected)


def test_scoring_zero_sentences_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"^Nothing can be scored, because there are no sentences\."
    ):
        CLASSIFICATION.score([], [])


def test_the_majority_baseline_predicts_the_most_frequent_label() -> None:
    baseline = CLASSIFICATION.majority(labelled("b", "a", "b"))
    assert baseline(Sentence(("x", "y"))).label == "b"


def test_topics_are_the_same_in_every_synthetic_language() -> None:
    vesti, qadir = (read_synthetic(name, "news", "dev") for name in ("vesti", "qadir"))
    assert [sentence.label for sentence in vesti] == [sentence.label for sentence in qadir]
    assert {sentence.label for sentence in vesti} == {
        *("politics", "business", "sport", "nature", "travel"),
    }


def test_a_pair_is_read_with_a_separator_between_its_sentences() -> None:
    tokenizer = WordTokenizer(load_tokenizer("embedded"), max_length=32)
    separator = tokenizer.tokenizer.sep_token_id
    plain, pair = tokenizer.split(
        [Sentence(("Tavu", "ori", "Tavu")), Sentence(("Tavu", "ori", "Tavu"), second_start=2)]
    )
    (expected,) = tokenizer.tokenizer.backend_tokenizer.encode_batch([("Tavu ori", "Tavu")])
    assert pair.chunks == (tuple(expected.ids),)
    assert plain.chunks[0].count(separator) == 1
    assert pair.chunks[0].count(separator) == 2
    for (_, start, end), (_, pair_start, pair_end) in zip(plain.spans, pair.spans, strict=True):
        assert plain.chunks[0][start:end] == pair.chunks[0][pair_start:pair_end]


def test_a_pair_that_is_too_long_is_split_and_counted() -> None:
    tokenizer = WordTokenizer(load_tokenizer("embedded"), max_length=8)
    words = ("Tavu", "ori") * 4
    for start in range(1, len(words)):
        (pair,) = tokenizer.split([Sentence(words, second_start=start)])
        assert pair.is_split
        assert len(pair.spans) == len(words)
        assert all(len(chunk) <= 8 for chunk in pair.chunks)
