"""Inputs of the conformance checks: random sentences, and batches of random word vectors."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from alignscope.data.sentence import Sentence
from alignscope.errors import TaskCheckError
from alignscope.tasks.task import Task

HIDDEN = 32
"""The size of the word vectors in the checks."""

_PADDING_VALUE = 100.0
"""The value of word vectors in the padding, so large that a task that reads them is noticed."""


def random_sentences(seed: int = 7) -> list[Sentence]:
    """Return seven well-formed sentences of 1 to 9 words with random annotations.

    >>> [len(sentence) for sentence in random_sentences()]
    [5, 1, 9, 2, 3, 7, 4]
    """
    rng = random.Random(seed)
    lengths = (5, 1, 9, 2, 3, 7, 4)
    return [_random_sentence(number, length, rng) for number, length in enumerate(lengths)]


def random_tree(words: int, rng: random.Random) -> tuple[int, ...]:
    """Return the heads of a random tree with a single root; 0 is the root, i the i-th word."""
    order = rng.sample(range(1, words + 1), words)
    head_of = {order[0]: 0}
    for position, word in enumerate(order[1:], start=1):
        head_of[word] = rng.choice(order[:position])
    return tuple(head_of[word] for word in range(1, words + 1))


def _random_sentence(number: int, length: int, rng: random.Random) -> Sentence:
    heads = random_tree(length, rng)
    relations = ("nsubj", "nsubj:pass", "obj", "obl:tmod", "punct")
    return Sentence(
        words=tuple(f"w{number}.{position}" for position in range(1, length + 1)),
        entities=_random_tags(length, rng),
        upos=tuple(rng.choices(("ADJ", "NOUN", "PUNCT", "VERB"), k=length)),
        heads=heads,
        relations=tuple(rng.choice(relations) if head else "root" for head in heads),
        xpos=tuple(rng.choices(("JJ", "NN", "VB"), k=length)),
        feats=tuple(rng.choices(("_", "Number=Plur", "Tense=Past"), k=length)),
        label=("news", "sport", "weather")[number % 3],
    )


def _random_tags(length: int, rng: random.Random) -> tuple[str, ...]:
    """Return well-formed IOB2 tags with at least one entity."""
    tags = ["B-PER"]
    for _ in range(length - 1):
        tag = rng.choice(("O", "B-LOC", "B-PER"))
        continues = tag == "O" and tags[-1] != "O" and rng.random() < 0.5
        tags.append(f"I-{tags[-1][2:]}" if continues else tag)
    return tuple(tags)


@dataclass(frozen=True)
class CheckBatch:
    """Gold sentences as the training loop passes them to a task, with random word vectors."""

    sentences: Sequence[Sentence]
    labels: tuple[str, ...]
    vectors: Tensor
    """(sentences, words, HIDDEN)"""
    mask: Tensor
    """(sentences, words), true where there is a word"""
    gold: Mapping[str, Tensor]

    @classmethod
    def of(cls, task: Task, sentences: Sequence[Sentence], padding: int = 0) -> "CheckBatch":
        """Make a batch with ``padding`` more columns than the longest sentence has words."""
        labels, lengths = task.labels(sentences), [len(sentence) for sentence in sentences]
        width = max(lengths) + padding
        vectors = torch.full((len(sentences), width, HIDDEN), _PADDING_VALUE)
        for row, sentence in enumerate(sentences):
            for column, word in enumerate(sentence.words):
                vectors[row, column] = _vector_of(word)
        encoded = [task.encode(sentence, labels) for sentence in sentences]
        gold = {
            name: torch.tensor([ids[name] + [0] * (width - len(ids[name])) for ids in encoded])
            for name in encoded[0]
        }
        mask = torch.arange(width) < torch.tensor(lengths)[:, None]
        return cls(sentences, labels, vectors, mask, gold)

    def only(self, row: int) -> "CheckBatch":
        """Return a batch of one of the sentences, without padding."""
        selected, length = slice(row, row + 1), len(self.sentences[row])
        gold = {name: ids[selected, :length] for name, ids in self.gold.items()}
        vectors, mask = self.vectors[selected, :length], self.mask[selected, :length]
        return CheckBatch(self.sentences[selected], self.labels, vectors, mask, gold)

    def loss(self, task: Task, head: nn.Module) -> Tensor:
        """Return the loss of a head on the batch."""
        return task.loss(head(self.vectors, self.mask), self.gold, self.mask)


def new_head(task: Task, labels: Sequence[str], seed: int = 0) -> nn.Module:
    """Return a new head in evaluation mode, as a function of the seed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return task.head(HIDDEN, labels).eval()


def predict(task: Task, head: nn.Module, batch: CheckBatch) -> list[Sentence]:
    """Return the sentences of a batch with the annotations that a head predicts, and no others."""
    with torch.no_grad():
        output = head(batch.vectors, batch.mask)
    annotations = task.decode(output, [len(sentence) for sentence in batch.sentences], batch.labels)
    if len(annotations) != len(batch.sentences):
        raise TaskCheckError(
            f"The task does not fulfil its contract: decode returned {len(annotations)} "
            f"predictions for {len(batch.sentences)} sentences."
        )
    return [
        Sentence(sentence.words, annotations=predicted)
        for sentence, predicted in zip(batch.sentences, annotations, strict=True)
    ]


def _vector_of(word: str) -> Tensor:
    """Return a random vector, always the same for the same word."""
    seed = int.from_bytes(word.encode(), "big") % 2**31
    return torch.randn(HIDDEN, generator=torch.Generator().manual_seed(seed))
