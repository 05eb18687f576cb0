"""Phrases do what the description of the language says, measured from the trees."""

from collections import defaultdict

import pytest

ADJUNCTS = {"to": "dative", "in": "locative", "from": "ablative", "with": "instrumental"}


def sides(tokens, relation):
    found = [token.side for token in tokens if token.relation == relation]
    assert len(found) > 10, relation
    return set(found)


@pytest.mark.parametrize(
    ("relation", "trait"),
    [
        ("amod", "adjective"),
        ("nmod", "genitive"),
        ("acl:relcl", "relative"),
        ("nummod", "numeral"),
        ("case", "adposition"),
    ],
)
def test_what_goes_before_and_after(language, tokens, relation, trait):
    ours = [token for token in tokens if token.gloss != "of"]
    assert sides(ours, relation) == {getattr(language, trait)}


def test_of_stands_between_owner_and_owned(language, tokens):
    if language.possession == "adposition":
        ours = [token for token in tokens if token.gloss == "of"]
        assert sides(ours, "case") == {"after" if language.genitive == "before" else "before"}


def test_determiners(language, tokens):
    ours = [token for token in tokens if token.gloss != "plural"]
    assert sides(ours, "det") == {language.determiner}


def test_articles(language, tokens):
    found = {token.gloss for token in tokens if token.upos == "DET"} & {"the", "a"}
    assert found == {"none": set(), "definite": {"the"}, "both": {"the", "a"}}[language.article]


def test_where_articles_are(language, sayings):
    seen = set()
    for said in sayings:
        phrase = said.meaning.subject
        plain = phrase.noun and not (phrase.entity or phrase.pointed or phrase.numeral)
        if plain and not phrase.possessor and not said.meaning.command:
            the = "the" if phrase.definite and language.article != "none" else None
            a = None if phrase.definite or phrase.plural or language.article != "both" else "a"
            determiners = [token.gloss for token in said.root.one("nsubj").all("det")]
            assert [one for one in determiners if one != "plural"] == [
                one for one in (the, a) if one
            ]
            seen.add((phrase.definite, phrase.plural))
    assert len(seen) == 4


def test_plurals(language, tokens):
    """An ending, a word, or nothing at all."""
    assert any(token.gloss == "plural" for token in tokens) == (language.plural == "word")
    forms = defaultdict(set)
    for token in tokens:
        if token.upos == "NOUN" and token.relation == "nsubj":
            forms[token.gloss].add(token.form)
    assert {len(found) for found in forms.values()} == (
        {1, 2} if language.plural == "suffix" else {1}
    )


def test_adjectives_agree(language, tokens):
    forms = defaultdict(set)
    for token in tokens:
        if token.relation == "amod":
            forms[token.gloss].add(token.form)
    assert len(forms) > 10
    assert any(len(found) > 1 for found in forms.values()) == language.agreement


def shared(tokens, left, right, tags):
    """The share of nouns or pronouns with some form that stands in both of two roles."""
    forms = defaultdict(lambda: defaultdict(set))
    for token in tokens:
        if token.upos in tags:
            forms[token.gloss][token.relation].add(token.form)
    both = [by for by in forms.values() if by[left] and by[right]]
    assert len(both) >= 3
    return sum(bool(by[left] & by[right]) for by in both) / len(both)


def test_objects_have_their_own_form(language, tokens):
    share = shared(tokens, "nsubj", "obj", ("NOUN",))
    assert share < 0.1 if "accusative" in language.cases else share > 0.7


def test_possessors(language, tokens):
    owners = [token for token in tokens if token.relation == "nmod" and token.upos != "PROPN"]
    by_word = language.possession == "adposition"
    assert {token.one("case") is not None for token in owners} == {by_word}
    assert any(token.gloss == "of" for token in tokens) == by_word
    share = shared(tokens, "nsubj", "nmod", ("NOUN", "PRON"))
    assert share < 0.1 if "genitive" in language.cases else share > 0.5


@pytest.mark.parametrize("adjunct", ADJUNCTS)
def test_a_case_replaces_its_adposition(language, tokens, adjunct):
    marked = any(token.upos == "ADP" and token.gloss == adjunct for token in tokens)
    assert marked == (ADJUNCTS[adjunct] not in language.cases)


def test_recipients(language, tokens):
    """In the dative, or after the word for "to"."""
    found = [token for token in tokens if token.relation == "iobj"]
    assert bool(found) == ("dative" in language.cases)
    assert all(token.one("case") is None for token in found)


def test_classifiers(language, tokens):
    numbers = [token for token in tokens if token.upos == "NUM"]
    assert len(numbers) > 30
    for number in numbers:
        found = number.one("clf")
        assert (found is not None) == language.classifiers
        assert found is None or found.place == number.place + 1


def test_surnames(language, tokens):
    pairs = [
        (token.head.gloss, token.gloss)
        for token in tokens
        if token.relation == "flat" and token.gloss.startswith(("given", "surname"))
    ]
    assert len(pairs) > 30
    first = "surname" if language.surname_first else "given"
    assert all(head.startswith(first) for head, _ in pairs)
