"""Similarity of a source to its targets, layer by layer."""

from collections.abc import Mapping

from torch import Tensor

from alignscope.errors import SimilarityError
from alignscope.similarity.cka import (
    biased_cka,
    debiased_cka,
    debiased_interval,
    null_band,
)
from alignscope.similarity.retrieval import retrieval

Row = dict[str, object]

FEWEST = 20  # sentences: intervals of fewer hold everything


def similarity_by_layer(source: Tensor, targets: Mapping[str, Tensor]) -> list[Row]:
    """Compare every layer of a source with the same layer of each target.

    >>> rows = similarity_by_layer(vesti, {"synthetic:qadir/news": qadir})
    >>> [row["cka"] for row in rows]  # layer 0, 1, ...

    ``source`` and each target are (layers, sentences, hidden), sentence by sentence the same.
    Rows have the columns of ``tables.SIMILARITY`` from ``target`` on; the null band is where 95 %
    of random pairings lie.

    Raises:
        SimilarityError: if shapes differ, there are fewer than `FEWEST` sentences, or a layer is
            constant.
    """
    if source.shape[1] < FEWEST:
        raise SimilarityError(
            f"{source.shape[1]} sentences are too few to compare languages by: {FEWEST} at least"
        )
    return [
        {"target": name, "layer": layer, **_compare(left, right)}
        for name, target in targets.items()
        for layer, (left, right) in enumerate(zip(source, target, strict=True))
    ]


def _compare(left: Tensor, right: Tensor) -> Row:
    low, high = debiased_interval(left, right)
    null_low, null_high = null_band(left, right)
    return {
        "sentences": len(left),
        "cka": debiased_cka(left, right),
        "cka_low": low,
        "cka_high": high,
        "cka_biased": biased_cka(left, right),
        "null_low": null_low,
        "null_high": null_high,
        "retrieval": retrieval(left, right),
    }
