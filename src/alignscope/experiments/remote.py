"""Executing a group on another machine: the files it needs, and how they are named there."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from alignscope.config.run import EMBEDDED, RunSpec
from alignscope.data.corpora import SYNTHETIC
from alignscope.data.corpus import CorpusSpec, parse_corpus
from alignscope.data.locate import locate
from alignscope.data.paths import DataPaths
from alignscope.encoders.identity import encoder_files
from alignscope.errors import DataError
from alignscope.experiments.grouping import Group
from alignscope.experiments.inputs import required_splits
from alignscope.experiments.progress import SilentProgress
from alignscope.results.store import RunFailure, RunOutcome

if TYPE_CHECKING:  # the executors import this module
    from alignscope.experiments.executors.executor import Work

ENCODERS = "encoders"


def files_to_ship(group: Group, paths: DataPaths) -> dict[str, Path]:
    """Return the files of this machine that a group reads, by their names in a data folder.

    .. code-block:: python

        files_to_ship((run,), DataPaths.of(["corpora"]))
        # {'ud/en_ewt/train.conllu.gz': Path('corpora/ud/en_ewt/train.conllu.gz'), ...}

    Encoders of the hub and synthetic corpora are not shipped: the other machine downloads or
    generates them.

    Raises:
        DataError: if a corpus is missing, or is named by a path, which means nothing elsewhere.
    """
    run, files = group[0], dict[str, Path]()
    for name, split in dict.fromkeys(split for run in group for split in _splits_read(run)):
        corpus = parse_corpus(name)
        if corpus.kind != SYNTHETIC:
            path = locate(corpus, split, paths)
            files[_shipped_name(corpus, split, path)] = path
    if run.encoder.name != EMBEDDED and Path(run.encoder.name).is_dir():
        folder = _encoder_folder(run)
        files |= {f"{folder}/{file.name}": file for file in encoder_files(Path(run.encoder.name))}
    return files


def _splits_read(run: RunSpec) -> list[tuple[str, str]]:
    """Return every corpus and split that a run trains, is evaluated or is compared on."""
    config = run.similarity
    compared = [] if config is None else [(name, config.split) for name in config.corpora]
    return [*required_splits(run), *compared]


def _encoder_folder(run: RunSpec) -> str:
    return f"{ENCODERS}/{run.identity.removeprefix('sha256:')}"


def _shipped_name(corpus: CorpusSpec, split: str, path: Path) -> str:
    if corpus.kind == "path":
        raise DataError(
            f"{corpus.name} is named by its path, which other machines do not have. Put it into a "
            "data folder, and name it as ud:xx_name."
        )
    folder = "ud" if corpus.kind == "ud" else f"ner/{corpus.kind}"
    suffix = "".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix
    return f"{folder}/{corpus.treebank}/{split}{suffix}"


def execute_shipped(work: "Work", group: Group, folder: Path) -> Iterator[RunOutcome]:
    """Execute a group with the files shipped into ``folder``.

    Outcomes name the encoder as ``group`` does, not by its place on this machine.
    """
    paths = DataPaths((folder,), cache=folder / "cache", download=False)
    encoder = folder / _encoder_folder(group[0])
    if not encoder.is_dir():
        yield from work(group, paths, SilentProgress())
        return
    local = tuple(_with_encoder(run, str(encoder)) for run in group)
    original = {run.address: run for run in group}  # no address depends on an encoder's name
    for outcome in work(local, paths, SilentProgress()):
        yield _with_run(outcome, original[outcome.run.address])


def _with_encoder(run: RunSpec, encoder: str) -> RunSpec:
    return run.model_copy(update={"encoder": run.encoder.model_copy(update={"name": encoder})})


def _with_run(outcome: RunOutcome, run: RunSpec) -> RunOutcome:
    if isinstance(outcome, RunFailure):
        return replace(outcome, run=run)
    encoder = {**outcome.provenance["encoder"], "name": run.encoder.name}
    return replace(outcome, run=run, provenance={**outcome.provenance, "encoder": encoder})
