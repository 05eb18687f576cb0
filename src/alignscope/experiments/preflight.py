"""Checks of corpora, encoders and the store before any training."""

from collections.abc import Iterable, Sequence

from transformers import PreTrainedModel

from alignscope.config.grid import EncoderInfo
from alignscope.config.registry import TASK_INFO
from alignscope.config.run import EncoderSpec, RunSpec
from alignscope.config.study import Study
from alignscope.config.windows import Window, check_fits
from alignscope.data.corpus import parse_corpus
from alignscope.data.paths import DataPaths
from alignscope.encoders.identity import encoder_identity
from alignscope.encoders.load import block_count, set_language
from alignscope.encoders.tokenization import WordTokenizer
from alignscope.errors import StoreError, StudyError
from alignscope.experiments.inputs import input_checksums, load_split, required_splits
from alignscope.experiments.setup import load_ablated_encoder, load_pretrained, load_word_tokenizer
from alignscope.results.store import ResultStore
from alignscope.similarity.compare import default_cache, make_extractor
from alignscope.similarity.stages import check_similarity, load_parallel


def inspect_encoder(encoder: EncoderSpec, *, count_blocks: bool = True) -> EncoderInfo:
    """Look at an encoder's configuration and identity, without loading its weights.

    A study that lists its windows can be planned without a network: with ``count_blocks`` off,
    an encoder on the hub is not asked for (a folder always is).

    Raises:
        EncoderError: if the encoder is not there, or has no blocks that can be re-initialised.
    """
    identity = encoder_identity(encoder.name, encoder.revision)
    if not (count_blocks or identity.startswith("sha256:")):
        return EncoderInfo(identity, None)
    blocks = block_count(encoder.name, encoder.revision, remote_code=encoder.remote_code)
    return EncoderInfo(identity, blocks)


def check_tasks(study: Study) -> None:
    """Make sure that every task of a study is known.

    Raises:
        StudyError: for the first unknown task, with the nearest known name.
    """
    for task in study.tasks:
        TASK_INFO[task]


def check_data(runs: Sequence[RunSpec], places: DataPaths) -> None:
    """Read every corpus the runs need once, so that what is missing is said before any training.

    Raises:
        DataError: for the first corpus, split or annotation that is not there, or parallel
            corpora that do not line up.
    """
    for (_, name, split), run in _reads(runs).items():
        load_split(run, name, split, places)
    for run in _compares(runs):
        load_parallel(run, places)


def check_encoders(runs: Iterable[RunSpec], places: DataPaths) -> None:
    """Load every encoder the runs need, re-initialise a window and split every word, once each.

    Raises:
        EncoderError: for weights or a tokenizer that cannot be used, a window that cannot be
            re-initialised as asked, or a language that X-MOD has no adapters for.
        DataError: for a word that has no sub-words.
    """
    groups: dict[EncoderSpec, list[RunSpec]] = {}
    for run in runs:
        groups.setdefault(run.encoder, []).append(run)
    for group in groups.values():
        _check_windows(group)
        for run in {(run.init, run.adapters): run for run in group}.values():
            encoder = load_ablated_encoder(run)
        _check_words(encoder, group, places)


def _check_windows(runs: list[RunSpec]) -> None:
    """Windows that are listed, and layers, were taken without asking how many there are."""
    encoder = runs[0].encoder
    count = block_count(encoder.name, encoder.revision, remote_code=encoder.remote_code)
    for run in runs:
        if run.window is not None:
            check_fits(Window.parse(run.window), count, encoder.label)
        if run.similarity is not None:
            try:
                run.similarity.layers_of(count + 1)
            except ValueError as error:
                raise StudyError(f"similarity.layers: {error}") from None


def _check_words(encoder: PreTrainedModel, runs: Sequence[RunSpec], places: DataPaths) -> None:
    subwords: dict[str, WordTokenizer] = {}
    for (task, name, split), run in _reads(runs).items():
        if task not in subwords:
            subwords[task] = load_word_tokenizer(run, encoder)
        set_language(encoder, parse_corpus(name).language)
        subwords[task].split(load_split(run, name, split, places))
    for run in _compares(runs):
        for name, sentences in load_parallel(run, places).items():
            set_language(encoder, parse_corpus(name).language)
            subwords[run.task].split(sentences)
        reader = make_extractor(load_pretrained(run), subwords[run.task], default_cache(places))
        check_similarity(run, reader, places)


def _reads(runs: Iterable[RunSpec]) -> dict[tuple[str, str, str], RunSpec]:
    """Every task, corpus and split that is read, and one of the runs that do."""
    return {(run.task, name, split): run for run in runs for name, split in required_splits(run)}


def _compares(runs: Iterable[RunSpec]) -> list[RunSpec]:
    """A run for every source and similarity that is asked for."""
    asked = {(run.source, run.similarity): run for run in runs if run.similarity is not None}
    return list(asked.values())


def check_store(runs: Iterable[RunSpec], store: ResultStore, places: DataPaths) -> None:
    """Make sure that results kept earlier were made with the data found now.

    Raises:
        StoreError: if a corpus has changed since; its scores could not be compared.
    """
    now: dict[str, str] = {}
    for run in runs:
        outcome = store.load(run)
        if outcome is None:
            continue
        if not outcome.provenance["data"].keys() <= now.keys():
            now |= input_checksums(run, places)
        for name, then in outcome.provenance["data"].items():
            if now[name] != then:
                raise StoreError(
                    f"{store.folder} has results made with another {name} (SHA-256 {then[:12]}…) "
                    f"than the one found now ({now[name][:12]}…); use another store"
                )
