"""Similarity of a source to its targets, layer by layer."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import torch
from torch import Tensor

from alignscope.config.similarity import MIN_ROWS
from alignscope.errors import SimilarityError
from alignscope.similarity.measures.cka import alignment
from alignscope.similarity.measures.context import NO_CONTEXT, Context
from alignscope.similarity.measures.dimensions import depends_on_largest, warn_outliers
from alignscope.similarity.measures.estimate import Estimate
from alignscope.similarity.measures.inputs import check_varies, warn_biased
from alignscope.similarity.measures.joint import joint_columns
from alignscope.similarity.measures.kernels import Kernel, linear_kernel
from alignscope.similarity.measures.registry import Measure, get_measure
from alignscope.similarity.threads import single_threaded_pool

Row = dict[str, object]
Measures = Mapping[str, Measure]
Prepared = Mapping[str, Any]
"""The prepared side of each measure, by its name."""


def similarity_by_layer(
    source: Tensor,
    targets: Mapping[str, Tensor],
    measures: Sequence[str] = ("cka", "retrieval"),
    layers: Sequence[int] | None = None,
    contexts: Mapping[str, Context] | None = None,
) -> list[Row]:
    """Compare every layer of a source with the same layer of each target.

    >>> source = torch.randn(3, 40, 8)
    >>> rows = similarity_by_layer(source, {"same": source}, ["retrieval"])
    >>> [(row["layer"], row["value"]) for row in rows]
    [(0, 1.0), (1, 1.0), (2, 1.0)]

    Args:
        source: the representations of one corpus, (layers, n, d).
        targets: those of its translations by name; row i of each is the translation of row i.
        measures: names of measures (`get_measure`).
        layers: the layers to compare, counted from 0; all by default.
        contexts: documents and lengths of the rows, by target.

    Returns:
        A row per target, layer, measure and estimator, target by target, with ``target``,
        ``layer``, ``n``, ``measure``, the columns of `Estimate`, and the bands that cover all
        layers at once (`joint.joint_columns`).

    Raises:
        SimilarityError: if shapes differ, there are fewer than 20 rows, a layer is constant or has
            values that are not finite, or a measure needs more rows.
        StudyError: if a measure is unknown.

    Warns:
        BiasWarning: if a measure without a debiased estimate gets few rows in many dimensions.
        OutlierDimensionWarning: if CKA is higher by more than 0.1 because of the largest dimension
            of each side.
    """
    _check_shapes(source, targets)

    def context_of(name: str) -> Context:
        return NO_CONTEXT if contexts is None else contexts[name]

    chosen = {name: get_measure(name) for name in measures}
    for name, measure in chosen.items():
        if measure.biased:
            warn_biased(name, *source.shape[1:])
    with single_threaded_pool(source[0]) as pool:
        futures = []
        for layer in range(len(source)) if layers is None else layers:
            # The source is prepared once per layer, and freed with the last comparison of it.
            left = pool.submit(_prepare, layer, "the source", source, chosen)
            futures += [
                pool.submit(_compare, layer, left, (name, target, context_of(name)), chosen)
                for name, target in targets.items()
            ]
        found = [row for future in futures for row in future.result()]
    order = {name: place for place, name in enumerate(targets)}
    found.sort(key=lambda pair: order[str(pair[0]["target"])])
    rows = [row for row, _ in found]
    _warn_outliers(found, source.shape[2])
    joint = joint_columns(rows, [estimate for _, estimate in found])
    return [row | columns for row, columns in zip(rows, joint, strict=True)]


def _warn_outliers(found: Sequence[tuple[Row, Estimate]], width: int) -> None:
    """Warn about the estimate that falls most without the largest dimensions."""
    most = 0.0
    for row, estimate in found:
        if depends_on_largest(estimate, width):
            without = float(str(estimate.without_largest))
            if estimate.value - without > most:
                most = estimate.value - without
                worst = str(row["target"]), int(str(row["layer"])), estimate.value, without
    if most:
        warn_outliers(*worst)


def cka_by_layer(source: Tensor, targets: Mapping[str, Tensor]) -> dict[str, list[float]]:
    """Return only the debiased CKA of every layer of a source with that of each target.

    >>> source = torch.randn(3, 40, 8)
    >>> [round(value, 3) for value in cka_by_layer(source, {"same": source})["same"]]
    [1.0, 1.0, 1.0]

    These are the values that `similarity_by_layer` returns, in less than half of the time.

    Args:
        source: the representations of one corpus, (layers, n, d).
        targets: those of its translations by name.

    Raises:
        SimilarityError: as `similarity_by_layer` does.
    """
    _check_shapes(source, targets)

    def kernel(layer: int, name: str, layers: Tensor) -> Kernel:
        return linear_kernel(_layer(layer, name, layers))

    def compare(layer: int, left: "Future[Kernel]", name: str, layers: Tensor) -> float:
        return alignment(left.result(), kernel(layer, name, layers), debiased=True)

    with single_threaded_pool(source[0]) as pool:
        futures: dict[str, list[Future[float]]] = {name: [] for name in targets}
        for layer in range(len(source)):
            left = pool.submit(kernel, layer, "the source", source)
            for name, target in targets.items():
                futures[name].append(pool.submit(compare, layer, left, name, target))
        return {name: [future.result() for future in of_name] for name, of_name in futures.items()}


def _check_shapes(source: Tensor, targets: Mapping[str, Tensor]) -> None:
    for name, target in targets.items():
        if target.shape != source.shape:
            shapes = f"{tuple(target.shape)}, and the source {tuple(source.shape)}"
            raise SimilarityError(
                f"{name} has the shape {shapes}. Compare the same layers, rows and features."
            )
    check_rows(source.shape[1])


def check_rows(n: int) -> None:
    """Raise a `SimilarityError` if n rows are too few for a useful interval."""
    if n < MIN_ROWS:
        raise SimilarityError(
            f"Similarity needs at least {MIN_ROWS} rows, got {n}. Raise the limit or choose a "
            "larger corpus."
        )


def _layer(layer: int, name: str, layers: Tensor) -> Tensor:
    """Return one layer, in single precision at least: sums in half precision would overflow."""
    side = layers[layer] if layers.dtype == torch.float64 else layers[layer].float()
    check_varies(side, f"similarity at layer {layer} of {name}")
    return side


def _prepare(layer: int, name: str, layers: Tensor, measures: Measures) -> Prepared:
    side = _layer(layer, name, layers)
    return {key: measure.prepare(side) for key, measure in measures.items()}


def _compare(
    layer: int,
    left: "Future[Prepared]",
    right_side: tuple[str, Tensor, Context],
    measures: Measures,
) -> list[tuple[Row, Estimate]]:
    name, target, context = right_side
    common = {"target": name, "layer": layer, "n": target.shape[1]}
    try:
        right = _prepare(layer, name, target, measures)
        return [
            ({**common, "measure": key, **estimate.columns}, estimate)
            for key, measure in measures.items()
            for estimate in measure.estimates(left.result()[key], right[key], context)
        ]
    except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]
        raise SimilarityError(f"Layer {layer} of {name} cannot be compared: {error}.") from None
