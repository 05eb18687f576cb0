"""All layers at once equal the pairs of layers one by one, in any number of threads."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor

from alignscope.config.registry import MEASURE_INFO
from alignscope.errors import SimilarityError
from alignscope.similarity import threads as cores
from alignscope.similarity.layers import cka_by_layer, similarity_by_layer
from alignscope.similarity.measures.cka import debiased_cka
from alignscope.similarity.threads import single_threaded_pool
from tests.helpers.gauss import normal


def layers_of(seed: int, n: int = 40, shared: float = 1.0) -> Tensor:
    """Return three layers of 6 features; a part of them is the same for every seed."""
    return torch.stack([shared * normal(n, 6, i) + normal(n, 6, seed + i) for i in (1, 2, 3)])


SOURCE, TARGETS = layers_of(10), {"de": layers_of(20), "fr": layers_of(30)}


def test_values_equal_those_of_each_pair_of_layers() -> None:
    found = cka_by_layer(SOURCE, TARGETS)
    rows = similarity_by_layer(SOURCE, TARGETS, ["cka", "cosine"])
    for name, target in TARGETS.items():
        expected = [debiased_cka(one, other) for one, other in zip(SOURCE, target, strict=True)]
        assert found[name] == pytest.approx(expected, abs=1e-12)
        same = [row for row in rows if row["target"] == name and row["estimator"] == "debiased"]
        assert [row["value"] for row in same] == pytest.approx(expected, abs=1e-12)
        assert [row["layer"] for row in same] == [0, 1, 2]
    assert [row["target"] for row in rows] == ["de"] * 9 + ["fr"] * 9


@pytest.mark.parametrize("threads", [1, 3])
def test_each_comparison_uses_one_core_and_torch_gets_its_threads_back(threads: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with single_threaded_pool(SOURCE[0]) as pool:
            inside = [pool.submit(torch.get_num_threads).result() for _ in range(6)]
        assert inside == [1] * 6
        assert torch.get_num_threads() == threads
        alone = cka_by_layer(SOURCE, TARGETS)
    finally:
        torch.set_num_threads(before)
    assert alone == cka_by_layer(SOURCE, TARGETS)


def test_overlapping_calls_restore_the_original_threads_of_torch() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        for _ in range(20):
            with ThreadPoolExecutor(4) as users:
                list(users.map(lambda _: cka_by_layer(SOURCE, TARGETS), range(8)))
            with ThreadPoolExecutor(1) as later:
                assert later.submit(torch.get_num_threads).result() == 3
    finally:
        torch.set_num_threads(before)


@pytest.mark.filterwarnings("ignore::alignscope.similarity.measures.inputs.BiasWarning")
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_is_converted_before_products(kind: torch.dtype) -> None:
    """Encoders have neurons with an offset, whose square overflows half precision."""
    source, target = (16 * layers_of(seed, 100) for seed in (10, 20))
    source[:, :, 0] += 400
    source, target = source.to(kind), target.to(kind)
    for measure in MEASURE_INFO:
        half, double = (
            similarity_by_layer(one, {"de": other}, [measure])
            for one, other in ((source, target), (source.double(), target.double()))
        )
        for found, expected in zip(half, double, strict=True):
            assert found["value"] == pytest.approx(expected["value"], abs=1e-5)
            assert found["null_high"] == pytest.approx(expected["null_high"], abs=1e-4)
    expected_cka = cka_by_layer(source.double(), {"de": target.double()})["de"]
    assert cka_by_layer(source, {"de": target})["de"] == pytest.approx(expected_cka, abs=1e-6)


@pytest.mark.filterwarnings("ignore::alignscope.similarity.measures.inputs.BiasWarning")
@pytest.mark.parametrize("measure", ["svcca", "pwcca", "procrustes", "anc", "cka"])
def test_rounding_in_single_precision_adds_no_directions(measure: str) -> None:
    """Layers after a norm have a lower rank than columns; rounding errors fill the rest."""
    left, right = (normal(200, 5, seed) @ normal(5, 24, seed + 1) for seed in (1, 5))
    right = right + 0.5 * left
    found, expected = (
        similarity_by_layer(one[None], {"de": other[None]}, [measure])[0]["value"]
        for one, other in ((left.float(), right.float()), (left, right))
    )
    assert found == pytest.approx(expected, abs=1e-4)


def test_side_that_varies_by_rounding_only_is_constant() -> None:
    flat = (1.8 + 1e-7 * normal(40, 6)).float()[None]
    assert flat.std() > 0
    for compare in (cka_by_layer, similarity_by_layer):
        with pytest.raises(SimilarityError, match="does not vary"):
            compare(flat, {"de": normal(40, 6)[None].float()})


def test_comparison_of_many_rows_uses_all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "LARGE", 40)
    with single_threaded_pool(SOURCE[0]) as pool:
        assert pool.submit(torch.get_num_threads).result() == torch.get_num_threads()
        assert pool._max_workers == 1


def test_no_further_comparison_starts_after_an_error() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        done.append(number)
        if number == 0:
            raise ValueError("no")
        time.sleep(0.001)

    def all_of_it() -> None:
        with single_threaded_pool(SOURCE[0]) as pool:
            for future in [pool.submit(work, number) for number in range(2000)]:
                future.result()

    with pytest.raises(ValueError, match="no"):
        all_of_it()
    assert len(done) < 2000


@pytest.mark.parametrize("compare", [cka_by_layer, similarity_by_layer])
def test_error_names_the_layer_and_target(compare) -> None:  # type: ignore[no-untyped-def]
    broken = TARGETS["fr"].clone()
    broken[1, 3, 2] = torch.nan
    with pytest.raises(
        SimilarityError, match="at layer 1 of fr is undefined for values that are not finite"
    ):
        compare(SOURCE, {**TARGETS, "fr": broken})
    broken[1] = 0.1
    with pytest.raises(SimilarityError, match="at layer 1 of fr is undefined because a side does"):
        compare(SOURCE, {**TARGETS, "fr": broken})
    with pytest.raises(
        SimilarityError, match=r"it has the shape \(2, 40, 6\), and the source \(3, 40, 6\)"
    ):
        compare(SOURCE, {"it": TARGETS["de"][:2]})
    with pytest.raises(SimilarityError, match="at least 20 rows, got 19"):
        compare(layers_of(1, 19), {"de": layers_of(2, 19)})
