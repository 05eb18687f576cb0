"""Checks of corpora, encoders and the store before any training."""

from collections.abc import Iterable, Sequence

from transformers import PreTrainedModel

from alignscope.config.grid import Inspected
from alignscope.config.run import Encoder, Run
from alignscope.config.study import Study
from alignscope.config.windows import Window, check
from alignscope.data.corpus import parse_corpus
from alignscope.data.paths import Places
from alignscope.encoders.identity import encoder_identity
from alignscope.encoders.load import block_count, speak
from alignscope.encoders.tokenization import Subwords
from alignscope.errors import StoreError, StudyError, nearest
from alignscope.experiments.inputs import checksums, read_split, splits_of
from alignscope.experiments.setup import encoder_of, pretrained_of, subwords_of
from alignscope.results.store import Store
from alignscope.similarity.compare import cache_in, reader_with
from alignscope.similarity.stages import check_similarity, parallel_of
from alignscope.tasks import TASKS


def inspect(encoder: Encoder, *, count_blocks: bool = True) -> Inspected:
    """Look at an encoder's configuration and identity, without loading its weights.

    A study that lists its windows can be planned without a network: with ``count_blocks`` off,
    an encoder on the hub is not asked for (a folder always is).

    Raises:
        EncoderError: if the encoder is not there, or has no blocks that can be re-initialised.
    """
    identity = encoder_identity(encoder.name, encoder.revision)
    if not (count_blocks or identity.startswith("sha256:")):
        return Inspected(identity, None)
    blocks = block_count(encoder.name, encoder.revision, remote_code=encoder.remote_code)
    return Inspected(identity, blocks)


def check_tasks(study: Study) -> None:
    """Make sure that every task of a study is known.

    Raises:
        StudyError: for the first that is not, with the nearest that is.
    """
    for task in study.tasks:
        if task not in TASKS:
            raise StudyError(
                f"{task} is not a task{nearest(task, TASKS)}; allowed are {', '.join(TASKS)}"
            )


def check_data(runs: Sequence[Run], places: Places) -> None:
    """Read every corpus the runs need once, so that what is missing is said before any training.

    Raises:
        DataError: for the first corpus, split or annotation that is not there, or parallel
            corpora that do not line up.
    """
    for (_, name, split), run in _reads(runs).items():
        read_split(run, name, split, places)
    for run in _compares(runs):
        parallel_of(run, places)


def check_encoders(runs: Iterable[Run], places: Places) -> None:
    """Load every encoder the runs need, re-initialise a window and split every word, once each.

    Raises:
        EncoderError: for weights or a tokenizer that cannot be used, a window that cannot be
            re-initialised as asked, or a language that X-MOD has no adapters for.
        DataError: for a word that has no sub-words.
    """
    groups: dict[Encoder, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.encoder, []).append(run)
    for group in groups.values():
        _check_windows(group)
        for run in {(run.init, run.adapters): run for run in group}.values():
            encoder = encoder_of(run)
        _check_words(encoder, group, places)


def _check_windows(runs: list[Run]) -> None:
    """Windows that are listed, and layers, were taken without asking how many there are."""
    encoder = runs[0].encoder
    count = block_count(encoder.name, encoder.revision, remote_code=encoder.remote_code)
    for run in runs:
        if run.window is not None:
            check(Window.parse(run.window), count, encoder.label)
        if run.similarity is not None:
            try:
                run.similarity.layers_of(count + 1)
            except ValueError as error:
                raise StudyError(f"similarity.layers: {error}") from None


def _check_words(encoder: PreTrainedModel, runs: Sequence[Run], places: Places) -> None:
    subwords: dict[str, Subwords] = {}
    for (task, name, split), run in _reads(runs).items():
        if task not in subwords:
            subwords[task] = subwords_of(run, encoder)
        speak(encoder, parse_corpus(name).language)
        subwords[task].split(read_split(run, name, split, places))
    for run in _compares(runs):
        for name, sentences in parallel_of(run, places).items():
            speak(encoder, parse_corpus(name).language)
            subwords[run.task].split(sentences)
        reader = reader_with(pretrained_of(run), subwords[run.task], cache_in(places))
        check_similarity(run, reader, places)


def _reads(runs: Iterable[Run]) -> dict[tuple[str, str, str], Run]:
    """Every task, corpus and split that is read, and one of the runs that do."""
    return {(run.task, name, split): run for run in runs for name, split in splits_of(run)}


def _compares(runs: Iterable[Run]) -> list[Run]:
    """A run for every source and similarity that is asked for."""
    asked = {(run.source, run.similarity): run for run in runs if run.similarity is not None}
    return list(asked.values())


def check_store(runs: Iterable[Run], store: Store, places: Places) -> None:
    """Make sure that results kept earlier were made with the data found now.

    Raises:
        StoreError: if a corpus has changed since; its scores could not be compared.
    """
    now: dict[str, str] = {}
    for run in runs:
        outcome = store.get(run)
        if outcome is None:
            continue
        if not outcome.provenance["data"].keys() <= now.keys():
            now |= checksums(run, places)
        for name, then in outcome.provenance["data"].items():
            if now[name] != then:
                raise StoreError(
                    f"{store.folder} has results made with another {name} (SHA-256 {then[:12]}…) "
                    f"than the one found now ({now[name][:12]}…); use another store"
                )
