"""Windows: parsing, printing, and tiling an encoder without gaps."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignscope.config.windows import Window, check_fits, tiles
from alignscope.errors import EncoderError


@given(st.integers(0, 99), st.integers(0, 99))
def test_parse_inverts_str(first: int, more: int) -> None:
    window = Window(first, first + more)
    assert Window.parse(str(window)) == window
    assert len(window) == len(window.blocks) == more + 1
    assert all(block in window for block in window.blocks)
    assert first - 1 not in window
    assert window.last + 1 not in window


@given(st.integers(1, 60), st.integers(1, 60))
def test_tiles_cover_every_block_once(n_blocks: int, size: int) -> None:
    if size > n_blocks:
        with pytest.raises(EncoderError, match="cannot be cut"):
            tiles(n_blocks, size)
        return
    windows = tiles(n_blocks, size)
    assert [block for window in windows for block in window.blocks] == list(range(n_blocks))
    assert {len(window) for window in windows[:-1]} <= {size}
    assert (len(windows[-1]) == size) is (n_blocks % size == 0)
    assert windows == sorted(windows)


@pytest.mark.parametrize("text", ["", "-", "a", "1-", "-1", "1-b", "1-2-3", "0.5", "²", "1,2"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(EncoderError, match=r"is not a window\. Write 0-1"):
        Window.parse(text)


def test_a_last_block_before_the_first_is_refused() -> None:
    with pytest.raises(EncoderError, match="Window 3-1 is not a range"):
        Window.parse("3-1")


@pytest.mark.parametrize(("last", "fits"), [(11, True), (12, False), (13, False)])
def test_check_fits(last: int, fits: bool) -> None:
    if fits:
        check_fits(Window(10, last), 12, "bert-base-multilingual-cased")
        return
    message = (
        rf"^Window 10-{last} does not fit bert-base-multilingual-cased, which has 12 blocks "
        r"\(0-11\)\.$"
    )
    with pytest.raises(EncoderError, match=message):
        check_fits(Window(10, last), 12, "bert-base-multilingual-cased")


def test_the_message_for_an_encoder_of_one_block() -> None:
    with pytest.raises(EncoderError, match=r"which has 1 block \(0\)\.$"):
        check_fits(Window(1, 1), 1, "tiny")


def test_a_window_is_hashable_and_frozen() -> None:
    assert {Window(0, 1), Window.parse("0-1")} == {Window(0, 1)}
    with pytest.raises(AttributeError):
        Window(0, 1).first = 2  # type: ignore[misc]


def test_windows_import_no_torch() -> None:
    code = "import sys, alignscope.config.windows; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
