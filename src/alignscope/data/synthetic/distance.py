"""Typological distance between two synthetic languages."""

from alignscope.data.synthetic.language import Language, load_language

TRAITS = (
    "order", "adjective", "genitive", "relative", "numeral", "determiner", "adposition",
    "subordinator", "question", "morphology", "article", "plural", "possession", "agreement",
    "person", "pro_drop", "tense", "negation", "copula", "relativizer", "infinitive", "classifiers",
    "surname_first",
)  # fmt: skip
"""The compared traits: word order, morphology and how clauses are joined."""


def typological_distance(left: str, right: str) -> float:
    """Return the share of traits in which two languages differ, between 0 and 1.

    >>> typological_distance("vesti", "vesti")
    0.0

    This is Gower's distance over `TRAITS` and the set of cases. Cases contribute the share of
    cases that only one of the two languages has. Vocabulary and script do not contribute:
    compare `Language.family` and `Language.script` instead.

    Raises:
        DataError: if a language is unknown.
    """
    first, second = load_language(left), load_language(right)
    differences = [float(getattr(first, trait) != getattr(second, trait)) for trait in TRAITS]
    differences.append(_case_distance(first, second))
    return sum(differences) / len(differences)


def _case_distance(first: Language, second: Language) -> float:
    """Return Jaccard's distance between the cases of two languages."""
    cases = {*first.cases, *second.cases}
    return len({*first.cases} ^ {*second.cases}) / len(cases) if cases else 0.0
