"""Similarity of a source to its targets, layer by layer."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from alignscope.config.similarity import MIN_ROWS, MeasureName
from alignscope.errors import SimilarityError
from alignscope.similarity.measures.cka import alignment
from alignscope.similarity.measures.inputs import check_varies, warn_biased
from alignscope.similarity.measures.kernels import Kernel, linear_kernel
from alignscope.similarity.measures.registry import MEASURES
from alignscope.similarity.threads import single_threaded_pool

Row = dict[str, object]
Prepared = Mapping[MeasureName, Any]


def similarity_by_layer(
    source: Tensor,
    targets: Mapping[str, Tensor],
    measures: Sequence[MeasureName] = ("cka", "retrieval"),
    layers: Sequence[int] | None = None,
) -> list[Row]:
    """Compare every layer of a source with the same layer of each target.

    >>> rows = similarity_by_layer(vesti, {"synthetic:qadir/news": qadir}, ["retrieval"])
    >>> [row["value"] for row in rows]  # layer 0, 1, ...

    ``source`` and each target are (layers, n, d), row by row the same sentence or word; ``layers``
    counts from 0. Rows hold ``target``, ``layer``, ``n``, ``measure`` and the `Estimate` of each
    measure (`measures.MEASURES`), target by target. Few rows in many dimensions are warned of
    (`sides.BiasWarning`) where a measure has no debiased estimate.

    Raises:
        SimilarityError: if shapes differ, there are fewer than 20 rows, a layer does not vary
            or holds what is not finite, or a measure needs more rows.
    """
    _check_shapes(source, targets)
    for measure in measures:
        if MEASURES[measure].biased:
            warn_biased(measure, *source.shape[1:])
    with single_threaded_pool(source[0]) as pool:
        found = []
        for layer in range(len(source)) if layers is None else layers:
            # What a measure needs of the source is computed once, and kept while it is needed.
            left = pool.submit(_prepare, layer, "the source", source, measures)
            found += [
                pool.submit(_compare, layer, left, name, target, measures)
                for name, target in targets.items()
            ]
        rows = [row for future in found for row in future.result()]
    order = {name: place for place, name in enumerate(targets)}
    return sorted(rows, key=lambda row: order[str(row["target"])])


def cka_by_layer(source: Tensor, targets: Mapping[str, Tensor]) -> dict[str, list[float]]:
    """Return nothing but the debiased CKA of every layer of a source with that of each target.

    >>> cka_by_layer(vesti, {"synthetic:qadir/news": qadir})  # layer 0, 1, ... of each target

    What `similarity_by_layer` gives as its ``value``, in less than half of the time.

    Raises:
        SimilarityError: as `similarity_by_layer` does.
    """
    _check_shapes(source, targets)

    def kernel(layer: int, name: str, side: Tensor) -> Kernel:
        return linear_kernel(_side(layer, name, side))

    def compare(layer: int, left: "Future[Kernel]", name: str, side: Tensor) -> float:
        return alignment(left.result(), kernel(layer, name, side), debiased=True)

    with single_threaded_pool(source[0]) as pool:
        found: dict[str, list[Future[float]]] = {name: [] for name in targets}
        for layer in range(len(source)):
            left = pool.submit(kernel, layer, "the source", source)
            for name, target in targets.items():
                found[name].append(pool.submit(compare, layer, left, name, target))
        return {name: [future.result() for future in futures] for name, futures in found.items()}


def _check_shapes(source: Tensor, targets: Mapping[str, Tensor]) -> None:
    for name, target in targets.items():
        if target.shape != source.shape:
            shapes = f"{tuple(source.shape)} and {tuple(target.shape)}"
            raise SimilarityError(f"{name} has other layers, rows or features: {shapes}")
    n = source.shape[1]
    if n < MIN_ROWS:
        raise SimilarityError(f"{n} rows are too few to compare languages by: {MIN_ROWS} at least")


def _side(layer: int, name: str, layers: Tensor) -> Tensor:
    """One layer, in single precision at least: half of it would overflow in sums."""
    side = layers[layer] if layers.dtype == torch.float64 else layers[layer].float()
    check_varies(side, f"similarity at layer {layer} of {name}")
    return side


def _prepare(layer: int, name: str, layers: Tensor, measures: Sequence[MeasureName]) -> Prepared:
    side = _side(layer, name, layers)
    return {measure: MEASURES[measure].prepare(side) for measure in measures}


def _compare(
    layer: int,
    left: "Future[Prepared]",
    name: str,
    side: Tensor,
    measures: Sequence[MeasureName],
) -> list[Row]:
    same = {"target": name, "layer": layer, "n": side.shape[1]}
    try:
        right = _prepare(layer, name, side, measures)
        return [
            {**same, "measure": measure, **asdict(estimate)}
            for measure in measures
            for estimate in MEASURES[measure].compare(left.result()[measure], right[measure])
        ]
    except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]
        raise SimilarityError(f"layer {layer} of {name} cannot be compared: {error}") from None
