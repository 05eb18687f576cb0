"""Counts of sentences survive their way into a result file and back."""

import base64
import json
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignscope.results.counts import pack_counts, unpack_counts

pairs = st.integers(0, 2**32 - 1).flatmap(
    lambda total: st.tuples(st.integers(0, total), st.just(total))
)


@given(st.lists(pairs, max_size=30))
def test_round_trip(rows: list[tuple[int, int]]) -> None:
    counts = np.array(rows, dtype=np.int64).reshape(-1, 2)
    text = pack_counts(counts)
    assert json.loads(json.dumps(text)) == text
    assert unpack_counts(text).tolist() == counts.tolist()


def test_a_thousand_sentences_take_less_than_two_bytes_each() -> None:
    draw = np.random.default_rng(1)
    words = draw.integers(3, 40, 1000)
    counts = np.stack([draw.binomial(words, 0.9), words], axis=1)
    assert len(pack_counts(counts)) < 2000


@pytest.mark.parametrize("rows", [[[2, 1]], [[0, -1]]])
def test_impossible_counts_are_refused(rows: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="above its denominator"):
        pack_counts(np.array(rows))


def zipped(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content)).decode()


@pytest.mark.parametrize(
    "text",
    ["", "f4:AAAA", "<u1:!", "<u1:AAAA", f"<u1:{zipped(b'abc')}", f"<u2:{zipped(b'abc')}"],
)
def test_broken_text_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        unpack_counts(text)
