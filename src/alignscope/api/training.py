"""Read a corpus and fine-tune encoders that are in memory."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, overload

from alignscope.config.run import TrainingConfig
from alignscope.data import corpora
from alignscope.data.corpus import parse_corpus
from alignscope.data.paths import DataPaths
from alignscope.data.sentence import Sentence

if TYPE_CHECKING:
    from alignscope.config.windows import Window
    from alignscope.encoders.encoder import Encoder
    from alignscope.experiments.in_memory import FineTuned
    from alignscope.tasks import Task
    from alignscope.training.finetune import Progress

Corpus = str | Sequence[Sentence]
"""The name of a corpus, such as ``ud:en_ewt``, or sentences in memory."""


def load_corpus(
    name: str, split: str = "test", *, limit: int | None = None, data: Sequence[str | Path] = ()
) -> list[Sentence]:
    """Read one split of a corpus.

    >>> [len(sentence) for sentence in load_corpus("synthetic:vesti/news", limit=3)]
    [8, 10, 7]

    Args:
        name: such as ``ud:en_ewt``, ``wikiann:de``, ``synthetic:vesti/news`` or a path.
        split: ``train``, ``dev`` or ``test``.
        limit: how many sentences at most, at equal distances; all by default.
        data: folders with corpora, searched before those in ``ALIGNSCOPE_DATA``. A published
            corpus that is in none of them is downloaded.

    Raises:
        DataError: if there is no such corpus or split.
    """
    sentences = corpora.load_corpus(parse_corpus(name), split, DataPaths.of(data))
    return list(corpora.subsample_evenly(sentences, limit))


@overload
def fine_tune(
    encoder: "Encoder",
    task: "str | Task",
    train: Corpus,
    dev: Corpus,
    *,
    config: TrainingConfig,
    seed: int = ...,
    freeze: "Window | str | None" = ...,
    progress: bool = ...,
) -> "FineTuned": ...


@overload
def fine_tune(
    encoder: "Sequence[Encoder]",
    task: "str | Task",
    train: Corpus,
    dev: Corpus,
    *,
    config: TrainingConfig,
    seed: int = ...,
    freeze: "Window | str | None" = ...,
    progress: bool = ...,
) -> "list[FineTuned]": ...


def fine_tune(
    encoder: "Encoder | Sequence[Encoder]",
    task: "str | Task",
    train: Corpus,
    dev: Corpus,
    *,
    config: TrainingConfig,
    seed: int = 0,
    freeze: "Window | str | None" = None,
    progress: bool = True,
) -> "FineTuned | list[FineTuned]":
    """Fine-tune a copy of one encoder, or of several, on one language.

    >>> import alignscope as al
    >>> encoder = al.load_encoder("embedded", device="cpu")
    >>> train, dev = (al.load_corpus("synthetic:vesti/news", s, limit=40) for s in ("train", "dev"))
    >>> config = al.TrainingConfig(epochs=1, learning_rate=7e-4)
    >>> tagger = al.fine_tune(encoder, "pos", train, dev, config=config, progress=False)
    >>> tagger.history.columns
    ['epoch', 'steps', 'loss', 'dev_score']

    Encoders that differ in a re-initialised window alone are trained as one stacked model, where
    their architecture allows it; each gives what it gives alone, up to rounding. With one seed they
    share head, data order and dropout, so that their scores can be compared in pairs.

    Args:
        encoder: the encoders; they stay as they are.
        task: the name of a task, such as ``pos``, ``parsing``, ``ner`` or ``classification``, or
            a task object.
        train: the source's training sentences, or the name of the source's corpus.
        dev: the sentences on which the best epoch is chosen, or the name of their corpus.
        config: learning rates, epochs, batch size and the like. The encoder's learning rate has no
            default; `tune` measures which one suits an encoder.
        seed: seeds the head, the data order and dropout.
        freeze: blocks whose weights are not trained, such as ``"0-1"``; they may be pretrained or
            re-initialised. By default all weights are trained.
        progress: whether to show the steps on standard error.

    Returns:
        The model after its best epoch, or a list of them if ``encoder`` is a sequence.

    Raises:
        StudyError: if there is no task of that name.
        DataError: if a corpus does not exist or lacks the annotations of the task.
        DivergedError: if the loss stops being finite.
        EncoderError: if the frozen blocks do not exist.
    """
    from alignscope.encoders.encoder import Encoder
    from alignscope.encoders.reinitialize import parse_window
    from alignscope.experiments.in_memory import FineTuningPlan, fine_tune_encoders
    from alignscope.experiments.progress import StepBar
    from alignscope.tasks import TASKS

    chosen = TASKS[task] if isinstance(task, str) else task
    window = None if freeze is None else parse_window(freeze)
    plan = FineTuningPlan(chosen, train, dev, config, seed, window)
    encoders = [encoder] if isinstance(encoder, Encoder) else list(encoder)
    tuned = fine_tune_encoders(encoders, plan, StepBar if progress else _silent)
    return tuned[0] if isinstance(encoder, Encoder) else tuned


def _silent(name: str) -> "AbstractContextManager[Progress]":
    return nullcontext(lambda step, steps: None)
