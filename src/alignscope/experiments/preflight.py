"""Checks of tasks, corpora, encoders and the store before any training."""

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
from alignscope.similarity.extractor import default_cache, make_extractor
from alignscope.similarity.reading import Corpora, as_read
from alignscope.similarity.stages import check_similarity, load_parallel


def inspect_encoder(encoder: EncoderSpec, *, count_blocks: bool = True) -> EncoderInfo:
    """Return the identity and the number of blocks of an encoder, without loading its weights.

    Args:
        encoder: the encoder.
        count_blocks: whether the number of blocks is needed. Otherwise a hub encoder is not
            accessed, so that a study which lists its windows can be planned offline.

    Raises:
        EncoderError: if the encoder is missing, or has no blocks that can be re-initialised.
    """
    identity = encoder_identity(encoder.name, encoder.revision)
    if not (count_blocks or identity.startswith("sha256:")):
        return EncoderInfo(identity, None)
    return EncoderInfo(identity, _count_blocks(encoder))


def _count_blocks(encoder: EncoderSpec) -> int:
    return block_count(encoder.name, encoder.revision, remote_code=encoder.remote_code)


def check_tasks(study: Study) -> None:
    """Make sure that every task of a study is known.

    Raises:
        StudyError: for the first unknown task, with the nearest known name.
    """
    for task in study.tasks:
        TASK_INFO[task]


def check_data(runs: Sequence[RunSpec], paths: DataPaths) -> None:
    """Read every corpus of the runs once, so that a missing one is reported before any training.

    Raises:
        DataError: for the first corpus, split or annotation that is missing, and for parallel
            corpora that do not line up.
    """
    for (_, name, split, _), run in _splits_read(runs).items():
        load_split(run, name, split, paths)
    for run in _one_per_similarity(runs):
        _load_parallel(run, paths)


def check_encoders(runs: Iterable[RunSpec], paths: DataPaths) -> None:
    """Load every encoder, re-initialise a window in each way, and tokenize every sentence once.

    Raises:
        EncoderError: if weights or a tokenizer cannot be used, a window cannot be re-initialised,
            or X-MOD has no adapters for a language.
        DataError: if a word has no subwords.
        SimilarityError: if the representations of parallel corpora cannot be compared.
    """
    groups: dict[EncoderSpec, list[RunSpec]] = {}
    for run in runs:
        groups.setdefault(run.encoder, []).append(run)
    for group in groups.values():
        _check_windows(group)
        for run in {(run.init_label, run.adapters): run for run in group}.values():
            encoder = load_ablated_encoder(run)
        _check_words(encoder, group, paths)


def _check_windows(runs: list[RunSpec]) -> None:
    """Check windows and layers, which were expanded without the number of blocks."""
    encoder = runs[0].encoder
    count = _count_blocks(encoder)
    for run in runs:
        if run.window is not None:
            check_fits(Window.parse(run.window), count, encoder.label)
        if run.similarity is not None:
            try:
                run.similarity.layers_of(count + 1)
            except ValueError as error:
                raise StudyError(f"similarity.layers: {error}") from None


def _check_words(encoder: PreTrainedModel, runs: Sequence[RunSpec], paths: DataPaths) -> None:
    tokenizers: dict[str, WordTokenizer] = {}
    for (task, name, split, _), run in _splits_read(runs).items():
        if task not in tokenizers:
            tokenizers[task] = load_word_tokenizer(run, encoder)
        set_language(encoder, parse_corpus(name).language)
        tokenizers[task].split(load_split(run, name, split, paths))
    for run in _one_per_similarity(runs):
        corpora, tokenizer = _load_parallel(run, paths), tokenizers[run.task]
        for name, sentences in corpora.items():
            set_language(encoder, parse_corpus(name).language)
            if run.similarity is not None:
                tokenizer.split(as_read(sentences, run.similarity))
        if run.similarity is not None:
            pretrained = make_extractor(load_pretrained(run), tokenizer, default_cache(paths))
            check_similarity(run.similarity, corpora, pretrained)


def _load_parallel(run: RunSpec, paths: DataPaths) -> Corpora:
    return {} if run.similarity is None else load_parallel(run.similarity, run.source, paths)


def _splits_read(runs: Iterable[RunSpec]) -> dict[tuple[str, str, str, int | None], RunSpec]:
    """Return every (task, corpus, split, limit) that is read, with one of the runs that read it."""
    return {
        (run.task, name, split, getattr(run.limits, split)): run
        for run in runs
        for name, split in required_splits(run)
    }


def _one_per_similarity(runs: Iterable[RunSpec]) -> list[RunSpec]:
    """Return one run for every source and similarity configuration."""
    compared = {(run.source, run.similarity): run for run in runs if run.similarity is not None}
    return list(compared.values())


def check_store(runs: Iterable[RunSpec], store: ResultStore, paths: DataPaths) -> None:
    """Check that earlier results were made with the data that is found now.

    Raises:
        StoreError: if a corpus has changed since, so that scores could not be compared.
    """
    current: dict[str, str] = {}
    for run in runs:
        result = store.load(run)
        if result is None:
            continue
        earlier = result.provenance["data"]
        if not earlier.keys() <= current.keys():
            current |= input_checksums(run, paths)
        for name, checksum in earlier.items():
            if current[name] != checksum:
                raise StoreError(
                    f"{store.folder} has results made with another {name} (SHA-256 "
                    f"{checksum[:12]}…) than the one found now ({current[name][:12]}…). Use "
                    "another store, or restore the corpus."
                )
