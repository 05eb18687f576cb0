"""Bucketing by length: every sentence once, no group above the budget."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from alignscope.encoders.batching import bucket_by_length

COSTS = st.lists(st.integers(1, 60), max_size=40)
BUDGET = st.integers(1, 300)
SEEDS = st.none() | st.integers(0, 1000)


def generator(seed: int | None) -> torch.Generator | None:
    return None if seed is None else torch.Generator().manual_seed(seed)


@given(COSTS, BUDGET, SEEDS)
def test_groups_contain_every_sentence_once_and_respect_the_budget(
    costs: list[int], budget: int, seed: int | None
) -> None:
    groups = bucket_by_length(costs, budget, generator(seed))
    assert sorted(i for group in groups for i in group) == list(range(len(costs)))
    for group in groups:
        assert len(group) == 1 or max(costs[i] for i in group) * len(group) <= budget


@given(st.integers(0, 2**32))
def test_the_cost_of_a_group_depends_on_its_longest_sentence_at_any_position(seed: int) -> None:
    """With a generator, the last sentence of a group is not always the longest."""
    costs = [10 + i % 7 for i in range(100)]
    for group in bucket_by_length(costs, 60, generator(seed)):
        assert max(costs[i] for i in group) * len(group) <= 60


@given(COSTS, BUDGET, SEEDS)
def test_equal_generators_produce_equal_groups(
    costs: list[int], budget: int, seed: int | None
) -> None:
    first = bucket_by_length(costs, budget, generator(seed))
    assert first == bucket_by_length(costs, budget, generator(seed))


def test_groups_without_a_generator_are_ordered_by_cost() -> None:
    assert bucket_by_length([5, 1, 5, 1], budget=10) == [[1, 3], [0, 2]]
    assert bucket_by_length([3, 90, 4], budget=10) == [[0, 2], [1]]
    assert bucket_by_length([], budget=10) == []


def test_epochs_differ_in_their_groups_and_in_their_order() -> None:
    costs, draw = [10 + i % 7 for i in range(200)], torch.Generator().manual_seed(1)
    epochs = [bucket_by_length(costs, 100, draw) for _ in range(2)]
    assert {frozenset(group) for group in epochs[0]} != {frozenset(group) for group in epochs[1]}
    widest = [max(costs[i] for i in group) for group in epochs[0]]
    assert widest != sorted(widest)


def test_bucketing_leaves_the_global_random_state_alone() -> None:
    before = torch.get_rng_state()
    bucket_by_length([3, 1, 2], 4, torch.Generator().manual_seed(1))
    assert torch.equal(before, torch.get_rng_state())


def test_random_groups_pad_by_less_than_ten_percent() -> None:
    costs = [3 + i % 60 for i in range(600)]
    groups = bucket_by_length(costs, 1024, torch.Generator().manual_seed(1))
    spent = sum(max(costs[i] for i in group) * len(group) for group in groups)
    assert spent < 1.1 * sum(costs)
