"""Independent, reproducible seeds: golden values, and a different seed for every purpose."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from alignscope._util.seeding import derive_seed

SEED = st.integers(0, 2**32)
PURPOSE = st.tuples(st.sampled_from(["head", "order", "dropout", "mask"]), st.integers(0, 10_000))


def test_a_derived_seed_never_changes_with_the_version_of_the_library() -> None:
    assert derive_seed(1, "head") == 8248887767900026
    assert derive_seed(1, "dropout", 2) == 50477172792190855


@given(SEED, PURPOSE, SEED, PURPOSE)
def test_another_seed_or_purpose_gives_another_number(
    seed: int, purpose: tuple[str, int], other_seed: int, other_purpose: tuple[str, int]
) -> None:
    same = (seed, purpose) == (other_seed, other_purpose)
    assert (derive_seed(seed, *purpose) == derive_seed(other_seed, *other_purpose)) is same


@given(SEED, PURPOSE)
def test_torch_and_numpy_accept_a_derived_seed(seed: int, purpose: tuple[str, int]) -> None:
    assert 0 <= derive_seed(seed, *purpose) < 2**56
    torch.Generator().manual_seed(derive_seed(seed, *purpose))
