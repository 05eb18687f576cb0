"""A run on another machine: what it takes along, and how it is performed there."""

from dataclasses import replace
from pathlib import Path

from alignscope.corpora import MADE, splits_of
from alignscope.data.corpus import Corpus, locate, parse_corpus
from alignscope.data.places import Places
from alignscope.encoders.identity import encoder_files
from alignscope.encoders.names import EMBEDDED
from alignscope.errors import DataError
from alignscope.perform import perform
from alignscope.store import Outcome
from alignscope.study import Run

ENCODERS = "encoders"


def files_of(run: Run, places: Places) -> dict[str, Path]:
    """Return the files of this machine that a run reads, by their names in a data folder.

    >>> files_of(run, Places.of(["corpora"]))
    {'ud/en_ewt/train.conllu.gz': PosixPath('corpora/ud/en_ewt/train.conllu.gz'), ...}

    Encoders of the hub are left to the other machine, embedded languages are made there.

    Raises:
        DataError: if a corpus is not there, or is named by its path, which means nothing elsewhere.
    """
    asked = run.similarity
    compared = [] if asked is None else [(name, asked.split) for name in asked.corpora]
    found: dict[str, Path] = {}
    for name, split in [*splits_of(run), *compared]:
        corpus = parse_corpus(name)
        if corpus.kind != MADE:
            path = locate(corpus, split, places)
            found[_name_there(corpus, split, path)] = path
    if run.encoder.name != EMBEDDED and Path(run.encoder.name).is_dir():
        own = f"{ENCODERS}/{run.identity.removeprefix('sha256:')}"
        found |= {f"{own}/{file.name}": file for file in encoder_files(Path(run.encoder.name))}
    return found


def _name_there(corpus: Corpus, split: str, path: Path) -> str:
    if corpus.kind == "path":
        raise DataError(
            f"{corpus.name} is named by its path, which other machines do not have: put it into a "
            "data folder and name it as ud:xx_name"
        )
    home = "ud" if corpus.kind == "ud" else f"ner/{corpus.kind}"
    ending = "".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix
    return f"{home}/{corpus.treebank}/{split}{ending}"


def perform_there(run: Run, folder: Path) -> Outcome:
    """Perform a run with the files that were carried into ``folder``; the outcome is of ``run``."""
    carried = folder / ENCODERS / run.identity.removeprefix("sha256:")
    here = _named(run, str(carried)) if carried.is_dir() else run
    outcome = perform(here, Places(folders=(folder,), cache=folder / "cache", download=False))
    encoder = {**outcome.provenance["encoder"], "name": run.encoder.name}
    return replace(outcome, run=run, provenance={**outcome.provenance, "encoder": encoder})


def _named(run: Run, encoder: str) -> Run:
    return run.model_copy(update={"encoder": run.encoder.model_copy(update={"name": encoder})})
