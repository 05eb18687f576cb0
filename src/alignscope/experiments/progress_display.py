"""Bars at the bottom of a terminal, or lines in a log, on standard error; nothing here raises."""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event, RLock, Thread
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from alignscope._util.text import format_duration
from alignscope.experiments.time_left import Clock

REDRAW = 0.5
"""Seconds between two drawings of the bars on a terminal."""
LOG_EVERY = 30.0
"""Seconds between two lines of progress in a log."""


def print_status(line: str) -> None:
    """Print one line on standard error, where progress and notes go."""
    with suppress(OSError, ValueError):  # a full disk; a closed terminal
        if sys.stderr is not None:
            print(line, file=sys.stderr, flush=True)


class ProgressDisplay:
    """Bars at the bottom of a terminal, or lines in a log; see the module.

    Subclasses say what is shown: `bars` on a terminal and `log_line` in a log.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self.clock = clock
        self.start = clock()
        self._console = Console(stderr=True, highlight=False)
        self._live: Live | None = None
        self._logged = clock()
        self._lock = RLock()  # the heartbeat of a thread, and the callbacks of the training
        self._ended = Event()
        self._is_running = False

    def bars(self) -> Iterable[RenderableType]:
        """Return the rows on a terminal, from top to bottom."""
        return ()

    def log_line(self) -> str | None:
        """Return the state as one line for a log, or None if there is nothing to report."""
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def open(self) -> None:
        """Show the bars, and begin to report at regular intervals."""
        self._is_running = True
        self._logged = self.clock()
        with self._guarded():
            # FORCE_COLOR makes rich treat a file as a terminal; a log must stay free of codes.
            if sys.stderr.isatty() and self._console.is_interactive:
                self._live = Live(
                    get_renderable=lambda: Group(*self.bars()),
                    console=self._console,
                    auto_refresh=False,
                    transient=True,
                    redirect_stdout=sys.stdout.isatty(),
                )
                self._live.start(refresh=True)
        Thread(target=self._beat, daemon=True).start()

    def close(self) -> None:
        """Remove the bars."""
        self._ended.set()
        with self._guarded():
            live, self._live = self._live, None
            if live is not None:
                live.stop()
        self._is_running = False

    def line(self, text: str) -> None:
        """Print a line that stays."""
        with self._guarded():
            if self._live is None:
                print_status(text)
            else:
                self._console.print(text, markup=False, soft_wrap=True)
                self._live.refresh()

    def heartbeat(self) -> None:
        """Redraw the bars, or print a line to the log if the last one is old enough."""
        with self._guarded():
            if not self._is_running:
                return
            if self._live is not None:
                self._live.refresh()
            elif self.clock() - self._logged >= LOG_EVERY:
                self._logged = self.clock()
                if text := self.log_line():
                    print_status(text)

    def elapsed(self) -> str:
        """Return the time since the start, as text."""
        return format_duration(self.clock() - self.start)

    def _beat(self) -> None:
        while not self._ended.wait(REDRAW):
            self.heartbeat()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        # Whatever goes wrong here, the terminal and not the study is at fault.
        with self._lock, suppress(Exception):
            yield


class Bar:
    """A bar with text beside it, which loses its middle parts and the bar on narrow terminals.

    Args:
        completed: Number of things done.
        total: Number of all things.
        parts: Texts, of which the first and the last matter most.
        label: Name in front of the bar.
    """

    SHORTEST, LONGEST = 8, 40

    def __init__(self, completed: int, total: int, parts: Sequence[str], label: str = "") -> None:
        self.completed, self.total, self.parts, self.label = completed, total, list(parts), label

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw within the width of the console."""
        width = options.max_width
        before = f"{self.label} " if self.label else ""
        parts = list(self.parts)
        while len(parts) > 2 and len(before) + self.SHORTEST + _width(parts) > width:
            del parts[-2]
        room = width - len(before) - _width(parts)
        if room < self.SHORTEST:
            yield Text(before + ", ".join(parts), no_wrap=True, overflow="ellipsis")
            return
        bar = ProgressBar(self.total, self.completed, width=min(room, self.LONGEST))
        row = Table.grid()
        cells: list[RenderableType] = [Text(before, no_wrap=True)] if before else []
        row.add_row(*cells, bar, Text(" " + ", ".join(parts), no_wrap=True))
        yield row


def _width(parts: Sequence[str]) -> int:
    return 1 + len(", ".join(parts))
