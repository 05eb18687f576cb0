"""Many figures at once: a second process draws half of them, where there is a core for it."""

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

from alignscope.report.figures.figure import ReportFigure

_WORK = "from alignscope.report.figures.parallel import work; work()"


class ParallelRenderer:
    """Draws plates for a page; the second process is started at once, to be ready in time.

    >>> with closing(ParallelRenderer(helped=True)) as drawing:
    ...     elements = drawing.inline(plates)

    It is a program of its own rather than a fork or a pool: polars does not survive the one, and
    the other would run a script of the user again. What it draws is what would be drawn here.
    """

    def __init__(self, *, helped: bool) -> None:
        alone = not helped or (os.cpu_count() or 1) < 2
        self.helper = None if alone else _start()

    def close(self) -> None:
        """End the second process."""
        if self.helper is not None:
            self.helper.kill()
            self.helper.communicate()

    def inline(self, plates: Sequence[ReportFigure]) -> list[str]:
        """Return the ``svg`` element of each plate."""
        if self.helper is None or self.helper.stdin is None or self.helper.stdout is None:
            return [plate.inline() for plate in plates]
        found, others = [""] * len(plates), list(plates[1::2])
        with suppress(BrokenPipeError):
            pickle.dump(others, self.helper.stdin)
            self.helper.stdin.flush()
        found[::2] = [plate.inline() for plate in plates[::2]]
        try:
            found[1::2] = pickle.load(self.helper.stdout)
        except (EOFError, pickle.UnpicklingError):  # it was killed: the figures are the same here
            found[1::2] = [plate.inline() for plate in others]
        return found


def _start() -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", _WORK], stdin=pipe, stdout=pipe)


def render_worker() -> None:
    """Draw the plates that come in, and hand out what was drawn."""
    import gc

    # Everything that a figure takes is imported before there is one to draw.

    plates: list[ReportFigure] = pickle.load(sys.stdin.buffer)
    gc.disable()
    pickle.dump([plate.inline() for plate in plates], sys.stdout.buffer)
    sys.stdout.buffer.flush()
