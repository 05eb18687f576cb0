"""Results on disk: one self-describing JSON file per run, whole or not there at all.

    STORE/runs/ADDRESS.json      what a run was, its tables and its provenance
    STORE/failed/ADDRESS.json    what a run was and why it stopped
    STORE/plans/DIGEST.json      a study and the runs it unfolded into
    STORE/taken/ADDRESS.lock     held by the process that performs a run, gone when it is done

The plan lets tables be made where the encoder is not at hand. A file is written beside its name and
renamed, so a killed process leaves no half result. Two processes on one store do no run twice: the
system frees what a killed one had taken. (Where a shared disk has no locks between machines, they
at worst do a run twice, and the last to end is kept: see ``run --shard``.)
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, Timeout

from alignscope._util.files import replace_file
from alignscope.config.run import EncoderSpec, RunSpec
from alignscope.config.similarity import STORED
from alignscope.config.study import Study
from alignscope.errors import StoreError

Row = dict[str, Any]


@dataclass(frozen=True)
class RunResult:
    """What a run gives: its tables, and how they came about."""

    run: RunSpec
    scores: list[Row]
    epochs: list[Row]
    provenance: dict[str, Any] = field(default_factory=dict)
    similarity: list[Row] = field(default_factory=list)
    examples: list[Row] = field(default_factory=list)
    """One sentence a corpus, with what each word should and did get; for people to look at."""


@dataclass(frozen=True)
class RunFailure:
    """A run that stopped by itself, and why."""

    run: RunSpec
    reason: str


RunOutcome = RunResult | RunFailure


class ResultStore:
    """A folder of outcomes, keyed by the address of their runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._locks: dict[str, BaseFileLock] = {}
        for path in (folder, *folder.parents):
            if path.is_file():
                raise StoreError(f"{path} is a file, not a folder for results")

    def __contains__(self, run: RunSpec) -> bool:
        return self._path("runs", run.address).exists()

    def save(self, outcome: RunResult) -> None:
        """Keep an outcome; a failure noted earlier for the same run is forgotten."""
        self._write("runs", outcome.run.address, {
            "run": outcome.run.model_dump(mode="json"),
            "scores": outcome.scores,
            "epochs": outcome.epochs,
            "similarity": outcome.similarity,
            "examples": outcome.examples,
            "provenance": outcome.provenance,
        })  # fmt: skip
        self._path("failed", outcome.run.address).unlink(missing_ok=True)

    def save_failure(self, failure: RunFailure) -> None:
        """Note why a run stopped; it is tried again next time."""
        described = {"run": failure.run.model_dump(mode="json"), "reason": failure.reason}
        self._write("failed", failure.run.address, described)

    def load(self, run: RunSpec) -> RunResult | None:
        """Return the outcome of a run, or None.

        It names the encoder as ``run`` does, wherever that lay when the outcome was made.

        Raises:
            StoreError: if the file there is not a result of this run.
        """
        content = self._read("runs", run.address)
        if content is None:
            return None
        with self._understood("runs", run.address, "a result of this run"):
            if RunSpec.model_validate(content["run"], context=STORED).address != run.address:
                raise ValueError("another run")
            return RunResult(
                run,
                content["scores"],
                content["epochs"],
                content["provenance"],
                # Results of before there were any have none.
                content.get("similarity", []),
                content.get("examples", []),
            )

    def load_failure(self, run: RunSpec) -> RunFailure | None:
        """Return why a run stopped, or None."""
        content = self._read("failed", run.address)
        if content is None:
            return None
        with self._understood("failed", run.address, "a failure"):
            return RunFailure(run, content["reason"])

    def load_results(self, runs: Iterable[RunSpec]) -> list[RunResult]:
        """Return those of the outcomes that are there, in the order of ``runs``."""
        found = (self.load(run) for run in runs)
        return [outcome for outcome in found if outcome is not None]

    def acquire(self, run: RunSpec) -> bool:
        """Reserve a run for this process; False if another one has it.

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
            raise StoreError(f"{path} cannot be written: {error}") from None
        self._locks[run.address] = lock
        return True

    def release(self, run: RunSpec) -> None:
        """Give back a run that was taken."""
        self._release(run.address)

    def release_all(self) -> None:
        """Give back all runs that were taken and not given back."""
        for address in list(self._locks):
            self._release(address)

    def _release(self, address: str) -> None:
        lock = self._locks.pop(address)
        with suppress(OSError):  # of a file that another process has removed, or a folder in use
            Path(lock.lock_file).unlink()
            (self.folder / "taken").rmdir()
        lock.release()

    def save_plan(self, study: Study, runs: Iterable[RunSpec]) -> None:
        """Keep what a study unfolded into."""
        planned = [run.model_dump(mode="json") for run in runs]
        self._write("plans", study.digest, {"study": study.grid, "runs": planned})

    def load_plan(self, study: Study) -> list[RunSpec]:
        """Return the runs of a study, as it was last run; of all encoders if it names none.

        Raises:
            StoreError: if the study, as its file is now, was never run on this store.
        """
        found = self._load_plans(study.matches)
        if not found:
            raise StoreError(f"{self.folder} has no results of study {study.name} as it is now")
        # A short name can be given after the runs, and is not part of a plan's identity.
        specs = {_identity(encoder): encoder for encoder in study.encoders}
        return [
            run.model_copy(update={"encoder": specs.get(_identity(run.encoder), run.encoder)})
            for run in found
        ]

    def load_all_plans(self) -> list[RunSpec]:
        """Return the runs of every study that was run on this store.

        Raises:
            StoreError: if none was.
        """
        found = self._load_plans(lambda grid: True)
        if not found:
            raise StoreError(f"{self.folder} has no results: no study was run on it")
        return found

    def _load_plans(self, wanted: Callable[[Row], bool]) -> list[RunSpec]:
        found: dict[str, RunSpec] = {}
        for path in sorted((self.folder / "plans").glob("*.json")):
            content = self._read("plans", path.stem)
            with self._understood("plans", path.stem, "the plan of a study"):
                if wanted(content["study"]):
                    runs = [RunSpec.model_validate(run, context=STORED) for run in content["runs"]]
                    found |= {run.address: run for run in runs}
        return list(found.values())

    def _path(self, kind: str, address: str) -> Path:
        return self.folder / kind / f"{address}.json"

    def _read(self, kind: str, address: str) -> Any:
        """What is in a file, or None if there is no file; an empty table for JSON's null."""
        path = self._path(kind, address)
        try:
            return json.loads(path.read_text(encoding="utf-8")) or {}
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise StoreError(f"{path} cannot be read: {error}{_REMEDY}") from None

    @contextmanager
    def _understood(self, kind: str, address: str, what: str) -> Iterator[None]:
        """Say which file it is that holds something else than it should."""
        try:
            yield
        except (KeyError, TypeError, ValueError):  # pydantic's ValidationError is a ValueError
            raise StoreError(f"{self._path(kind, address)} is not {what}{_REMEDY}") from None

    def _write(self, kind: str, address: str, content: Row) -> None:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1)
        path = self._path(kind, address)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(text.encode(), path)
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error}") from None


def _identity(encoder: EncoderSpec) -> tuple[str, str, bool]:
    return encoder.name, encoder.revision, encoder.remote_code


_REMEDY = "; delete it, and the next run makes it again"
