"""The grid of a study, expanded into its runs."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from alignscope.config.controls import treatments
from alignscope.config.registry import TASK_INFO
from alignscope.config.run import EncoderSpec, Freeze, Init, RunSpec
from alignscope.config.setting import short_settings
from alignscope.config.similarity import SimilarityConfig
from alignscope.config.study import Study
from alignscope.config.task import TaskConfig
from alignscope.config.windows import Window, check_fits, expand_windows
from alignscope.data.corpus import parse_corpus
from alignscope.errors import StudyError


@dataclass(frozen=True)
class EncoderInfo:
    """Properties of an encoder that the runs of a study depend on."""

    identity: str
    """A digest of the weights, or the commit on the hub."""
    blocks: int | None
    """Number of blocks; None if the hub cannot be reached."""


def expand(study: Study, inspect: Callable[[EncoderSpec], EncoderInfo]) -> list[RunSpec]:
    """Return the runs of a study, REF before its windows; a REF for each setting.

    >>> tasks = {"pos": {"sources": ["synthetic:vesti/news"]}}
    >>> training = {"learning_rate": 5e-4}
    >>> study = Study(encoders=["embedded"], windows=["tiles:2"], training=training, tasks=tasks)
    >>> runs = expand(study, lambda encoder: EncoderInfo("a digest", blocks=8))
    >>> [run.window for run in runs]
    [None, '0-1', '2-3', '4-5', '6-7']

    Args:
        study: The study.
        inspect: A function that returns identity and number of blocks of an encoder.

    Raises:
        StudyError: if the study names no encoder or no learning rate, or a window needs an unknown
            number of blocks.
        EncoderError: if a window does not fit an encoder.
    """
    if not study.encoders:
        raise StudyError(f"Study {study.name} names no encoder. Add one with --encoder.")
    runs = [
        run
        for encoder in study.encoders
        for ablations in [_EncoderAblations.of(study, encoder, inspect(encoder))]
        for task, corpora in study.tasks.items()
        for source in corpora.sources
        for run in ablations.runs(task, source)
    ]
    runs += supervised_runs(study, runs)
    return list({run.address: run for run in runs}.values())


def setting_names(runs: Iterable[RunSpec]) -> Mapping[str, str]:
    """Return the short label of every setting of runs (`short_settings`)."""
    return short_settings((run.encoder.label, run.task, run.setting) for run in runs)


def run_label(run: RunSpec, settings: Mapping[str, str]) -> str:
    """Return a run on one short line, with its setting if there are several.

    Args:
        run: the run.
        settings: the names of settings (`setting_names`).
    """
    return ", ".join(filter(None, (run.label, settings.get(run.setting, ""))))


@dataclass(frozen=True)
class _EncoderAblations:
    """An encoder of a study and the windows in which it is re-initialised."""

    study: Study
    encoder: EncoderSpec
    identity: str
    ablations: list[tuple[Window, Init, Freeze]]

    @classmethod
    def of(cls, study: Study, encoder: EncoderSpec, info: EncoderInfo) -> "_EncoderAblations":
        def windows(names: Iterable[str]) -> list[Window]:
            return _windows_of(names, encoder, info.blocks)

        ablations = [
            (window, init, freeze)
            for init, freeze in treatments(study.init, study.freeze)
            for window in windows(study.windows)
        ]
        if study.controls is not None:
            ablations += [
                (window, init, freeze)
                for init, freeze in treatments(study.controls.init, study.controls.freeze)
                for window in windows(study.controls.windows)
            ]
        return cls(study, encoder, info.identity, ablations)

    def runs(self, task: str, source: str) -> Iterator[RunSpec]:
        study = self.study
        ablations: list[tuple[Window | None, Init | None, Freeze]] = [(None, None, "none")]
        ablations += self.ablations
        for setting, seed in product(study.settings_of(task), study.seeds):
            for window, init, freeze in ablations:
                yield RunSpec(
                    encoder=self.encoder,
                    identity=self.identity,
                    task=task,
                    source=source,
                    evaluated=evaluated_corpora(source, study.tasks[task]),
                    window=None if window is None else str(window),
                    init=init,
                    adapters=None if window is None else study.adapters,
                    seed=seed,
                    training=setting.training,
                    limits=setting.limits,
                    similarity=_similarity_of(study, window),
                    task_version=TASK_INFO[task].version,
                    freeze=None if freeze == "none" else freeze,
                )


def _similarity_of(study: Study, window: Window | None) -> SimilarityConfig | None:
    config = study.similarity
    return config if config is not None and (window is None or config.runs == "all") else None


def evaluated_corpora(source: str, corpora: TaskConfig) -> tuple[str, ...]:
    """Return the source itself, every target, and the domains in the source's language."""
    language = parse_corpus(source).language
    domains = [name for name in corpora.domains if parse_corpus(name).language == language]
    return tuple(dict.fromkeys([source, *corpora.targets, *domains]))


def supervised_runs(study: Study, runs: Sequence[RunSpec]) -> list[RunSpec]:
    """Return the runs on supervised corpora: REF alone, in every seed and setting of ``runs``.

    A supervised corpus that is a source has none, because the study fine-tunes on it anyway.
    """
    return [
        run.model_copy(
            update={
                "source": corpus,
                "evaluated": _evaluated_in_language(corpus, study.tasks[run.task]),
                "similarity": None,
                "supervised": True,
            }
        )
        for run in runs
        if run.window is None and run.source == study.tasks[run.task].sources[0]
        for corpus in dict.fromkeys(study.tasks[run.task].supervised)
        if corpus not in study.tasks[run.task].sources
    ]


def _evaluated_in_language(corpus: str, corpora: TaskConfig) -> tuple[str, ...]:
    """Return a supervised corpus and the targets in its language."""
    language = parse_corpus(corpus).language
    targets = [name for name in corpora.targets if parse_corpus(name).language == language]
    return tuple(dict.fromkeys([corpus, *targets]))


def _windows_of(names: Iterable[str], encoder: EncoderSpec, blocks: int | None) -> list[Window]:
    """Return the windows that entries of a study stand for, in the same order."""
    windows: list[Window] = []
    for text in names:
        expanded = expand_windows(text, blocks)
        if expanded is None:
            raise StudyError(
                f"Window {text} needs the number of blocks of {encoder.name}, which cannot be "
                "reached. List the windows instead, such as ['0-1', '2-3']."
            )
        windows += expanded
    if blocks is not None:
        for window in windows:
            check_fits(window, blocks, encoder.name)
    return windows
