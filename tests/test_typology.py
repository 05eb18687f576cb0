"""Distances between languages: embedded ones, and by a file of features."""

from pathlib import Path

import pytest

from alignscope.analysis.typology import distance_of, feature_distance, read_features
from alignscope.errors import DataError
from alignscope.synthetic.distance import typological_distance

FEATURES = "\ufefflanguage,order,cases,note\nen,SVO,2,?\nde,,4,x\nja,SOV,10,x\nzh,SVO,NaN,y\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "features.csv"
    path.write_text(FEATURES)
    return path


def test_it_is_the_mean_over_features_known_of_both(file: Path) -> None:
    distance = distance_of(["en", "de", "ja", "zh"], file)
    assert distance is not None
    assert distance("en", "de") == pytest.approx(2 / 8)
    assert distance("en", "ja") == pytest.approx((1 + 8 / 8) / 2)
    assert distance("de", "ja") == pytest.approx((6 / 8 + 0) / 2)
    assert distance("en", "zh") == 0 == distance("ja", "ja")


def test_without_a_file_embedded_languages_have_their_own() -> None:
    assert distance_of(["vesti", "qadir"], None) is typological_distance
    assert distance_of(["vesti", "en"], None) is None


def test_tsv_is_told_by_its_ending(tmp_path: Path) -> None:
    path = tmp_path / "features.tsv"
    path.write_text(FEATURES.replace(",", "\t"))
    assert read_features(path)["ja"] == {"order": "SOV", "cases": "10", "note": "x"}


def test_a_constant_number_says_nothing() -> None:
    known = {"a": {"n": "3", "x": "1"}, "b": {"n": "3", "x": "2"}, "c": {"n": "", "x": ""}}
    assert feature_distance(known)("a", "b") == 1
    with pytest.raises(DataError, match="a and c have no feature in common"):
        feature_distance(known)("a", "c")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "should have a column language"),
        ("lang,order\nen,SVO\n", "should have a column language"),
        ("language\nen\n", "then one for each feature"),
        ("language,order\nen,SVO\nen,SOV\n", "has the language en twice"),
        ("language,order\nde,SVO\n", "says nothing of en, it has de"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "features.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        distance_of(["en"], path)
    with pytest.raises(DataError, match="cannot be read"):
        distance_of(["en"], tmp_path / "none.csv")
