"""How far apart languages are: embedded ones by their descriptions, others by their features.

``typology.tsv`` has features of eighteen real languages, none of them from memory or a grammar:
``studies/typology.py`` measured them on 2026-11-25 from the Parallel UD treebanks (Zeman et al.
2017), 1,000 sentences of news and Wikipedia in each language. They are UD_Arabic-PUD, Chinese,
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

Features = dict[str, dict[str, str]]


def language_distance(names: Iterable[str], features: Path | None) -> Distance | None:
    """Return the distance between these languages: by a file of features, or by what is known.

    >>> distance = language_distance(["es", "ja", "pt"], None)
    >>> distance("es", "pt") < 0.1 < 0.5 < distance("es", "ja")
    True

    Without a file, embedded languages are compared by their descriptions and real ones by
    `builtin_features`; None where neither has all of them.

    Raises:
        DataError: if the file cannot be used, or says nothing of one of the languages.
    """
    if features is None:
        return _distance_known({*names})
    known = read_features(features)
    for name in names:
        if name not in known:
            raise DataError(f"{features} says nothing of {name}, it has {', '.join(known)}")
    return feature_distance(known)


def _distance_known(names: set[str]) -> Distance | None:
    if names <= {*languages()}:
        return typological_distance
    known = builtin_features()
    return feature_distance(known) if names <= known.keys() else None


@cache
def builtin_features() -> Features:
    """Return the features of real languages that come with AlignScope, by language.

    >>> builtin_features()["ja"]["object_after_verb"], builtin_features()["ja"]["script"]
    ('0.000', 'HIRAGANA')

    Shares are between 0 and 1, measured from parallel treebanks: where words stand, how many
    nouns have a determiner or a case marker of its own, how many sentences a subject; then words
    for a word of English, different forms a word, and the script of most letters.
    """
    with as_file(files("alignscope.analysis") / "typology.tsv") as path:
        return read_features(path)


def read_features(path: Path) -> Features:
    """Read a table of features, CSV or by its ending TSV: a column ``language``, then any others.

    A cell that is empty, NA, NaN, - or ? is a feature that is not known. Tables such as those of
    lang2vec can be written so. Codes that are no quantities, as those of WALS, must not be bare
    numbers: 2 is nearer to 1 than 7 is, 81A-2 is not.

    Raises:
        DataError: if the file cannot be read, has no such column, no feature, or a language twice.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t" if path.suffix == ".tsv" else ","))
    if not rows or next(iter(rows[0])) != "language" or len(rows[0]) < 2:
        raise DataError(f"{path} should have a column language, then one for each feature")
    found: Features = {}
    for row in rows:
        name = (row.pop("language") or "").strip()
        if name in found:
            raise DataError(f"{path} has the language {name} twice")
        cells = {feature: (value or "").strip() for feature, value in row.items() if feature}
        found[name] = {f: "" if cell.lower() in UNKNOWN else cell for f, cell in cells.items()}
    return found


def feature_distance(known: Features) -> Distance:
    """Return Gower's distance (1971) over the features that both languages have, between 0 and 1.

    >>> known = {"en": {"order": "SVO", "cases": "2"}, "de": {"order": "", "cases": "4"}}
    >>> feature_distance(known | {"ja": {"order": "SOV", "cases": "8"}})("en", "de")
    0.3333333333333333

    A feature that is a number everywhere counts by how far apart two are in its range, another one
    by whether they differ.
    """
    spans = {feature: _span(known, feature) for feature in next(iter(known.values()))}

    def distance(left: str, right: str) -> float:
        parts = []
        for feature, span in spans.items():
            one, other = known[left].get(feature, ""), known[right].get(feature, "")
            if not one or not other:
                continue
            if span is None:
                parts.append(float(one != other))
            elif span > 0:
                parts.append(abs(float(one) - float(other)) / span)
        if not parts:
            raise DataError(f"{left} and {right} have no feature in common that is known of both")
        return math.fsum(parts) / len(parts)

    return distance


def _span(known: Features, feature: str) -> float | None:
    """The range of a feature that is a number everywhere; None of another one."""
    values = [row.get(feature, "") for row in known.values()]
    try:
        numbers = [float(value) for value in values if value]
    except ValueError:
        return None
    return max(numbers) - min(numbers) if numbers else 0.0
