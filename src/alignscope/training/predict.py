"""Predictions: sentences in, sentences with predicted annotations out."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from alignscope.config.run import TrainingConfig
from alignscope.data.sentence import Sentence
from alignscope.encoders.batching import EncodedSentence, bucket_by_length, collate
from alignscope.encoders.precision import autocast, to_float32
from alignscope.encoders.tokenization import WordTokenizer
from alignscope.tasks.task import Task
from alignscope.training.model import TaskModel
from alignscope.training.stacked.stack import StackedModel

EXAMPLE_WORDS = 30
"""An example is a sentence that a person reads at a glance."""


@dataclass(frozen=True)
class Predictions:
    """Predicted sentences in the order asked, and how many needed special care."""

    sentences: list[Sentence]
    split_sentences: int
    """Sentences longer than the encoder's input, read in consecutive chunks."""
    truncated_words: int
    """Words longer than a whole input."""
    unknown_words: int
    """Words read as the unknown token."""


def predict(
    model: TaskModel,
    task: Task,
    labels: Sequence[str],
    sentences: Sequence[Sentence],
    subwords: WordTokenizer,
    training: TrainingConfig,
) -> Predictions:
    """Predict every word of every sentence; batching and padding do not change a prediction."""
    corpora = {"": sentences}
    (found,) = predict_stacked(
        StackedModel([model]), [0], task, labels, corpora, subwords, training
    )
    return found[""]


@torch.inference_mode()
def predict_stacked(
    stack: StackedModel,
    members: Sequence[int],
    task: Task,
    labels: Sequence[str],
    corpora: Mapping[str, Sequence[Sentence]],
    subwords: WordTokenizer,
    training: TrainingConfig,
) -> list[dict[str, Predictions]]:
    """Predict several corpora at once with the chosen models of a stack, as `predict` does each.

    Sentences of one length share a batch whatever corpus they are of, and no more than one
    batch of scores is held.
    """
    stack.model.eval()
    sentences = [sentence for corpus in corpora.values() for sentence in corpus]
    examples = [EncodedSentence(pieces, {}) for pieces in subwords.split(sentences)]
    predicted: list[list[Sentence]] = [list(sentences) for _ in members]
    budget = training.tokens_per_batch * max(1, 4 // len(stack))  # no gradients take memory
    for group in bucket_by_length([example.cost for example in examples], budget):
        batch = collate([examples[i] for i in group], subwords.pad, training.pooling)
        with autocast(stack.encoder, training.precision):
            outputs = stack(batch.to(stack.encoder.device))
        lengths = [len(sentences[i]) for i in group]
        for own, member in zip(predicted, members, strict=True):
            found = task.decode(to_float32(outputs[member]), lengths, labels)
            for i, annotations in zip(group, found, strict=True):
                own[i] = dataclasses.replace(sentences[i], **annotations)
    return [_by_corpus(own, examples, corpora) for own in predicted]


def _by_corpus(
    predicted: Sequence[Sentence],
    examples: Sequence[EncodedSentence],
    corpora: Mapping[str, Sequence[Sentence]],
) -> dict[str, Predictions]:
    found, start = {}, 0
    for name, sentences in corpora.items():
        here = slice(start, start := start + len(sentences))
        found[name] = Predictions(
            list(predicted[here]),
            split_sentences=sum(example.subwords.is_split for example in examples[here]),
            truncated_words=sum(example.subwords.truncated_words for example in examples[here]),
            unknown_words=sum(example.subwords.unknown_words for example in examples[here]),
        )
    return found


def example_prediction(
    task: Task, gold: Sequence[Sentence], predicted: Sequence[Sentence]
) -> dict[str, Any] | None:
    """Show what a prediction is: one sentence, and what every word of it should and did get.

    >>> gold = Sentence(words=("Dogs", "bark"), upos=("NOUN", "VERB"), id="1")
    >>> wrong = dataclasses.replace(gold, upos=("NOUN", "NOUN"))
    >>> example_prediction(TASKS["pos"], [gold], [wrong])["predicted"]
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
