"""Similarity of a source to its targets, layer by layer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from torch import Tensor

from alignscope.comparison import FEWEST, MeasureName
from alignscope.errors import SimilarityError
from alignscope.similarity.measures import MEASURES
from alignscope.similarity.sides import check_varies, warn_biased

Row = dict[str, object]


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
    _, n, d = source.shape
    for name, target in targets.items():
        if target.shape != source.shape:
            shapes = f"{tuple(source.shape)} and {tuple(target.shape)}"
            raise SimilarityError(f"{name} has other layers, rows or features: {shapes}")
    if n < FEWEST:
        raise SimilarityError(f"{n} rows are too few to compare languages by: {FEWEST} at least")
    for measure in measures:
        if MEASURES[measure].biased:
            warn_biased(measure, n, d)
    rows = [
        row
        for layer in (range(len(source)) if layers is None else layers)
        for row in _at(layer, source, targets, measures)
    ]
    order = {name: place for place, name in enumerate(targets)}
    return sorted(rows, key=lambda row: order[str(row["target"])])


def _at(
    layer: int, source: Tensor, targets: Mapping[str, Tensor], measures: Sequence[MeasureName]
) -> Iterator[Row]:
    """Compare one layer: what a measure needs of the source is computed once."""
    for name, side in {"the source": source, **targets}.items():
        if not side[layer].isfinite().all():
            raise SimilarityError(f"layer {layer} of {name} holds values that are not finite")
        check_varies(side[layer], f"similarity at layer {layer} of {name}")
    for measure in measures:
        chosen = MEASURES[measure]
        left = chosen.prepare(source[layer])
        for name, side in targets.items():
            for estimate in chosen.compare(left, chosen.prepare(side[layer])):
                same = {"target": name, "layer": layer, "n": side.shape[1], "measure": measure}
                yield {**same, **asdict(estimate)}
