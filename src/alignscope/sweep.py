"""A sweep: what a study still lacks is performed, and every result kept as it comes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

import torch
from transformers import PreTrainedModel

from alignscope.corpora import checksums, read_split, splits_of
from alignscope.data.corpus import parse_corpus
from alignscope.data.places import Places
from alignscope.encoders.identity import encoder_identity
from alignscope.encoders.load import block_count, speak
from alignscope.errors import StackError, StoreError, StudyError, nearest
from alignscope.grid import Group, Inspected, together
from alignscope.prepare import encoder_of, pretrained_of, stack_of, subwords_of
from alignscope.similarity.corpora import cache_in, reader_with
from alignscope.similarity.states import check_similarity, parallel_of
from alignscope.store import Failure, Result, Store
from alignscope.study import Encoder, Run, Study
from alignscope.subwords import Subwords
from alignscope.tasks import TASKS
from alignscope.window import Window, check

Work = TypeVar("Work")
"""What an executor calls for each group: some perform runs here, some elsewhere."""


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


def group(
    runs: Iterable[Run], most: int, tell: Callable[[str], None] = lambda said: None
) -> list[Group]:
    """Group runs that can be performed in lockstep, ``most`` at a time.

    Where encoders cannot be stacked, ``tell`` is given one line that says so, and why.
    """
    by_encoder: dict[Encoder, list[Run]] = {}
    for run in runs:
        by_encoder.setdefault(run.encoder, []).append(run)
    found: list[Group] = []
    for own in by_encoder.values():
        groups = together(own, most)
        try:
            if largest := max(groups, key=len, default=()):
                stack_of(largest[:2], where=torch.device("cpu"))
        except StackError as error:
            tell(f"{error}; its runs are trained one by one")
            groups = together(own, 1)
        found += groups
    return found


@dataclass(frozen=True)
class Swept:
    """What a sweep did."""

    done: int
    failures: list[Failure]
    elsewhere: int = 0
    """Runs that another process was performing meanwhile."""


def sweep(
    groups: Iterable[Group],
    work: Work,
    store: Store,
    executor: Callable[[Iterable[Group], Work], Iterator[list[Result]]],
    report: Callable[[Result], None] = lambda result: None,
) -> Swept:
    """Perform the runs that ``store`` lacks and keep each result the moment it is there.

    Runs that another process performs or finishes meanwhile are skipped. A run that diverges is
    noted and tried again by the next sweep; the others go on.
    """
    done, failures, elsewhere = 0, list[Failure](), list[Run]()
    try:
        for result in chain.from_iterable(executor(_free(groups, store, elsewhere), work)):
            if isinstance(result, Failure):
                store.put_failure(result)
                failures.append(result)
            else:
                store.put(result)
                done += 1
            store.leave(result.run)
            report(result)
    finally:
        store.leave_all()
    return Swept(done, failures, len(elsewhere))


def _free(groups: Iterable[Group], store: Store, elsewhere: list[Run]) -> Iterator[Group]:
    """Take what is neither done nor in the hands of another process, group by group."""

    def free(run: Run) -> bool:
        if run in store:
            return False
        if not store.take(run):
            elsewhere.append(run)
            return False
        if run in store:  # it was finished just before it was taken
            store.leave(run)
            return False
        return True

    for group in groups:
        if own := tuple(filter(free, group)):
            yield own
