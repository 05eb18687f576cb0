"""Checksums of generated corpora are stored with results, so they must never change."""

import pytest

from alignscope.experiments.inputs import _checksum_of_synthetic

STORED = {
    ("vesti", "news"): "15be6e32fef97bb033509eb125408a4c9a75a65b041cd4d121e7818eaf5dadc6",
    ("qadir", "chat"): "cb107d868f2a08d95760af4827a6de9813803776b8a50ae219674fb5fd2694d9",
    ("lianu", "manual"): "5ddfa8e8d04694c42cb75e671dfcbb06769e344822176cd2c64a07b63861df4c",
}
"""Checksums of test splits as version 0.1 stored them."""


@pytest.mark.parametrize(("language", "domain"), STORED)
def test_stored_checksums_still_hold(language: str, domain: str) -> None:
    assert _checksum_of_synthetic(language, domain, "test") == STORED[language, domain]
