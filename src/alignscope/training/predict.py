"""Predictions: sentences in, sentences with predicted annotations out."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from alignscope.data.sentence import Sentence
from alignscope.encoders.batching import EncodedSentence, bucket_by_length
from alignscope.encoders.precision import autocast
from alignscope.tasks.annotations import get_annotation, get_label
from alignscope.tasks.task import Task
from alignscope.training.encoded_task import EncodedTask
from alignscope.training.model import TaskModel
from alignscope.training.stacked.stack import StackedModel

MAX_EXAMPLE_WORDS = 30
"""Longer sentences are not shown as an example: a reader cannot take them in at a glance."""


@dataclass(frozen=True)
class Predictions:
    """Predicted sentences in their given order, and counts of what the tokenizer had to change."""

    sentences: list[Sentence]
    split_sentences: int
    """Sentences longer than the encoder's input, which are read in consecutive chunks."""
    truncated_words: int
    """Words with more subwords than fit into one input."""
    unknown_words: int
    """Words that contain the unknown token."""


def predict(model: TaskModel, encoded: EncodedTask, sentences: Sequence[Sentence]) -> Predictions:
    """Predict the annotations of every sentence, whatever the sentences batched with it.

    Args:
        model: a fine-tuned model.
        encoded: the task with the labels and the tokenizer of the fine-tuning.
        sentences: the sentences; annotations that they have are not read.

    Returns:
        The sentences in the same order, with predicted annotations.
    """
    (by_corpus,) = predict_stacked(StackedModel([model]), [0], encoded, {"": sentences})
    return by_corpus[""]


@torch.inference_mode()
def predict_stacked(
    stack: StackedModel,
    members: Sequence[int],
    encoded: EncodedTask,
    corpora: Mapping[str, Sequence[Sentence]],
) -> list[dict[str, Predictions]]:
    """Predict several corpora with some models of a stack, as `predict` does one by one.

    Sentences of about equal length share a batch, also across corpora. The outputs of one batch
    at most are in memory.

    Args:
        stack: the fine-tuned models.
        members: positions in the stack of the models that predict.
        encoded: the task with the labels and the tokenizer of the fine-tuning.
        corpora: sentences by the name of their corpus.

    Returns:
        For each of ``members`` its predictions by the name of the corpus.
    """
    stack.model.eval()
    sentences = [sentence for corpus in corpora.values() for sentence in corpus]
    examples = encoded.encode_unlabelled(sentences)
    predicted: list[list[Sentence]] = [list(sentences) for _ in members]
    # Without gradients a batch takes less memory, so that it may be larger than in training.
    budget = encoded.config.tokens_per_batch * max(1, 4 // len(stack))
    for group in bucket_by_length([example.cost for example in examples], budget):
        batch = encoded.collate([examples[i] for i in group])
        with autocast(stack.encoder, encoded.config.precision):
            outputs = stack(batch.to(stack.encoder.device))
        for by_member, member in zip(predicted, members, strict=True):
            annotations = encoded.decode(outputs[member], batch)
            for i, fields in zip(group, annotations, strict=True):
                by_member[i] = dataclasses.replace(sentences[i], **fields)
    return [_split_by_corpus(by_member, examples, corpora) for by_member in predicted]


def _split_by_corpus(
    predicted: Sequence[Sentence],
    examples: Sequence[EncodedSentence],
    corpora: Mapping[str, Sequence[Sentence]],
) -> dict[str, Predictions]:
    by_corpus, start = {}, 0
    for name, sentences in corpora.items():
        part = slice(start, start := start + len(sentences))
        by_corpus[name] = Predictions(
            list(predicted[part]),
            split_sentences=sum(example.subwords.is_split for example in examples[part]),
            truncated_words=sum(example.subwords.truncated_words for example in examples[part]),
            unknown_words=sum(example.subwords.unknown_words for example in examples[part]),
        )
    return by_corpus


def example_prediction(
    task: Task, gold: Sequence[Sentence], predicted: Sequence[Sentence]
) -> dict[str, Any] | None:
    """Return one sentence with its gold and predicted labels.

    >>> import dataclasses
    >>> from alignscope.tasks import TASKS
    >>> gold = Sentence(words=("Dogs", "bark"), upos=("NOUN", "VERB"), id="1")
    >>> wrong = dataclasses.replace(gold, upos=("NOUN", "NOUN"))
    >>> example_prediction(TASKS["pos"], [gold], [wrong])["predicted"]
    ['NOUN', 'NOUN']

    Args:
        task: the task, which names the annotations to show.
        gold: sentences with gold annotations.
        predicted: the same sentences with predicted annotations.

    Returns:
        The first sentence of at most 30 words, or None if there is none.
    """
    for reference, prediction in zip(gold, predicted, strict=True):
        if len(reference) <= MAX_EXAMPLE_WORDS:
            return {
                "sentence": reference.id,
                "words": _labelled_units(task, reference),
                "gold": _unit_labels(task, reference),
                "predicted": _unit_labels(task, prediction),
            }
    return None


def _labels_sentences(task: Task, sentence: Sentence) -> bool:
    return all(isinstance(sentence.annotations.get(name), str) for name in task.needs)


def _labelled_units(task: Task, sentence: Sentence) -> list[str]:
    """Return the words, or the sentence as one unit where the task labels whole sentences."""
    if _labels_sentences(task, sentence):
        return [" ".join(sentence.words)]
    return list(sentence.words)


def _unit_labels(task: Task, sentence: Sentence) -> list[str]:
    """Return a task's label of each unit as text, such as ``NOUN`` or ``2 nsubj``."""
    if _labels_sentences(task, sentence):
        return [" ".join(get_label(sentence, name) for name in task.needs)]
    fields = [get_annotation(sentence, name) for name in task.needs]
    return [" ".join(map(str, word)) for word in zip(*fields, strict=True)]
