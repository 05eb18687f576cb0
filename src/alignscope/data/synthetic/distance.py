"""How far apart two languages are, by their descriptions."""

from alignscope.data.synthetic.language import Language, load_language

TRAITS = (
    "order", "adjective", "genitive", "relative", "numeral", "determiner", "adposition",
    "subordinator", "question", "morphology", "article", "plural", "possession", "agreement",
    "person", "pro_drop", "tense", "negation", "copula", "relativizer", "infinitive", "classifiers",
    "surname_first",
)  # fmt: skip
"""What is compared: word order, morphology and how clauses are joined."""


def typological_distance(left: str, right: str) -> float:
    """Return the share of traits in which two languages differ, between 0 and 1.

    >>> typological_distance("vesti", "vesti")
    0.0

    Gower's distance over `TRAITS`; cases count by how many of both languages' they do not share.
    Words and scripts are left out: `Language.family` and `Language.script` tell about those.

    Raises:
        DataError: if there is no such language.
    """
    one, other = load_language(left), load_language(right)
    differing = [float(getattr(one, trait) != getattr(other, trait)) for trait in TRAITS]
    differing.append(_unshared(one, other))
    return sum(differing) / len(differing)


def _unshared(one: Language, other: Language) -> float:
    """The share of cases that only one of two languages has (Jaccard's distance)."""
    every = {*one.cases, *other.cases}
    return len({*one.cases} ^ {*other.cases}) / len(every) if every else 0.0
