"""Evaluating a stack of fine-tuned models on the test split of every corpus."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transformers import PreTrainedModel

from alignscope.data.corpus import parse_corpus, relation_between
from alignscope.data.sentence import Sentence
from alignscope.encoders.load import needs_language, set_language
from alignscope.experiments.progress import RunProgress
from alignscope.experiments.setup import RunInputs
from alignscope.results.store import Row
from alignscope.training.predict import Predictions, example_prediction, predict_stacked
from alignscope.training.stacked.stack import StackedModel


@dataclass(frozen=True)
class Evaluation:
    """The scores of one model, and one predicted sentence per corpus."""

    scores: list[Row]
    examples: list[Row]


def evaluate(
    stack: StackedModel, members: Sequence[int], inputs: RunInputs, progress: RunProgress
) -> dict[int, Evaluation]:
    """Predict and score the test split of every corpus.

    Args:
        stack: the fine-tuned models.
        members: positions in the stack of the models to evaluate.
        inputs: the inputs that the runs share.
        progress: callback for the phase.

    Returns:
        The evaluation of each of ``members`` by its position.
    """
    if not members:
        return {}
    majority = {name: _majority_scores(inputs, gold) for name, gold in inputs.tests.items()}
    predictions = {member: dict[str, Predictions]() for member in members}
    for names in _batches_of_corpora(stack.encoder, list(inputs.tests)):
        progress.phase(f"evaluating {names[0] if len(names) == 1 else f'{len(names)} corpora'}")
        set_language(stack.encoder, parse_corpus(names[0]).language)
        corpora = {name: inputs.tests[name] for name in names}
        predicted = predict_stacked(stack, members, inputs.encoded, corpora)
        for member, by_corpus in zip(members, predicted, strict=True):
            predictions[member] |= by_corpus
    return {
        member: Evaluation(_score_rows(inputs, by_corpus, majority), _examples(inputs, by_corpus))
        for member, by_corpus in predictions.items()
    }


def _batches_of_corpora(encoder: PreTrainedModel, names: list[str]) -> list[list[str]]:
    """Return all corpora, or one at a time if the encoder has adapters for each language."""
    return [[name] for name in names] if needs_language(encoder) else [names]


def _majority_scores(inputs: RunInputs, gold: Sequence[Sentence]) -> dict[str, float]:
    """Return the scores of the source's majority baseline."""
    task = inputs.encoded.task
    baseline = task.majority(inputs.data.train)
    return task.score(gold, [baseline(sentence) for sentence in gold])


def _score_rows(
    inputs: RunInputs,
    predictions: Mapping[str, Predictions],
    majority: Mapping[str, Mapping[str, float]],
) -> list[Row]:
    """Return one row per corpus and metric, with the score of the majority baseline."""
    rows: list[Row] = []
    task = inputs.encoded.task
    for name, gold in inputs.tests.items():
        corpus, predicted = parse_corpus(name), predictions[name]
        scores = task.score(gold, predicted.sentences)
        rows += [
            {
                "corpus": name,
                "split": "test",
                "language": corpus.language,
                "relation": relation_between(parse_corpus(inputs.source), corpus, task.name),
                "metric": metric,
                "score": scores[metric],
                "majority": majority[name][metric],
                "sentences": len(gold),
                "words": sum(map(len, gold)),
                "windowed": predicted.split_sentences,
                "cut": predicted.truncated_words,
                "unknown": predicted.unknown_words,
            }
            for metric in task.metrics
        ]
    return rows


def _examples(inputs: RunInputs, predictions: Mapping[str, Predictions]) -> list[Row]:
    """Return one predicted sentence per corpus."""
    examples = {
        name: example_prediction(inputs.encoded.task, gold, predictions[name].sentences)
        for name, gold in inputs.tests.items()
    }
    return [{"corpus": name, **row} for name, row in examples.items() if row is not None]
