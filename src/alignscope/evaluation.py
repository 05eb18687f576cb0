"""Predictions: sentences in, sentences with predicted annotations out."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from alignscope.batching import Example, collate
from alignscope.buckets import plan_batches
from alignscope.data.sentence import Sentence
from alignscope.model import Model
from alignscope.precision import autocast, single
from alignscope.study import Training
from alignscope.subwords import Subwords
from alignscope.tasks.task import Task

EXAMPLE_WORDS = 30
"""An example is a sentence that a person reads at a glance."""


@dataclass(frozen=True)
class Predictions:
    """Predicted sentences in the order asked, and how many needed special care."""

    sentences: list[Sentence]
    windowed: int
    """Sentences longer than the encoder's input, read in consecutive chunks."""
    cut: int
    """Words longer than a whole input."""
    unknown: int
    """Words read as the unknown token."""


@torch.inference_mode()
def predict(
    model: Model,
    task: Task,
    labels: Sequence[str],
    sentences: Sequence[Sentence],
    subwords: Subwords,
    training: Training,
    device: torch.device,
) -> Predictions:
    """Predict every word of every sentence; batching and padding do not change a prediction."""
    model.eval()
    examples = [Example(pieces, {}) for pieces in subwords.split(sentences)]
    predicted: list[Sentence | None] = [None] * len(sentences)
    for group in plan_batches([example.cost for example in examples], 4 * training.batch_pieces):
        batch = collate([examples[i] for i in group], subwords.pad, training.pooling).to(device)
        with autocast(model.encoder, training.precision):
            output = model(batch)
        lengths = [len(sentences[i]) for i in group]
        for i, annotations in zip(group, task.decode(single(output), lengths, labels), strict=True):
            predicted[i] = dataclasses.replace(sentences[i], **annotations)
    return Predictions(
        [sentence for sentence in predicted if sentence is not None],
        windowed=sum(example.pieces.windowed for example in examples),
        cut=sum(example.pieces.cut for example in examples),
        unknown=sum(example.pieces.unknown for example in examples),
    )


def example(
    task: Task, gold: Sequence[Sentence], predicted: Sequence[Sentence]
) -> dict[str, Any] | None:
    """Show what a prediction is: one sentence, and what every word of it should and did get.

    >>> gold = Sentence(words=("Dogs", "bark"), upos=("NOUN", "VERB"), id="1")
    >>> wrong = dataclasses.replace(gold, upos=("NOUN", "NOUN"))
    >>> example(TASKS["pos"], [gold], [wrong])["predicted"]
    ['NOUN', 'NOUN']

    It is the first of at most 30 words; None where there is none.
    """
    for one, other in zip(gold, predicted, strict=True):
        if len(one) <= EXAMPLE_WORDS:
            return {
                "sentence": one.id,
                "words": list(one.words),
                "gold": _labels(task, one),
                "predicted": _labels(task, other),
            }
    return None


def _labels(task: Task, sentence: Sentence) -> list[str]:
    """What a task says of each word, such as ``NOUN`` or ``2 nsubj``."""
    fields = [getattr(sentence, name) for name in task.needs]
    return [" ".join(map(str, word)) for word in zip(*fields, strict=True)]
