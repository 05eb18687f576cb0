"""The grid of a study, unfolded into its runs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from alignscope.config.registry import TASK_INFO
from alignscope.config.run import EncoderSpec, Init, RunSpec
from alignscope.config.similarity import StudySimilarityConfig
from alignscope.config.study import Study, TaskConfig
from alignscope.config.windows import Window, check_fits, expand_windows
from alignscope.data.corpus import parse_corpus
from alignscope.errors import StudyError


@dataclass(frozen=True)
class EncoderInfo:
    """What unfolding a study must know of an encoder: who it is and how many blocks it has."""

    identity: str
    blocks: int | None
    """None where it cannot be known yet (a hub that is not reached)."""


def expand(study: Study, inspect: Callable[[EncoderSpec], EncoderInfo]) -> list[RunSpec]:
    """Unfold a study into its runs, REF before its windows.

    >>> [run.window for run in expand(study, inspect)][:4]
    [None, '0-1', '2-3', '4-5']

    Raises:
        StudyError: if there is no encoder, or a window does not fit one.
    """
    if not study.encoders:
        raise StudyError(f"study {study.name} names no encoder; give one with --encoder")
    found = []
    for encoder in study.encoders:
        inspected = inspect(encoder)
        windows = _windows_of(study, encoder, inspected.blocks)
        for task, grid in study.tasks.items():
            for source in grid.sources:
                found += list(_runs_of_source(study, encoder, inspected, task, source, windows))
    return list({run.address: run for run in found}.values())


def _runs_of_source(
    study: Study,
    encoder: EncoderSpec,
    inspected: EncoderInfo,
    task: str,
    source: str,
    windows: list[Window],
) -> Iterator[RunSpec]:
    grid = study.tasks[task]
    variants: list[tuple[Window | None, Init | None]] = [(None, None)]
    variants += [(window, init) for init in study.init for window in windows]
    for seed in study.seeds:
        for window, init in variants:
            yield RunSpec(
                encoder=encoder,
                identity=inspected.identity,
                task=task,
                source=source,
                evaluated=_evaluated(source, grid),
                window=None if window is None else str(window),
                init=init,
                adapters=None if window is None else study.adapters,
                seed=seed,
                training=study.training_of(task),
                limits=study.limits_of(task),
                similarity=_similarity_of(study, window),
                task_version=TASK_INFO[task].version,
            )


def _similarity_of(study: Study, window: Window | None) -> StudySimilarityConfig | None:
    asked = study.similarity
    return asked if asked is not None and (window is None or asked.runs == "all") else None


def _evaluated(source: str, grid: TaskConfig) -> tuple[str, ...]:
    """The source itself, every target, and the domains in the source's language."""
    language = parse_corpus(source).language
    domains = [name for name in grid.domains if parse_corpus(name).language == language]
    return tuple(dict.fromkeys([source, *grid.targets, *domains]))


def _windows_of(study: Study, encoder: EncoderSpec, blocks: int | None) -> list[Window]:
    """The windows of a study for an encoder, in the order given."""
    found: list[Window] = []
    for text in study.windows:
        unfolded = expand_windows(text, blocks)
        if unfolded is None:
            raise StudyError(
                f"window {text} needs the number of blocks of {encoder.name}, which cannot be "
                f"reached; list the windows instead, such as ['0-1', '2-3']"
            )
        found += unfolded
    if blocks is not None:
        for window in found:
            check_fits(window, blocks, encoder.name)
    return found
