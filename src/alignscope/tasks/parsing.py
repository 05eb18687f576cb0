"""Dependency parsing: a head and a relation for every word, with a biaffine parser."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from operator import eq

import numpy as np
import torch
from torch import Tensor

from alignscope.data.sentence import Sentence
from alignscope.errors import DataError
from alignscope.tasks.annotations import get_annotation, pair_sentences, ratio
from alignscope.tasks.biaffine import BiaffineHead, BiaffineOutput, relation_scores
from alignscope.tasks.chu_liu_edmonds import maximum_arborescence
from alignscope.tasks.label_ids import cross_entropy, most_frequent, to_label_ids
from alignscope.tasks.task import Annotations

ROOT = "root"
"""The relation of the word whose head is 0, and of no other."""


class DependencyParsing:
    """Dependency trees with universal relations, scored by LAS and UAS.

    >>> gold = Sentence(words=("Dogs", "bark"), heads=(2, 0), relations=("nsubj", "root"))
    >>> wrong = Sentence(words=("Dogs", "bark"), heads=(2, 0), relations=("obj", "root"))
    >>> DependencyParsing().score([gold], [wrong])
    {'las': 0.5, 'uas': 1.0}

    Heads are numbered as in CoNLL-U: 0 is the root, i the i-th word. Subtypes of relations
    (``nsubj:pass``) are neither learned nor scored. The methods fulfil the protocol
    ``alignscope.tasks.task.Task``.
    """

    name = "parsing"
    needs: tuple[str, ...] = ("heads", "relations")
    metrics: tuple[str, ...] = ("las", "uas")

    def labels(self, train: Sequence[Sentence]) -> tuple[str, ...]:
        """Return the universal relations of the source and ``root``, sorted.

        Raises:
            DataError: if no word of the source has another word as its head.
        """
        relations = {relation for _, relation in _arcs_between_words(train)}
        return tuple(sorted({*relations, ROOT}))

    def head(self, hidden: int, labels: Sequence[str]) -> BiaffineHead:
        """Return a new biaffine head."""
        return BiaffineHead(hidden, len(labels))

    def encode(self, sentence: Sentence, labels: Sequence[str]) -> dict[str, list[int]]:
        """Return the heads, and the class numbers of the universal relations."""
        relations = [strip_subtype(relation) for relation in get_annotation(sentence, "relations")]
        return {
            "heads": list(get_annotation(sentence, "heads")),
            "relations": to_label_ids(relations, labels),
        }

    def loss(self, output: BiaffineOutput, gold: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        """Return the mean cross entropy of heads, plus that of relations at the gold heads."""
        arcs = cross_entropy(output.arcs, gold["heads"], mask)
        relations = relation_scores(output, gold["heads"])
        return arcs + cross_entropy(relations, gold["relations"], mask)

    def decode(
        self, output: BiaffineOutput, lengths: Sequence[int], labels: Sequence[str]
    ) -> list[Annotations]:
        """Return the best tree with a single root, then the best relation at each chosen head.

        The arc from 0 gets the relation ``root``, and no other arc does, as in the gold trees of
        UD. Where a head is right, this rule can correct a relation but never spoil one, so it
        cannot lower LAS, neither here nor in the official script.
        """
        heads = _trees(output.arcs, lengths)
        scores = relation_scores(output, heads.to(output.arcs.device)).detach().cpu()
        scores[..., labels.index(ROOT)] = -torch.inf
        best = scores.argmax(dim=-1).masked_fill(heads == 0, labels.index(ROOT)).tolist()
        return [
            {
                "heads": tuple(row[:length]),
                "relations": tuple(labels[number] for number in best_row[:length]),
            }
            for row, best_row, length in zip(heads.tolist(), best, lengths, strict=True)
        ]

    def score(self, gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> dict[str, float]:
        """Return the labelled and the unlabelled attachment score over all words.

        As in the CoNLL 2018 shared task and the official script, punctuation counts, and subtypes
        are ignored in gold and predicted relations. LAS is never above UAS.

        Raises:
            ValueError: if gold and predicted do not have the same words.
            DataError: if there are no words, or a sentence has no heads or relations.
        """
        words = labelled = unlabelled = 0
        for sentence, prediction in pair_sentences(gold, predicted):
            for gold_arc, arc in zip(_arcs(sentence), _arcs(prediction), strict=True):
                words += 1
                unlabelled += gold_arc[0] == arc[0]
                labelled += gold_arc == arc
        return {"las": ratio(labelled, words), "uas": ratio(unlabelled, words)}

    def sentence_counts(
        self, gold: Sequence[Sentence], predicted: Sequence[Sentence]
    ) -> list[tuple[int, int]]:
        """Return the words with the right head and relation, and all words, of every sentence."""
        pairs = [(_arcs(a), _arcs(b)) for a, b in pair_sentences(gold, predicted)]
        return [(sum(map(eq, *arcs)), len(arcs[0])) for arcs in pairs]

    def majority(self, train: Sequence[Sentence]) -> Callable[[Sentence], Sentence]:
        """Return the predictor that attaches every word at the source's most frequent distance.

        At distance +1 the head is the next word, and the last word, which has no next word,
        becomes the root. At +2 the last but one word has no head either and attaches to the last.
        For any distance, the root is the word at the end of the sentence to which arcs point, and
        words whose head would be outside the sentence attach to it. All other arcs point towards
        the root, so the result is a tree with a single root. All words but the root get the
        relation that is most frequent at that distance.

        Raises:
            DataError: if no word of the source has another word as its head.
        """
        arcs = _arcs_between_words(train)
        distance = most_frequent(Counter(distance for distance, _ in arcs))
        relation = most_frequent(Counter(name for steps, name in arcs if steps == distance))
        return lambda sentence: _chain(sentence, distance, relation)


def strip_subtype(relation: str) -> str:
    """Return a relation without its subtype.

    >>> strip_subtype("nsubj:pass")
    'nsubj'
    """
    return relation.partition(":")[0]


def _arcs(sentence: Sentence) -> list[tuple[int, str]]:
    """Return the head and the universal relation of each word."""
    heads, relations = get_annotation(sentence, "heads"), get_annotation(sentence, "relations")
    return [
        (head, strip_subtype(relation)) for head, relation in zip(heads, relations, strict=True)
    ]


def _arcs_between_words(train: Sequence[Sentence]) -> list[tuple[int, str]]:
    """Return (head - word, universal relation) of every word that has another word as its head."""
    arcs = [
        (head - word, relation)
        for sentence in train
        for word, (head, relation) in enumerate(_arcs(sentence), start=1)
        if head
    ]
    if not arcs:
        raise DataError("The task parsing needs arcs between words, but all words are roots.")
    return arcs


def _trees(arcs: Tensor, lengths: Sequence[int]) -> Tensor:
    """Return the heads of each sentence on the CPU, (batch, words), with 0 in the padding."""
    scores = arcs.detach().cpu().double().numpy()
    heads = np.zeros(scores.shape[:2], dtype=np.int64)
    for row, length in enumerate(lengths):
        heads[row, :length] = maximum_arborescence(scores[row, :length, : length + 1])
    return torch.from_numpy(heads)


def _chain(sentence: Sentence, distance: int, relation: str) -> Sentence:
    """Attach every word at one distance, as described in ``DependencyParsing.majority``."""
    root = len(sentence) if distance > 0 else 1
    heads = [
        0 if word == root else word + distance if 1 <= word + distance <= len(sentence) else root
        for word in range(1, len(sentence) + 1)
    ]
    relations = [relation if head else ROOT for head in heads]
    return sentence.annotate(heads=tuple(heads), relations=tuple(relations))
