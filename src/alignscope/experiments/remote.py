"""A run on another machine: what it takes along, and how it is performed there."""

from dataclasses import replace
from pathlib import Path

from alignscope.config.run import RunSpec
from alignscope.data.corpora import SYNTHETIC
from alignscope.data.corpus import CorpusSpec, parse_corpus
from alignscope.data.locate import locate
from alignscope.data.paths import DataPaths
from alignscope.encoders.identity import encoder_files
from alignscope.encoders.resolve import EMBEDDED
from alignscope.errors import DataError
from alignscope.experiments.grouping import Group
from alignscope.experiments.inputs import required_splits
from alignscope.experiments.run import execute_runs
from alignscope.results.store import RunFailure, RunOutcome

ENCODERS = "encoders"


def files_to_ship(group: Group, places: DataPaths) -> dict[str, Path]:
    """Return the files of this machine that runs read, by their names in a data folder.

    >>> files_to_ship([run], DataPaths.of(["corpora"]))
    {'ud/en_ewt/train.conllu.gz': PosixPath('corpora/ud/en_ewt/train.conllu.gz'), ...}

    Encoders of the hub are left to the other machine, embedded languages are made there.

    Raises:
        DataError: if a corpus is not there, or is named by its path, which means nothing elsewhere.
    """
    run, found = group[0], dict[str, Path]()
    for name, split in dict.fromkeys(one for run in group for one in _reads(run)):
        corpus = parse_corpus(name)
        if corpus.kind != SYNTHETIC:
            path = locate(corpus, split, places)
            found[_name_there(corpus, split, path)] = path
    if run.encoder.name != EMBEDDED and Path(run.encoder.name).is_dir():
        own = f"{ENCODERS}/{run.identity.removeprefix('sha256:')}"
        found |= {f"{own}/{file.name}": file for file in encoder_files(Path(run.encoder.name))}
    return found


def _reads(run: RunSpec) -> list[tuple[str, str]]:
    """Every corpus and split that a run trains, is scored or is compared on."""
    asked = run.similarity
    compared = [] if asked is None else [(name, asked.split) for name in asked.corpora]
    return [*required_splits(run), *compared]


def _name_there(corpus: CorpusSpec, split: str, path: Path) -> str:
    if corpus.kind == "path":
        raise DataError(
            f"{corpus.name} is named by its path, which other machines do not have: put it into a "
            "data folder and name it as ud:xx_name"
        )
    home = "ud" if corpus.kind == "ud" else f"ner/{corpus.kind}"
    ending = "".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix
    return f"{home}/{corpus.treebank}/{split}{ending}"


def execute_shipped(group: Group, folder: Path) -> list[RunOutcome]:
    """Perform runs with the files that were carried into ``folder``; results are of ``group``."""
    carried = folder / ENCODERS / group[0].identity.removeprefix("sha256:")
    here = [_named(run, str(carried)) if carried.is_dir() else run for run in group]
    results = execute_runs(here, DataPaths((folder,), cache=folder / "cache", download=False))
    return [_of(run, result) for run, result in zip(group, results, strict=True)]


def _of(run: RunSpec, result: RunOutcome) -> RunOutcome:
    """The result, named as where it was asked for."""
    if isinstance(result, RunFailure):
        return replace(result, run=run)
    encoder = {**result.provenance["encoder"], "name": run.encoder.name}
    return replace(result, run=run, provenance={**result.provenance, "encoder": encoder})


def _named(run: RunSpec, encoder: str) -> RunSpec:
    return run.model_copy(update={"encoder": run.encoder.model_copy(update={"name": encoder})})
