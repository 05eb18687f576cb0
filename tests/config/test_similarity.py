"""What is compared: which layers, and what is refused."""

import pytest

from alignscope._util.validation import parse_options
from alignscope.config.similarity import SimilarityConfig
from alignscope.errors import StudyError


@pytest.mark.parametrize(
    ("layers", "found"),
    [(None, [0, 1, 2, 3]), ("0-3", [0, 1, 2, 3]), ("3,0", [0, 3]), ("1-2,2-3", [1, 2, 3])],
)
def test_layers_are_taken_in_order(layers: str | None, found: list[int]) -> None:
    assert SimilarityConfig(layers=layers).layers_of(4) == found


@pytest.mark.parametrize("layers", ["4", "0-4", "3-1"])
def test_layers_that_are_not_there(layers: str) -> None:
    with pytest.raises(ValueError, match=f"layers {layers} asked for, the encoder has 0-3"):
        SimilarityConfig(layers=layers).layers_of(4)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"measures": ["xyz"]}, "measures.0: xyz is not a measure. Known are: cka, "),
        ({"measures": ["cka", "rsa", "cka"]}, "measures: cka is given twice"),
        ({"words": True, "pooling": "last"}, "options: `pooling` cannot be combined with `words`"),
        ({"layers": "all"}, "layers: layers are written like 0-3,8"),
        ({"pooling": "max"}, "pooling: Input should be 'mean', .*got 'max'"),
        ({"limit": 19}, "limit: Input should be greater than or equal to 20"),
    ],
)
def test_options_that_make_no_sense(given: dict[str, object], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        parse_options(SimilarityConfig, **given)
    assert parse_options(SimilarityConfig, layers=None) == SimilarityConfig()
