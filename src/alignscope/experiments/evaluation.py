"""Evaluating a stack of models on the test split of every corpus, after every epoch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from transformers import PreTrainedModel

from alignscope.data.corpus import parse_corpus, relation_between
from alignscope.data.sentence import Sentence
from alignscope.encoders.load import needs_language, set_language
from alignscope.experiments.progress import RunProgress
from alignscope.experiments.setup import RunInputs
from alignscope.results.counts import pack_counts
from alignscope.results.store import Row
from alignscope.tasks.counts import sentence_counts
from alignscope.training.loop import TrainingHistory
from alignscope.training.predict import Predictions, example_prediction, predict_stacked
from alignscope.training.stacked.stack import StackedModel


@dataclass(frozen=True)
class Evaluation:
    """The scores of one model after one epoch, and one predicted sentence per corpus."""

    scores: list[Row]
    examples: list[Row]
    counts: dict[str, str]
    """The packed outcomes of the sentences of each corpus, if the task counts them."""

    @property
    def primary(self) -> dict[str, float]:
        """The score of each corpus in the task's first metric."""
        metric = self.scores[0]["metric"]
        return {row["corpus"]: row["score"] for row in self.scores if row["metric"] == metric}


@dataclass
class EpochEvaluator:
    """Predicts and scores the test split of every corpus after every epoch.

    The scores of all epochs show how much a choice among epochs that are equally good on the
    source's dev split would change the targets (Keung et al. 2020). They select nothing. The
    evaluation of the epoch with the best dev score is that of the fine-tuned model.
    """

    stack: StackedModel
    inputs: RunInputs
    progress: RunProgress
    _epochs: list[dict[int, Evaluation]] = field(default_factory=list)

    def evaluate(self, members: Sequence[int]) -> None:
        """Evaluate models as they are now, at the end of an epoch.

        Args:
            members: positions in the stack of the models to evaluate.
        """
        inputs, encoder = self.inputs, self.stack.encoder
        predictions = {member: dict[str, Predictions]() for member in members}
        for names in _batches_of_corpora(encoder, list(inputs.tests)):
            several = f"{len(names)} corpora"
            self.progress.phase(f"evaluating {names[0] if len(names) == 1 else several}")
            set_language(encoder, parse_corpus(names[0]).language)
            corpora = {name: inputs.tests[name] for name in names}
            predicted = predict_stacked(self.stack, members, inputs.encoded, corpora)
            for member, by_corpus in zip(members, predicted, strict=True):
                predictions[member] |= by_corpus
        set_language(encoder, parse_corpus(inputs.source).language)  # training may go on
        self._epochs.append({
            member: Evaluation(
                _score_rows(inputs, by_corpus, self._majority),
                _examples(inputs, by_corpus),
                _counts(inputs, by_corpus),
            )
            for member, by_corpus in predictions.items()
        })  # fmt: skip

    @cached_property
    def _majority(self) -> dict[str, dict[str, float]]:
        return {
            name: _majority_scores(self.inputs, gold) for name, gold in self.inputs.tests.items()
        }

    def best(self, member: int, history: TrainingHistory) -> Evaluation:
        """Return the evaluation of a model's best epoch on dev."""
        return self._epochs[history.best - 1][member]

    def epoch_rows(self, member: int, history: TrainingHistory) -> list[Row]:
        """Return the metrics of every epoch of a model, with its scores on every corpus."""
        return [
            {**vars(epoch), "scores": evaluations[member].primary}
            for epoch, evaluations in zip(history.epochs, self._epochs, strict=True)
        ]


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


def _counts(inputs: RunInputs, predictions: Mapping[str, Predictions]) -> dict[str, str]:
    """Return the packed counts of each corpus; none if the task does not count by sentence."""
    counts = {
        name: sentence_counts(inputs.encoded.task, gold, predictions[name].sentences)
        for name, gold in inputs.tests.items()
    }
    return {name: pack_counts(found) for name, found in counts.items() if found is not None}
