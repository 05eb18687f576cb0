"""Fine-tune encoders that are in memory, without a study and without a store."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import polars as pl
from torch import nn

from alignscope.config.run import TrainingConfig
from alignscope.config.windows import Window
from alignscope.data.corpora import load_corpus
from alignscope.data.corpus import parse_corpus, relation_between
from alignscope.data.locate import check_annotations
from alignscope.data.paths import DataPaths
from alignscope.data.sentence import Sentence
from alignscope.encoders.encoder import Encoder
from alignscope.encoders.load import needs_language, set_language
from alignscope.errors import DataError, EncoderError, StackingError
from alignscope.results.schemas import SCORES, to_frame
from alignscope.tasks import Task
from alignscope.training.encoded_task import EncodedTask
from alignscope.training.finetune import Observer, Progress, TrainingData, fine_tune_stacked
from alignscope.training.frozen import FrozenWeights, freeze_blocks_
from alignscope.training.memory import is_out_of_memory, release_memory
from alignscope.training.model import TaskModel, build_model
from alignscope.training.predict import predict
from alignscope.training.stacked.stack import StackedModel

Corpus = str | Sequence[Sentence]
"""The name of a corpus, such as ``ud:en_ewt``, or sentences in memory."""
ProgressFactory = Callable[[str], AbstractContextManager[Progress]]
"""Opens the display of a fine-tuning of that name, and returns what is called after every step."""

CUSTOM = "custom"
"""The source of a model that was fine-tuned on sentences in memory."""


@dataclass(frozen=True)
class FineTuningPlan:
    """All that several encoders share when they are fine-tuned together."""

    task: Task
    train: Corpus
    dev: Corpus
    config: TrainingConfig
    seed: int
    freeze: Window | None = None
    """The window whose weights are not trained."""

    def read(self) -> TrainingData:
        """Read the sentences, and make sure that they have the annotations of the task.

        Raises:
            DataError: if a corpus does not exist, is empty, or lacks an annotation.
        """
        data = TrainingData(read_sentences(self.train, "train"), read_sentences(self.dev, "dev"))
        for split, sentences in (("train", data.train), ("dev", data.dev)):
            if not sentences:
                raise DataError(f"The {split} corpus has no sentences.")
            check_annotations(sentences, self.task.needs, f"the {split} corpus")
        return data


@dataclass(frozen=True)
class _Fitted:
    """The knowledge of a fine-tuning beside its weights, and the settings that produced it."""

    encoded: EncodedTask
    train: Sequence[Sentence]
    plan: FineTuningPlan

    @property
    def source(self) -> str:
        return self.plan.train if isinstance(self.plan.train, str) else CUSTOM


@dataclass(frozen=True)
class FineTuned:
    """A fine-tuned encoder with its task head, which `alignscope.fine_tune` returns."""

    encoder: Encoder
    """The fine-tuned encoder: a copy, so that the encoder that was passed stays as it was."""
    history: pl.DataFrame
    """One row an epoch: ``epoch`` (from 1), ``steps``, ``loss`` and ``dev_score`` (a fraction)."""
    _model: TaskModel
    _fitted: _Fitted

    def predict(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        """Return the sentences with predicted annotations, in the same order.

        Annotations that the sentences have already are not read.
        """
        return predict(self._model, self._fitted.encoded, sentences).sentences

    def evaluate(self, corpora: Mapping[str, Corpus]) -> pl.DataFrame:
        """Score the predictions on the test split of every corpus.

        Args:
            corpora: names of corpora, or sentences, by the name that the table gives them.

        Returns:
            The table ``scores``: a row for each corpus and metric, with the score of the source's
            majority baseline beside it. Scores are fractions. ``language``, ``domain``
            and ``relation`` are null for sentences in memory, because nothing says their language.

        Raises:
            DataError: if a corpus does not exist or lacks the annotations of the task.
        """
        rows = [row for name, corpus in corpora.items() for row in self._score(name, corpus)]
        return to_frame([dict.fromkeys(SCORES) | row for row in rows], SCORES)

    def _score(self, name: str, corpus: Corpus) -> list[dict[str, Any]]:
        task, fitted = self._fitted.encoded.task, self._fitted
        gold = read_sentences(corpus, "test")
        check_annotations(gold, task.needs, name)
        set_corpus_language(self.encoder, corpus)
        predicted = predict(self._model, fitted.encoded, gold)
        scores = task.score(gold, predicted.sentences)
        baseline = task.majority(fitted.train)
        majority = task.score(gold, [baseline(sentence) for sentence in gold])
        row = {
            "encoder": self.encoder.name,
            "task": task.name,
            "source": fitted.source,
            "setting": fitted.plan.config.setting(None),
            "seed": fitted.plan.seed,
            "corpus": name,
            "split": "test",
            **_described(fitted.source, corpus, task.name),
            "sentences": len(gold),
            "words": sum(map(len, gold)),
            "windowed": predicted.split_sentences,
            "cut": predicted.truncated_words,
            "unknown": predicted.unknown_words,
        }
        return [
            {**row, "metric": metric, "score": scores[metric], "majority": majority[metric]}
            for metric in task.metrics
        ]


def _described(source: str, corpus: Corpus, task: str) -> dict[str, str | None]:
    """Return the columns on the language, domain and relation of a corpus."""
    if not isinstance(corpus, str):
        return dict.fromkeys(("language", "domain", "relation"))
    spec = parse_corpus(corpus)
    relation = None if source == CUSTOM else relation_between(parse_corpus(source), spec, task)
    return {"language": spec.language, "domain": spec.domain, "relation": relation}


def fine_tune_encoders(
    encoders: Sequence[Encoder], plan: FineTuningPlan, progress: ProgressFactory
) -> list[FineTuned]:
    """Fine-tune copies of encoders, as one stacked model where they can be stacked.

    Args:
        encoders: the encoders; they stay as they are.
        plan: task, corpora, configuration and seed.
        progress: opens the display of a fine-tuning, given its name.

    Raises:
        DivergedError: if the loss of one of them is not finite; the message names the step.
        DataError: as `FineTuningPlan.read` does.
        EncoderError: if an encoder needs a language, and the train corpus has no name.
    """
    data = plan.read()
    encoded = [_encode_task(encoder, plan, data) for encoder in encoders]
    if len(encoders) > 1 and _share_tokenizer(encoders):
        try:
            return _fine_tune_stack(encoders, encoded[0], data, plan, progress)
        except StackingError:
            pass  # such as DeBERTa: a model whose weights cannot be stacked is trained alone
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        release_memory()
    return [
        tuned
        for encoder, task in zip(encoders, encoded, strict=True)
        for tuned in _fine_tune_stack([encoder], task, data, plan, progress)
    ]


def _fine_tune_stack(
    encoders: Sequence[Encoder],
    encoded: EncodedTask,
    data: TrainingData,
    plan: FineTuningPlan,
    progress: ProgressFactory,
) -> list[FineTuned]:
    # In float32: a checkpoint in half precision stays so when loaded, and AdamW would lose updates.
    copies = [Encoder(deepcopy(e.model).float(), e.tokenizer, name=e.name) for e in encoders]
    models, frozen = [], list[nn.Parameter]()
    for copied in copies:
        if plan.freeze is not None:
            frozen += freeze_blocks_(copied.model, plan.freeze)
        set_corpus_language(copied, plan.train)
        model = build_model(copied.model, plan.task, encoded.labels, plan.seed)
        models.append(model.to(copied.device))
    stack = StackedModel(models)
    before = FrozenWeights((copied.model for copied in copies), plan.freeze)
    with progress(", ".join(copied.name for copied in copies)) as steps:
        observer = Observer(step=steps)
        histories = fine_tune_stacked(stack, encoded, data, seed=plan.seed, observer=observer)
    for history in histories:
        if history.error is not None:
            raise history.error
    before.verify()
    for parameter in frozen:
        parameter.requires_grad_(True)  # another fine-tuning of the result trains all weights
    fitted = _Fitted(encoded, data.train, plan)
    return [
        FineTuned(copied, pl.DataFrame([vars(epoch) for epoch in history.epochs]), model, fitted)
        for copied, model, history in zip(copies, models, histories, strict=True)
    ]


def _encode_task(encoder: Encoder, plan: FineTuningPlan, data: TrainingData) -> EncodedTask:
    config = plan.config
    tokenizer = encoder.word_tokenizer(config.max_length, surface=config.words == "surface")
    return EncodedTask(plan.task, plan.task.labels(data.train), tokenizer, plan.config)


def _share_tokenizer(encoders: Sequence[Encoder]) -> bool:
    first, *others = (encoder.tokenizer for encoder in encoders)
    return all(
        other is first or other.backend_tokenizer.to_str() == first.backend_tokenizer.to_str()
        for other in others
    )


def read_sentences(corpus: Corpus, split: str) -> Sequence[Sentence]:
    """Return the sentences of a corpus: as they are, or those of a split if it is a name."""
    if isinstance(corpus, str):
        return load_corpus(parse_corpus(corpus), split, DataPaths.of())
    return corpus


def set_corpus_language(encoder: Encoder, corpus: Corpus) -> None:
    """Choose the language adapters for a corpus, in an encoder that has such (X-MOD).

    Raises:
        EncoderError: if they must be chosen, and nothing says the language of the sentences.
    """
    if isinstance(corpus, str):
        set_language(encoder.model, parse_corpus(corpus).language)
    elif needs_language(encoder.model):
        raise EncoderError(
            f"{encoder.name} has an adapter for each language, and sentences in memory do not "
            "say their language. Pass the name of a corpus instead."
        )
