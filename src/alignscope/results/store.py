"""Results on disk: one self-describing JSON file per run.

    STORE/runs/ADDRESS.json      a run with its results and provenance
    STORE/failed/ADDRESS.json    a run with the reason of its failure
    STORE/plans/DIGEST.json      a study with its runs
    STORE/taken/ADDRESS.lock     the lock of the process that executes a run, removed at its end

Plans make tables possible where the encoder is not available. A file is written under another name
and then renamed, so a killed process leaves no partial result. Two processes that share a store
execute no run twice, and the operating system releases the locks of a killed process. On a shared
disk without locks between machines, a run may be executed twice, and the later result is kept; use
``run --shard`` there.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from filelock import BaseFileLock, FileLock, Timeout
from numpy.typing import NDArray

from alignscope._util.files import replace_file
from alignscope.config.run import EncoderSpec, RunSpec
from alignscope.config.similarity import STORED
from alignscope.config.study import Study
from alignscope.errors import StoreError
from alignscope.results.counts import unpack_counts

Row = dict[str, Any]


@dataclass(frozen=True)
class RunResult:
    """The results of a run: rows of tables, and their provenance."""

    run: RunSpec
    scores: list[Row]
    epochs: list[Row]
    provenance: dict[str, Any] = field(default_factory=dict)
    similarity: list[Row] = field(default_factory=list)
    examples: list[Row] = field(default_factory=list)
    """One sentence per corpus with gold and predicted labels, shown in the report."""
    counts: dict[str, str] = field(default_factory=dict)
    """The outcomes of the sentences of each corpus, packed; read them with `sentence_counts`."""
    changes: list[Row] = field(default_factory=list)
    """How much fine-tuning changed each block, in REF runs that measure drift."""

    def sentence_counts(self, corpus: str) -> NDArray[np.int64] | None:
        """Return the outcome of each sentence of a corpus in the task's first metric.

        Args:
            corpus: the name of an evaluated corpus, whose test split was predicted.

        Returns:
            An array (sentences, 2): numerator and denominator. The sum of the numerators over the
            sum of the denominators is the score. None if the run did not keep them.

        Raises:
            StoreError: if the stored text is broken.
        """
        if corpus not in self.counts:
            return None
        try:
            return unpack_counts(self.counts[corpus])
        except ValueError as error:
            raise StoreError(
                f"The result {self.run.address} has broken counts of {corpus}: {error} {_REMEDY}"
            ) from None


@dataclass(frozen=True)
class RunFailure:
    """A run that failed, with the reason."""

    run: RunSpec
    reason: str


RunOutcome = RunResult | RunFailure


class ResultStore:
    """A folder of results, keyed by the address of their runs.

    Raises:
        StoreError: if a file is in the place of the folder or of one above it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._locks: dict[str, BaseFileLock] = {}
        for path in (folder, *folder.parents):
            if path.is_file():
                raise StoreError(f"{path} is a file, not a folder for results. Name another one.")

    def __contains__(self, run: RunSpec) -> bool:
        return self._path("runs", run.address).exists()

    def save(self, outcome: RunResult) -> None:
        """Save the result of a run, and delete an earlier failure of the same run.

        Raises:
            StoreError: if the file cannot be written.
        """
        self._write("runs", outcome.run.address, {
            "run": outcome.run.model_dump(mode="json"),
            "scores": outcome.scores,
            "epochs": outcome.epochs,
            "similarity": outcome.similarity,
            "examples": outcome.examples,
            "counts": outcome.counts,
            "changes": outcome.changes,
            "provenance": outcome.provenance,
        })  # fmt: skip
        self._path("failed", outcome.run.address).unlink(missing_ok=True)

    def save_failure(self, failure: RunFailure) -> None:
        """Save the reason of a failure; the run stays pending.

        Raises:
            StoreError: if the file cannot be written.
        """
        content = {"run": failure.run.model_dump(mode="json"), "reason": failure.reason}
        self._write("failed", failure.run.address, content)

    def load(self, run: RunSpec) -> RunResult | None:
        """Return the result of a run, or None if it is not done.

        The result names the encoder as ``run`` does, even if the encoder has been moved since.

        Raises:
            StoreError: if the file is not a result of this run.
        """
        content = self._read("runs", run.address)
        if content is None:
            return None
        with self._expecting("runs", run.address, "a result of this run"):
            if RunSpec.model_validate(content["run"], context=STORED).address != run.address:
                raise ValueError("another run")
            return RunResult(
                run,
                content["scores"],
                content["epochs"],
                content["provenance"],
                # The first versions measured no similarity, and kept no examples and no counts.
                content.get("similarity", []),
                content.get("examples", []),
                content.get("counts", {}),
                content.get("changes", []),
            )

    def load_failure(self, run: RunSpec) -> RunFailure | None:
        """Return the failure of a run, or None if it has not failed."""
        content = self._read("failed", run.address)
        if content is None:
            return None
        with self._expecting("failed", run.address, "a failure"):
            return RunFailure(run, content["reason"])

    def load_results(self, runs: Iterable[RunSpec]) -> list[RunResult]:
        """Return the results of the runs that are done, in the order of ``runs``."""
        results = (self.load(run) for run in runs)
        return [result for result in results if result is not None]

    def acquire(self, run: RunSpec) -> bool:
        """Lock a run for this process; return False if another process holds the lock.

        Raises:
            StoreError: if the folder cannot be written.
        """
        path = self.folder / "taken" / f"{run.address}.lock"
        lock = FileLock(path, blocking=False, thread_local=False)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            return False
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error}.") from None
        self._locks[run.address] = lock
        return True

    def release(self, run: RunSpec) -> None:
        """Release the lock of a run."""
        self._release(run.address)

    def release_all(self) -> None:
        """Release all locks of this process."""
        for address in list(self._locks):
            self._release(address)

    def _release(self, address: str) -> None:
        lock = self._locks.pop(address)
        with suppress(OSError):  # another process has removed the file, or uses the folder
            Path(lock.lock_file).unlink()
            (self.folder / "taken").rmdir()
        lock.release()

    def save_plan(self, study: Study, runs: Iterable[RunSpec]) -> None:
        """Save the runs of a study."""
        planned = [run.model_dump(mode="json") for run in runs]
        self._write("plans", study.digest, {"study": study.grid, "runs": planned})

    def load_plan(self, study: Study) -> list[RunSpec]:
        """Return the runs of a study, as saved when it was last run.

        A study that names no encoder has the runs of all encoders. If a study does not state how
        similarity reads text, the runs of earlier versions, which read words, are found too.

        Raises:
            StoreError: if the study, as its file is now, was never run on this store.
        """
        earlier = study.as_earlier_versions_read_it()
        planned = self._load_plans(study.matches) or self._load_plans(earlier.matches)
        if not planned:
            raise StoreError(
                f"{self.folder} has no results of study {study.name} as it is now. Run the study "
                "first, or use the study file that was run."
            )
        # A short name can be given after the runs, and is not part of a plan's identity.
        specs = {_identity(encoder): encoder for encoder in study.encoders}
        return [
            run.model_copy(update={"encoder": specs.get(_identity(run.encoder), run.encoder)})
            for run in planned
        ]

    def load_all_plans(self) -> list[RunSpec]:
        """Return the runs of every study that was run on this store.

        Raises:
            StoreError: if none was.
        """
        planned = self._load_plans(lambda grid: True)
        if not planned:
            raise StoreError(f"{self.folder} has no results: no study was run on it.")
        return planned

    def _load_plans(self, wanted: Callable[[Row], bool]) -> list[RunSpec]:
        by_address: dict[str, RunSpec] = {}
        for path in sorted((self.folder / "plans").glob("*.json")):
            content = self._read("plans", path.stem)
            with self._expecting("plans", path.stem, "the plan of a study"):
                if wanted(content["study"]):
                    runs = [RunSpec.model_validate(run, context=STORED) for run in content["runs"]]
                    by_address |= {run.address: run for run in runs}
        return list(by_address.values())

    def _path(self, kind: str, address: str) -> Path:
        return self.folder / kind / f"{address}.json"

    def _read(self, kind: str, address: str) -> Any:
        """Return the content of a file, or None if there is no file; ``{}`` for JSON's null."""
        path = self._path(kind, address)
        try:
            return json.loads(path.read_text(encoding="utf-8")) or {}
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise StoreError(f"{path} cannot be read: {error}. {_REMEDY}") from None

    @contextmanager
    def _expecting(self, kind: str, address: str, what: str) -> Iterator[None]:
        """Raise a StoreError that names the file if its content is not as expected."""
        try:
            yield
        except (KeyError, TypeError, ValueError):  # pydantic's ValidationError is a ValueError
            raise StoreError(f"{self._path(kind, address)} is not {what}. {_REMEDY}") from None

    def _write(self, kind: str, address: str, content: Row) -> None:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1)
        path = self._path(kind, address)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(text.encode(), path)
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error}.") from None


def _identity(encoder: EncoderSpec) -> tuple[str, str, bool]:
    return encoder.name, encoder.revision, encoder.remote_code


_REMEDY = "Delete it; the next run replaces it."
