"""Scores, trees and relations of the parser; LAS and UAS equal those of the official scorer."""

import gzip
import io
import random
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
import torch
from udtools.udeval import evaluate, load_conllu

from alignscope.data.conllu import read_conllu, write_conllu
from alignscope.data.sentence import Sentence
from alignscope.data.tree import check_tree
from alignscope.errors import DataError
from alignscope.tasks import TASKS
from alignscope.tasks.biaffine import BiaffineHead, BiaffineOutput, relation_scores
from alignscope.tasks.parsing import DependencyParsing

PARSING = TASKS["parsing"]
Tree = Callable[[int, random.Random], tuple[int, ...]]


def output(batch: int, words: int, relations: int, seed: int = 0) -> BiaffineOutput:
    torch.manual_seed(seed)
    head = BiaffineHead(16, relations).eval()
    with torch.no_grad():
        scored = head(torch.randn(batch, words, 16), torch.ones(batch, words).bool())
    assert isinstance(scored, BiaffineOutput)
    return scored


def test_scores_have_the_documented_shapes() -> None:
    scored = output(batch=2, words=5, relations=3)
    assert scored.arcs.shape == (2, 5, 6)
    assert relation_scores(scored, torch.zeros(2, 5, dtype=torch.long)).shape == (2, 5, 3)


def test_arc_scores_follow_the_equations() -> None:
    """The reference computes equations 4-6 for one pair at a time, without appending a 1."""
    head, words, scored = scored_sentence()
    nodes = torch.cat((head.root.vector[None], words[0]))
    bilinear, prior = head.arc.weight.T[:-1], head.arc.weight.T[-1]
    for d, h in product(range(3), range(4)):
        dependent, candidate = head.arc_dependent(words[0, d]), head.arc_head(nodes[h])
        expected = dependent @ bilinear @ candidate + prior @ candidate
        if h != d + 1:
            torch.testing.assert_close(scored.arcs[0, d, h], expected)


def test_relation_scores_follow_the_equations() -> None:
    """The reference is equation 3: a bilinear term, two linear ones and a bias."""
    head, words, scored = scored_sentence()
    nodes, heads = torch.cat((head.root.vector[None], words[0])), (2, 0, 1)
    labelled = relation_scores(scored, torch.tensor([heads]))
    weights = head.relation.weight.unflatten(0, (-1, head.RELATION + 1)).transpose(1, 2)
    for (d, h), (r, weight) in product(enumerate(heads), enumerate(weights)):
        dependent, candidate = head.relation_dependent(words[0, d]), head.relation_head(nodes[h])
        linear = weight[:-1, -1] @ dependent + weight[-1, :-1] @ candidate + weight[-1, -1]
        expected = dependent @ weight[:-1, :-1] @ candidate + linear
        torch.testing.assert_close(labelled[0, d, r], expected)


def scored_sentence() -> tuple[BiaffineHead, torch.Tensor, BiaffineOutput]:
    torch.manual_seed(1)
    head = BiaffineHead(6, 2).eval().double()
    words = torch.randn(1, 3, 6, dtype=torch.double)
    return head, words, head(words, torch.ones(1, 3).bool())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_padding_and_the_word_itself_are_never_heads_in_any_precision(dtype: torch.dtype) -> None:
    head = BiaffineHead(16, 3).eval().to(dtype)
    mask = torch.tensor([[True, True, True, False]])
    arcs = head(torch.randn(1, 4, 16, dtype=dtype), mask).arcs
    lowest = torch.finfo(dtype).min
    impossible = [[False, True, False, False, True], [False, False, True, False, True]]
    assert (arcs[0, :2] == lowest).tolist() == impossible
    assert arcs.isfinite().all()
    loss = PARSING.loss(
        head(torch.randn(1, 4, 16, dtype=dtype), mask),
        {"heads": torch.tensor([[2, 0, 1, 0]]), "relations": torch.tensor([[1, 2, 0, 0]])},
        mask,
    )
    assert loss.isfinite()


@pytest.mark.parametrize("seed", range(10))
def test_decoded_trees_have_one_root_with_the_relation_root(seed: int) -> None:
    labels = ("nsubj", "obj", "root")
    lengths = [8, 1, 5]
    for length, predicted in zip(
        lengths, PARSING.decode(output(3, 8, 3, seed), lengths, labels), strict=True
    ):
        assert len(predicted["heads"]) == len(predicted["relations"]) == length
        check_tree(predicted["heads"])
        for head, relation in zip(predicted["heads"], predicted["relations"], strict=True):
            assert (relation == "root") == (head == 0)


def test_relations_are_the_best_at_the_chosen_heads() -> None:
    labels, lengths = ("nsubj", "obj", "root"), [6]
    scored = output(1, 6, 3, seed=4)
    (predicted,) = PARSING.decode(scored, lengths, labels)
    scores = relation_scores(scored, torch.tensor([predicted["heads"]]))[0]
    predicted_arcs = zip(predicted["heads"], predicted["relations"], scores, strict=True)
    for head, relation, row in predicted_arcs:
        assert relation == ("root" if head == 0 else labels[int(row[:2].argmax())])
    assert len(set(predicted["relations"])) == 3


def test_labels_are_universal_relations_and_root(gold: list[Sentence]) -> None:
    assert PARSING.labels(gold) == ("nsubj", "obj", "obl", "punct", "root")
    with pytest.raises(DataError, match="but all words are roots"):
        PARSING.labels([Sentence(words=("Go",), heads=(0,), relations=("root",))])


def parsed(heads: tuple[int, ...], *relations: str) -> Sentence:
    return Sentence(words=("w",) * len(heads), heads=heads, relations=relations)


def test_encode_strips_subtypes_and_ignores_unknown_relations() -> None:
    sentence = parsed((2, 0, 2), "nsubj:pass", "root", "vocative")
    assert PARSING.encode(sentence, ("nsubj", "root")) == {
        "heads": [2, 0, 2],
        "relations": [0, 1, -100],
    }


def test_the_majority_baseline_attaches_words_at_the_most_frequent_distance() -> None:
    train = [parsed((2, 3, 0, 3), "det", "det", "root", "obj"), parsed((2, 0), "nsubj:x", "root")]
    predictor = PARSING.majority(train)
    assert predictor(parsed((0,), "root")).heads == (0,)
    four = predictor(Sentence(words=("a", "b", "c", "d")))
    assert four.heads == (2, 3, 4, 0)
    assert four.relations == ("det", "det", "det", "root")


@pytest.mark.parametrize(
    ("distance", "heads"),
    [(1, (2, 3, 4, 0)), (2, (3, 4, 4, 0)), (-1, (0, 1, 2, 3)), (-3, (0, 1, 1, 1))],
)
def test_the_majority_baseline_attaches_words_at_the_edge_to_the_root(
    distance: int, heads: tuple[int, ...]
) -> None:
    predicted = PARSING.majority([at_distance(distance)])(Sentence(words=("w",) * 4))
    assert predicted.heads == heads


@pytest.mark.parametrize("distance", [-3, -2, -1, 1, 2, 3])
@pytest.mark.parametrize("words", [1, 2, 3, 4, 5, 9])
def test_the_majority_baseline_always_predicts_a_tree(distance: int, words: int) -> None:
    predicted = PARSING.majority([at_distance(distance)])(Sentence(words=("w",) * words))
    assert predicted.heads is not None
    check_tree(predicted.heads)
    assert predicted.relations is not None
    assert sorted(predicted.relations) == ["obj"] * (words - 1) + ["root"]


def at_distance(distance: int) -> Sentence:
    """Return a sentence whose most frequent distance to the head is this one."""
    heads = tuple(i + distance if 0 < i + distance < 20 else 0 for i in range(1, 20))
    return parsed(heads, *("obj" if head else "root" for head in heads))


def corrupt(sentence: Sentence, draw: random.Random, tree: Tree) -> Sentence:
    """Return the sentence with some errors: random trees, relations and subtypes."""
    assert sentence.heads is not None
    assert sentence.relations is not None
    heads = tree(len(sentence), draw) if draw.random() < 0.4 else sentence.heads
    pool = ("root", "nsubj", "nsubj:pass", "punct", "obl:arg", "flat")
    relations = [draw.choice(pool) if draw.random() < 0.4 else gold for gold in sentence.relations]
    relations = [f"{name}:new" if draw.random() < 0.1 else name for name in relations]
    return replace(sentence, heads=heads, relations=tuple(relations))


def official(gold: str, predicted: str) -> dict[str, float]:
    scores = evaluate(*(load_conllu(io.StringIO(text), "", {}) for text in (gold, predicted)))
    assert scores["Words"].f1 == 1
    return {"las": scores["LAS"].f1, "uas": scores["UAS"].f1}


@pytest.mark.parametrize("language", ["ar", "cs", "en", "it", "zh"])
def test_scores_equal_those_of_the_official_script(
    language: str, treebanks: Path, tmp_path: Path, tree: Tree
) -> None:
    with gzip.open(
        treebanks / f"{language}_pud" / "test.conllu.gz", "rt", encoding="utf-8"
    ) as file:
        text = "\n\n".join(file.read().split("\n\n")[:150]) + "\n\n"
    (tmp_path / "gold.conllu").write_text(text, encoding="utf-8")
    gold = read_conllu(tmp_path / "gold.conllu")
    assert len(gold) == 150
    draw = random.Random(language)
    predicted = [corrupt(sentence, draw, tree) for sentence in gold]
    write_conllu(predicted, tmp_path / "predicted.conllu")
    scores = PARSING.score(gold, predicted)
    written = (tmp_path / "predicted.conllu").read_text(encoding="utf-8")
    assert scores == pytest.approx(official(text, written), abs=1e-12)
    assert 0.1 < scores["las"] < scores["uas"] < 0.9


def test_las_is_never_above_uas(gold: list[Sentence], tree: Tree) -> None:
    for seed in range(50):
        draw = random.Random(seed)
        scores = DependencyParsing().score(
            gold, [corrupt(sentence, draw, tree) for sentence in gold]
        )
        assert scores["las"] <= scores["uas"]


def test_a_correct_relation_at_a_wrong_head_counts_as_an_error() -> None:
    gold, wrong = parsed((2, 0, 2), "obj", "root", "obj"), parsed((2, 0, 1), "obj", "root", "obj")
    assert PARSING.score([gold], [wrong]) == {"las": 2 / 3, "uas": 2 / 3}
