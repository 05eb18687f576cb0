"""Progress on terminals of several kinds, in logs, and where nothing can be written."""

import io
import sys
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from alignscope.config.grid import EncoderInfo, expand
from alignscope.config.run import RunSpec
from alignscope.config.study import Study
from alignscope.experiments.progress import ProgressReporter, StepBar, print_status
from alignscope.experiments.progress_display import LOG_EVERY, Bar
from alignscope.results.store import RunFailure, RunResult


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    """Standard error that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def runs() -> list[RunSpec]:
    """REF and two windows, two seeds."""
    tasks = {"pos": {"sources": ["ud:en_ewt"], "targets": ["ud:de_pud"]}}
    grid = {"encoders": ["enc"], "windows": ["tiles:2"], "seeds": [1, 2], "tasks": tasks}
    grid["training"] = {"learning_rate": [5e-5]}
    return expand(Study.model_validate(grid), lambda _: EncoderInfo("sha256:1", 4))


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Terminal]:
    """Return a function that makes standard error a terminal for the rest of the test."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")

    def attach() -> Terminal:
        shown = Terminal()
        monkeypatch.setattr(sys, "stderr", shown)
        return shown

    return attach


def outcome(run: RunSpec, score: float = 0.8125) -> RunResult:
    scores = [{"corpus": "ud:en_ewt", "metric": "accuracy", "score": score}]
    return RunResult(run, scores, [], {"seconds": 65.0})


def sweep(reporter: ProgressReporter, runs: list[RunSpec], clock: Clock) -> None:
    """Two groups of three runs, as they are reported; the log is looked at in between."""
    with reporter:
        reporter.phase("checking corpora")
        clock.now = 5
        reporter.begin()
        for group in (runs[:3], runs[3:]):
            reporter.started(group)
            reporter.phase("training")
            for step in (1, 2, 3, 4):
                clock.now += 10
                reporter.step(step, 4)
                reporter.heartbeat()
            reporter.phase("evaluating ud:de_pud")
            clock.now += 30
            reporter.heartbeat()
            for run in group:
                reporter.done(outcome(run))


def test_a_log_has_a_line_at_least_every_half_minute(
    runs: list[RunSpec], clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep(ProgressReporter(0, 6, clock), runs, clock)
    names = "pos ud:en_ewt seed 1: REF, 0-1, 2-3"
    others = names.replace("seed 1", "seed 2")
    done = "accuracy 81.2 % on the source, 1 min 5 s"
    assert capsys.readouterr().err.splitlines() == [
        "6 runs, 0 done, 6 pending",
        f"0/6 runs, 35 s elapsed, over 50 s left; {names}; training, step 3/4, about 10 s left",
        f"0/6 runs, 1 min 15 s elapsed, over 1 min 10 s left; {names}; evaluating ud:de_pud",
        f"[1/6] pos ud:en_ewt REF seed 1: {done}",
        f"[2/6] pos ud:en_ewt 0-1 (config) seed 1: {done}",
        f"[3/6] pos ud:en_ewt 2-3 (config) seed 1: {done}",
        f"3/6 runs, 1 min 45 s elapsed, about 40 s left; {others}; training, step 3/4, "
        "about 10 s left",
        f"3/6 runs, 2 min 25 s elapsed; {others}; evaluating ud:de_pud",
        f"[4/6] pos ud:en_ewt REF seed 2: {done}",
        f"[5/6] pos ud:en_ewt 0-1 (config) seed 2: {done}",
        f"[6/6] pos ud:en_ewt 2-3 (config) seed 2: {done}",
        "6 of 6 runs done after 2 min 25 s.",
    ]


def test_runs_are_named_with_their_setting_if_there_are_several(
    runs: list[RunSpec], clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep(ProgressReporter(0, 6, clock, {runs[0].setting: "lr 5e-5"}), runs, clock)
    printed = capsys.readouterr().err
    assert "; pos ud:en_ewt, lr 5e-5, seed 1: REF, 0-1, 2-3; training" in printed
    assert "[2/6] pos ud:en_ewt 0-1 (config) seed 1, lr 5e-5: accuracy" in printed


def test_a_terminal_has_bars_and_keeps_the_results(
    runs: list[RunSpec], clock: Clock, terminal: Callable[[], Terminal]
) -> None:
    stderr = terminal()
    sweep(ProgressReporter(0, 6, clock), runs, clock)
    shown = stderr.getvalue()
    assert "━" in shown
    assert "pos ud:en_ewt seed 1: REF, 0-1, 2-3" in shown
    assert "evaluating ud:de_pud, 30 s" in shown
    assert shown.count("[3/6] pos ud:en_ewt 2-3 (config) seed 1: ") == 1
    assert shown.endswith("6 of 6 runs done after 2 min 25 s.\n")
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1  # the cursor is back


@pytest.mark.parametrize(
    ("name", "value"), [("TERM", "dumb"), ("TERM", "unknown"), ("TTY_INTERACTIVE", "0")]
)
def test_a_terminal_without_cursor_control_gets_plain_lines(
    name: str,
    value: str,
    runs: list[RunSpec],
    clock: Clock,
    terminal: Callable[[], Terminal],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stderr = terminal()
    monkeypatch.setenv(name, value)
    sweep(ProgressReporter(0, 6, clock), runs, clock)
    assert "\x1b" not in stderr.getvalue()
    assert "3/6 runs, 1 min 45 s elapsed, about 40 s left" in stderr.getvalue()


def test_the_variable_no_color_turns_colours_off(
    runs: list[RunSpec],
    clock: Clock,
    terminal: Callable[[], Terminal],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stderr = terminal()
    monkeypatch.setenv("NO_COLOR", "1")
    sweep(ProgressReporter(0, 6, clock), runs, clock)
    assert "━" in stderr.getvalue()
    assert "\x1b[3" not in stderr.getvalue()  # 30-37 and 38;… are colours


def test_a_forced_colour_puts_no_codes_into_a_log(
    runs: list[RunSpec],
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    sweep(ProgressReporter(0, 6, clock), runs, clock)
    assert "\x1b" not in capsys.readouterr().err


def closed() -> Any:
    stream = io.StringIO()
    stream.close()
    return stream


class Full(Terminal):
    """A stream on a full disk, or of a terminal that is gone."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("stream", [closed, Full, lambda: None], ids=["closed", "full", "none"])
def test_a_run_continues_if_its_progress_cannot_be_written(
    stream: Callable[[], Any], runs: list[RunSpec], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", stream())
    reporter = ProgressReporter(0, 6, clock)
    sweep(reporter, runs, clock)
    with StepBar("pretraining", clock) as bar:
        bar(1, 1, 0.5)
    print_status("done")
    assert reporter.completed == 6


def test_a_failed_run_is_shown_with_its_reason_and_not_counted_as_done(
    runs: list[RunSpec], clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with ProgressReporter(0, 1, clock) as reporter:
        reporter.begin()
        reporter.started(runs[:1])
        reporter.done(RunFailure(runs[0], "the loss is nan at step 3 of 9"))
    assert capsys.readouterr().err.splitlines()[1:] == [
        "[0/1] pos ud:en_ewt REF seed 1: failed: the loss is nan at step 3 of 9",
        "0 of 1 runs done after 0 s.",
    ]


def test_nothing_is_written_if_an_error_occurs_before_the_sweep(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(reporter: ProgressReporter) -> None:
        with reporter:
            reporter.phase("checking corpora")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail(ProgressReporter(0, 1, clock))
    assert capsys.readouterr().err == ""


def test_a_terminal_shows_the_check_in_progress(
    clock: Clock, terminal: Callable[[], Terminal]
) -> None:
    stderr = terminal()
    with ProgressReporter(0, 1, clock) as reporter:
        reporter.phase("checking corpora")
        clock.now = 3
        reporter.heartbeat()
    assert "checking corpora, 3 s" in stderr.getvalue()
    assert "runs" not in stderr.getvalue()


def test_groups_in_progress_are_counted(
    runs: list[RunSpec], clock: Clock, terminal: Callable[[], Terminal]
) -> None:
    stderr = terminal()
    with ProgressReporter(0, 6, clock) as reporter:
        reporter.begin()
        for run in runs:
            reporter.started([run])
        reporter.heartbeat()
        assert reporter.log_line() == "0/6 runs, 0 s elapsed; 6 groups of runs at work"
    assert "and 2 groups more" in stderr.getvalue()


@pytest.mark.parametrize("width", [10, 20, 40, 50, 80, 120])
def test_a_bar_fits_every_width(width: int) -> None:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    parts = ["3/10 runs", "4 min 10 s elapsed", "about 9 min 20 s left"]
    with console.capture() as capture:
        console.print(Bar(3, 10, parts))
    (line,) = capture.get().splitlines()
    assert len(line) <= width
    assert line.rstrip().endswith("about 9 min 20 s left") == (width >= 40)
    assert ("4 min 10 s elapsed" in line) == (width >= 80)
    assert ("━" in line) == (width >= 50)


def test_a_pretraining_has_a_line_every_half_minute_and_at_the_end(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with StepBar("pretraining", clock) as bar:
        for step in range(1, 9):
            clock.now += LOG_EVERY / 3
            bar(step, 8, 1 / step)
            bar.heartbeat()
    assert capsys.readouterr().err.splitlines() == [
        "pretraining: step 3/8, loss 0.333, about 50 s left",
        "pretraining: step 6/8, loss 0.167, about 20 s left",
        "pretraining: 8 steps done after 1 min 20 s, loss 0.125.",
    ]
