"""The configuration of similarity: layers, and invalid values."""

import pytest

from alignscope._util.validation import parse_options
from alignscope.config.similarity import STORED, ComparisonConfig, SimilarityConfig
from alignscope.errors import StudyError


@pytest.mark.parametrize(
    ("layers", "found"),
    [(None, [0, 1, 2, 3]), ("0-3", [0, 1, 2, 3]), ("3,0", [0, 3]), ("1-2,2-3", [1, 2, 3])],
)
def test_layers_are_sorted_without_repetition(layers: str | None, found: list[int]) -> None:
    assert ComparisonConfig(layers=layers).layers_of(4) == found


@pytest.mark.parametrize("layers", ["4", "0-4", "3-1"])
def test_a_layer_beyond_the_encoder_is_refused(layers: str) -> None:
    with pytest.raises(ValueError, match=f"The encoder has the layers 0-3, not {layers}"):
        ComparisonConfig(layers=layers).layers_of(4)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"measures": ["xyz"]}, "measures.0: xyz is not a measure. Known are: cka, "),
        ({"measures": ["cka", "rsa", "cka"]}, "measures: cka is given twice"),
        ({"words": True, "pooling": "last"}, "options: `pooling` cannot be combined with `words`"),
        ({"layers": "all"}, "layers: all is not a list of layers. Write it like 0-3,8"),
        ({"pooling": "max"}, "pooling: Input should be 'mean', .*got 'max'"),
        ({"limit": 19}, "limit: Input should be greater than or equal to 20"),
    ],
)
def test_invalid_options_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        parse_options(ComparisonConfig, **given)
    assert parse_options(ComparisonConfig, layers=None) == ComparisonConfig()


def test_stored_configurations_without_a_reading_are_of_words() -> None:
    """Their serialisation, and so their address, is what earlier versions wrote."""
    stored = {"corpora": ["ud:en_pud", "ud:de_pud"], "measures": ["cka"]}
    old = SimilarityConfig.model_validate(stored, context=STORED)
    assert old.text == "words"
    assert "text" not in old.model_dump()
    assert SimilarityConfig.model_validate({**stored, "text": "words"}) == old
    new = SimilarityConfig.model_validate(stored)
    assert new.model_dump() == {**old.model_dump(), "text": "raw"}
    assert SimilarityConfig.model_validate(new.model_dump(), context=STORED) == new


def test_neighbours_are_stored_only_with_their_measure() -> None:
    assert "neighbours" not in ComparisonConfig().model_dump()
    assert ComparisonConfig(measures=("mutual-knn",), neighbours=5).model_dump()["neighbours"] == 5
