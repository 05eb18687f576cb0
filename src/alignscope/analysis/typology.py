"""Distances between languages: from descriptions of synthetic languages, from features of others.

``typology.tsv`` holds features of eighteen real languages. All were measured, by
``studies/typology.py`` on 2026-11-25, from the Parallel UD treebanks (Zeman et al. 2017): 1,000
sentences of news and Wikipedia per language. The treebanks are UD_Arabic-PUD, Chinese,
Czech, English, Finnish, French, German, Hindi, Indonesian, Italian, Japanese, Korean, Polish,
Portuguese, Russian, Spanish, Swedish and Turkish, as in releases 2.16 to 2.18 of Universal
Dependencies, but Japanese as of 2019-07-01, between two releases.
"""

import csv
import math
from collections.abc import Iterable
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

from alignscope.analysis.distance_correlation import Distance
from alignscope.data.synthetic.distance import typological_distance
from alignscope.data.synthetic.language import languages
from alignscope.errors import DataError

UNKNOWN = {"", "na", "nan", "?", "-", "--"}
"""Cells, in lower case, whose feature is unknown."""

Features = dict[str, dict[str, str]]


def language_distance(names: Iterable[str], features: Path | None) -> Distance | None:
    """Return the distance between languages, from a file of features or from built-in ones.

    >>> distance = language_distance(["es", "ja", "pt"], None)
    >>> distance("es", "pt") < 0.1 < 0.5 < distance("es", "ja")
    True

    Without a file, synthetic languages are compared by their descriptions and real ones by
    `builtin_features`. The distance is None if neither has all of the languages.

    Raises:
        DataError: if the file cannot be used or lacks one of the languages.
    """
    if features is None:
        return _builtin_distance({*names})
    known = read_features(features)
    for name in names:
        if name not in known:
            raise DataError(f"{features} has no features of {name}. It has {', '.join(known)}.")
    return feature_distance(known)


def _builtin_distance(names: set[str]) -> Distance | None:
    if names <= {*languages()}:
        return typological_distance
    known = builtin_features()
    return feature_distance(known) if names <= known.keys() else None


@cache
def builtin_features() -> Features:
    """Return the built-in features of real languages, by language.

    >>> builtin_features()["ja"]["object_after_verb"], builtin_features()["ja"]["script"]
    ('0.000', 'HIRAGANA')

    Most features are shares between 0 and 1, measured on parallel treebanks: of word orders, of
    nouns with a determiner or a separate case marker, of sentences with a subject. The others are
    the number of words per English word, the number of different forms per word, and the script of
    most letters.
    """
    with as_file(files("alignscope.analysis") / "typology.tsv") as path:
        return read_features(path)


def read_features(path: Path) -> Features:
    """Read a table of features: a column ``language``, then one column per feature.

    The format is TSV if the name ends in ``.tsv``, else CSV. A cell that is empty, NA, NaN, - or ?
    is an unknown feature. Codes of categories, such as those of WALS, must not be plain numbers,
    because numbers are compared as quantities: write ``81A-2``, not ``2``.

    Raises:
        DataError: if the file cannot be read, lacks the column ``language`` or any feature, or has
            a language twice.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from None
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t" if path.suffix == ".tsv" else ","))
    if not rows or next(iter(rows[0])) != "language" or len(rows[0]) < 2:
        raise DataError(
            f"{path} needs a column language, followed by at least one column with a feature."
        )
    features: Features = {}
    for row in rows:
        name = (row.pop("language") or "").strip()
        if name in features:
            raise DataError(f"{path} has the language {name} twice. Remove one of the rows.")
        cells = {feature: (value or "").strip() for feature, value in row.items() if feature}
        features[name] = {f: "" if cell.lower() in UNKNOWN else cell for f, cell in cells.items()}
    return features


def feature_distance(known: Features) -> Distance:
    """Return Gower's distance (1971), between 0 and 1, over the features that both languages have.

    >>> known = {"en": {"order": "SVO", "cases": "2"}, "de": {"order": "", "cases": "4"}}
    >>> feature_distance(known | {"ja": {"order": "SOV", "cases": "8"}})("en", "de")
    0.3333333333333333

    A feature that is a number in all languages contributes the difference relative to its range,
    any other feature 0 if the values are equal and 1 if they differ.

    The distance raises a DataError if two languages have no known feature in common.
    """
    spans = {feature: _span(known, feature) for feature in next(iter(known.values()))}

    def distance(left: str, right: str) -> float:
        parts = []
        for feature, span in spans.items():
            values = known[left].get(feature, ""), known[right].get(feature, "")
            if not all(values):
                continue
            if span is None:
                parts.append(float(values[0] != values[1]))
            elif span > 0:
                parts.append(abs(float(values[0]) - float(values[1])) / span)
        if not parts:
            raise DataError(f"{left} and {right} have no known feature in common.")
        return math.fsum(parts) / len(parts)

    return distance


def _span(known: Features, feature: str) -> float | None:
    """Return the range of a feature, or None if it is not a number in all languages."""
    values = [row.get(feature, "") for row in known.values()]
    try:
        numbers = [float(value) for value in values if value]
    except ValueError:
        return None
    return max(numbers) - min(numbers) if numbers else 0.0
