"""The text of several corpora, and what it was."""

from collections.abc import Sequence

from alignscope.data.files import checksum
from alignscope.data.places import Places
from alignscope.data.text import find_text, read_text


def gather(names: Sequence[str], places: Places) -> tuple[list[str], dict[str, list[str]]]:
    """Read texts in the order given; also return the checksums of their files, by name.

    Raises:
        DataError: if there is no such text.
    """
    lines = [line for name in names for line in read_text(name, places)]
    source = {name: [checksum(path) for path in find_text(name, places)] for name in names}
    return lines, source
