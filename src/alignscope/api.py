"""The verbs of the public interface: fine-tune, compare, run a study, read its results.

``import alignscope as al`` offers these names; the command line is built on them, too.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

import polars as pl

from alignscope._util.validation import parse_options
from alignscope.analysis import results as _results
from alignscope.analysis.comparison import ComparedResults
from alignscope.analysis.measured import MeasuredTables, StoredTables
from alignscope.config import study as _study
from alignscope.config.run import RunSpec, TrainingConfig
from alignscope.config.similarity import SentencePooling, SimilarityConfig, Split
from alignscope.config.study import HypothesisThresholds, read_study
from alignscope.data import corpora as _corpora
from alignscope.data.corpus import parse_corpus
from alignscope.data.paths import DataPaths
from alignscope.data.sentence import Sentence
from alignscope.errors import SimilarityError
from alignscope.results.store import ResultStore

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from alignscope.encoders.encoder import Encoder
    from alignscope.experiments.cost import CostEstimate
    from alignscope.experiments.executors import Executor
    from alignscope.experiments.in_memory import FineTuned
    from alignscope.experiments.sweep import SweepSummary
    from alignscope.report.figures.figure import ReportFigure
    from alignscope.tasks import Task
    from alignscope.training.finetune import Progress

Corpus = str | Sequence[Sentence]
"""The name of a corpus, such as ``ud:en_ewt``, or sentences in memory."""

_DEFAULT_TRAINING = TrainingConfig()


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
    sentences = _corpora.load_corpus(parse_corpus(name), split, DataPaths.of(data))
    return list(_corpora.subsample_evenly(sentences, limit))


@overload
def fine_tune(
    encoder: "Encoder",
    task: "str | Task",
    train: Corpus,
    dev: Corpus,
    *,
    config: TrainingConfig = ...,
    seed: int = ...,
    progress: bool = ...,
) -> "FineTuned": ...


@overload
def fine_tune(
    encoder: "Sequence[Encoder]",
    task: "str | Task",
    train: Corpus,
    dev: Corpus,
    *,
    config: TrainingConfig = ...,
    seed: int = ...,
    progress: bool = ...,
) -> "list[FineTuned]": ...


def fine_tune(
    encoder: "Encoder | Sequence[Encoder]",
    task: "str | Task",
    train: Corpus,
    dev: Corpus,
    *,
    config: TrainingConfig = _DEFAULT_TRAINING,
    seed: int = 0,
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
        config: epochs, learning rates, batch size and the like.
        seed: seeds the head, the data order and dropout.
        progress: whether to show the steps on standard error.

    Returns:
        The model after its best epoch, or a list of them if ``encoder`` is a sequence.

    Raises:
        StudyError: if there is no task of that name.
        DataError: if a corpus does not exist or lacks the annotations of the task.
        DivergedError: if the loss stops being finite.
    """
    from alignscope.encoders.encoder import Encoder
    from alignscope.experiments.in_memory import FineTuningPlan, fine_tune_encoders
    from alignscope.experiments.progress import StepBar
    from alignscope.tasks import TASKS

    chosen = TASKS[task] if isinstance(task, str) else task
    plan = FineTuningPlan(chosen, train, dev, config, seed)
    encoders = [encoder] if isinstance(encoder, Encoder) else list(encoder)
    tuned = fine_tune_encoders(encoders, plan, StepBar if progress else _silent)
    return tuned[0] if isinstance(encoder, Encoder) else tuned


def similarity(
    encoder: "Encoder",
    source: Corpus | Sequence[str],
    targets: Mapping[str, Corpus | Sequence[str]] | Sequence[str],
    *,
    measures: Sequence[str] = ("cka", "retrieval"),
    layers: Sequence[int] | str | None = None,
    pooling: SentencePooling = "mean",
    unit: Literal["sentence", "word"] = "sentence",
    split: Split = "test",
    limit: int | None = None,
    data: Sequence[str | Path] = (),
    offline: bool = False,
    cached: bool = True,
) -> pl.DataFrame:
    """Compare parallel texts inside an encoder, layer by layer.

    >>> import alignscope as al
    >>> encoder = al.load_encoder("embedded", device="cpu")
    >>> vesti, qadir = "synthetic:vesti/news", "synthetic:qadir/news"
    >>> table = al.similarity(encoder, vesti, [qadir], measures=["retrieval"], layers=[0, 8])
    >>> table.select("layer", "n", "estimator").rows()
    [(0, 500, 'plain'), (8, 500, 'plain')]

    Args:
        encoder: the encoder.
        source: the name of a corpus, such as ``ud:en_pud``; or at least 20 sentences, or strings
            of running text.
        targets: names of corpora that are translations of the source, which are paired by
            sentence id; or, by a name for the table, texts that are paired by position.
        measures: names of similarity measures; `docs/similarity.md` lists them.
        layers: layers to compare, 0 for the embeddings and i + 1 for the output of block i; as
            numbers or like ``"0-3,8"``. By default all.
        pooling: how subwords become the vector of a sentence: ``mean``, ``weighted``, ``first`` or
            ``last``.
        unit: ``word`` compares words that the corpora align, instead of sentences.
        split: the split of corpora that are given by name.
        limit: how many sentences at most, at equal distances; all by default.
        data: folders with corpora, searched before those in ``ALIGNSCOPE_DATA``.
        offline: whether to refuse corpora that are not on this machine.
        cached: whether to keep representations of named corpora in the cache folder.

    Returns:
        One row per target, layer, measure and estimator: ``value``, its 95 % interval ``low`` to
        ``high``, and the central 95 % of the values of unrelated pairs, ``null_low`` to
        ``null_high``.

    Raises:
        DataError: if a corpus does not exist, or the texts do not line up.
        SimilarityError: if there are fewer than 20 sentences, or a layer does not exist.
        StudyError: if a measure or an option does not exist.
    """
    from alignscope.similarity.compare import compare_corpora, compare_texts

    chosen = layers if layers is None or isinstance(layers, str) else ",".join(map(str, layers))
    config = parse_options(
        SimilarityConfig,
        measures=tuple(measures),
        layers=chosen,
        pooling=pooling,
        words=unit == "word",
        split=split,
        limit=limit,
    )
    paths = DataPaths.of(data, download=not offline)
    if isinstance(source, str) and not isinstance(targets, Mapping):
        names = [source, *([targets] if isinstance(targets, str) else targets)]
        return compare_corpora(encoder, names, paths, config, cached=cached)
    if not isinstance(targets, Mapping):
        raise SimilarityError(
            "The source is a list of texts, so the targets must be texts by name, such as "
            '{"de": [...]}.'
        )

    def texts(corpus: Corpus | Sequence[str]) -> Sequence[Sentence] | Sequence[str]:
        if isinstance(corpus, str):
            return _corpora.load_corpus(parse_corpus(corpus), split, paths)
        return corpus

    named = source if isinstance(source, str) else "source"
    translations = {name: texts(target) for name, target in targets.items()}
    return compare_texts(encoder, texts(source), translations, config, source_name=named)


def plot_similarity(table: pl.DataFrame) -> "Figure":
    """Draw a table of `similarity`: a panel for each measure, a line over layers for each target.

    The grey band is what unrelated pairs of sentences would give.
    """
    from alignscope.report.figures.curves import similarity_figure

    return similarity_figure(table)


class Study(_study.Study):
    """A grid of fine-tunings: encoders × tasks × sources × windows × seeds.

    >>> study = Study(
    ...     encoders=["embedded"], windows=["tiles:2"], seeds=[1, 2],
    ...     tasks={"pos": {"sources": ["synthetic:vesti/news"]}},
    ... )
    >>> len(study.expand())  # REF and four windows, two seeds
    10

    The arguments are the keys of a study file; `docs/studies.md` lists them.
    """

    @classmethod
    def from_toml(cls, path: str | Path) -> "Study":
        """Read a study file.

        Raises:
            StudyError: if the file does not exist, or a key or value in it is not allowed.
        """
        return cls.model_validate(read_study(Path(path)).model_dump())

    def expand(self) -> list[RunSpec]:
        """Return the runs of the study, REF before its windows.

        Raises:
            StudyError: if a window does not fit an encoder, or a task is unknown.
            EncoderError: if an encoder does not exist.
        """
        from alignscope.experiments.study import expand_study

        return expand_study(self)

    def estimate(
        self, store: str | Path = "results", *, data: Sequence[str | Path] = ()
    ) -> "list[CostEstimate]":
        """Estimate time, memory and disk of the runs that ``store`` lacks, from a few steps."""
        from alignscope.experiments.study import estimate_cost

        return estimate_cost(self, ResultStore(Path(store)), DataPaths.of(data))


def run_study(
    study: _study.Study,
    store: str | Path = "results",
    *,
    executor: "Executor | None" = None,
    shard: str = "1/1",
    data: Sequence[str | Path] = (),
    offline: bool = False,
) -> "StudyResults":
    """Execute the runs of a study that ``store`` lacks, and return all of its results.

    An interrupted study resumes: every run that has ended is in the store.

    Args:
        study: the study.
        store: the folder of results.
        executor: where runs execute: `SerialExecutor` (the default), `ProcessExecutor` or
            `RayExecutor`.
        shard: the part of the study that this machine executes, such as ``2/8``.
        data: folders with corpora, searched before those in ``ALIGNSCOPE_DATA``.
        offline: whether to refuse what is not on this machine instead of downloading it.

    Raises:
        AlignScopeError: if a corpus, an encoder or the store is not what the study needs; this is
            checked before any training.
    """
    from alignscope.experiments import study as experiments
    from alignscope.experiments.grouping import Shard

    paths = DataPaths.of(data, download=not offline)
    part, opened = Shard.parse(shard), ResultStore(Path(store))
    sweep = experiments.run_study(study, opened, paths, executor, part)
    results = load_results(store, study)
    results.sweep = sweep
    return results


def load_results(
    store: str | Path,
    study: _study.Study | None = None,
    *,
    features: str | Path | None = None,
) -> "StudyResults":
    """Read the results in a folder; torch is not needed.

    Args:
        store: the folder of results.
        study: the study whose runs are meant; by default every run in the store.
        features: a CSV file of language features for the tables ``distances`` and ``gaps``: a
            column ``language``, then one column per feature. By default the built-in features.

    Raises:
        StoreError: if the study was never run on that store, or a file there is damaged.
    """
    opened = ResultStore(Path(store))
    file = None if features is None else Path(features)
    if study is None:
        tables = StoredTables(opened.load_all_plans(), opened)
        return StudyResults(tables, file, name=Path(store).name)
    tables = StoredTables(opened.load_plan(study), opened)
    return StudyResults(tables, file, thresholds=study.claims, name=study.name)


def compare_results(
    stores: Sequence[str | Path], study: _study.Study | None = None
) -> "StudyResults":
    """Read the results of several stores, encoder by encoder, on the corpora that all have.

    Args:
        stores: the folders of results.
        study: the study whose runs are compared; needed where a store holds several.

    Raises:
        StoreError: if a store has no results, or has one run with two configurations.
    """
    chosen = None if study is None else study.model_copy(update={"encoders": ()})
    compared = ComparedResults([ResultStore(Path(store)) for store in stores], chosen)
    results = StudyResults(
        compared.measured,
        thresholds=compared.thresholds,
        name=" · ".join(Path(store).resolve().name for store in stores),
    )
    results.notes = compared.notes
    return results


class StudyResults(_results.StudyResults):
    """The results of a study: tables as polars frames, figures, and the report.

    `load_results`, `run_study` and `compare_results` return one. Each table is computed when it is
    first used: ``results.scores``, ``results.effects``, ``results.boundaries`` and so on;
    ``results.tables`` lists them with the meaning of every column.
    """

    def __init__(
        self,
        measured: MeasuredTables,
        features: Path | None = None,
        thresholds: HypothesisThresholds | None = None,
        *,
        name: str = "study",
    ) -> None:
        """Wrap measurements; see `alignscope.load_results`."""
        super().__init__(measured, features, thresholds)
        self.name = name
        self.notes: list[str] = []
        """Limits of a comparison of encoders, one sentence each."""
        self.sweep: SweepSummary | None = None
        """The runs that `run_study` has executed; None for results that were only read."""

    @cached_property
    def figures(self) -> "Mapping[str, ReportFigure]":
        """Every figure by its key, such as ``corpus-heatmap/pos/ud:en_ewt``.

        A figure is drawn when it is shown. In a notebook it shows itself.
        """
        from alignscope.report.figures.registry import figures_of

        return figures_of(self)

    def report(self, path: str | Path = "report.html", *, files: str | Path | None = None) -> Path:
        """Write the report, one HTML page that needs no other file, and return its path.

        Args:
            path: the page.
            files: a folder for every figure (SVG, PDF, PNG, CSV) and table (CSV, Markdown, LaTeX);
                by default none are written.

        Raises:
            StudyError: if a file cannot be written.
        """
        from alignscope.report.files import write_all
        from alignscope.report.page import Report

        page, report = Path(path), Report(self.name, self, self.notes)
        write_all(page.parent, {page.name: report.html().encode()})
        if files is not None:
            report.write_files(Path(files))
        return page


def _silent(name: str) -> "AbstractContextManager[Progress]":
    return nullcontext(lambda step, steps: None)
