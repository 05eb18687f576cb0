"""Phrases follow the description of the language, as measured from the trees."""

from collections import defaultdict

import pytest

ADJUNCTS = {"to": "dative", "in": "locative", "from": "ablative", "with": "instrumental"}


def sides(tokens, relation):
    observed = [token.side for token in tokens if token.relation == relation]
    assert len(observed) > 10, relation
    return set(observed)


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
def test_dependents_stand_on_the_described_side(language, tokens, relation, trait):
    selected = [token for token in tokens if token.gloss != "of"]
    assert sides(selected, relation) == {getattr(language, trait)}


def test_of_stands_between_owner_and_owned(language, tokens):
    if language.possession == "adposition":
        selected = [token for token in tokens if token.gloss == "of"]
        assert sides(selected, "case") == {"after" if language.genitive == "before" else "before"}


def test_determiners_stand_on_the_described_side(language, tokens):
    selected = [token for token in tokens if token.gloss != "plural"]
    assert sides(selected, "det") == {language.determiner}


def test_articles_exist_where_described(language, tokens):
    articles = {token.gloss for token in tokens if token.upos == "DET"} & {"the", "a"}
    assert articles == {"none": set(), "definite": {"the"}, "both": {"the", "a"}}[language.article]


def test_articles_follow_definiteness_and_number(language, sentences):
    seen = set()
    for item in sentences:
        phrase = item.meaning.subject
        plain = phrase.noun and not (phrase.entity or phrase.pointed or phrase.numeral)
        if plain and not phrase.possessor and not item.meaning.command:
            the = "the" if phrase.definite and language.article != "none" else None
            a = None if phrase.definite or phrase.plural or language.article != "both" else "a"
            determiners = [token.gloss for token in item.root.one("nsubj").all("det")]
            assert [gloss for gloss in determiners if gloss != "plural"] == [
                gloss for gloss in (the, a) if gloss
            ]
            seen.add((phrase.definite, phrase.plural))
    assert len(seen) == 4


def test_plurals_are_marked_as_described(language, tokens):
    """By an ending, by a word, or not at all."""
    assert any(token.gloss == "plural" for token in tokens) == (language.plural == "word")
    forms = defaultdict(set)
    for token in tokens:
        if token.upos == "NOUN" and token.relation == "nsubj":
            forms[token.gloss].add(token.form)
    assert {len(variants) for variants in forms.values()} == (
        {1, 2} if language.plural == "suffix" else {1}
    )


def test_adjectives_agree_where_described(language, tokens):
    forms = defaultdict(set)
    for token in tokens:
        if token.relation == "amod":
            forms[token.gloss].add(token.form)
    assert len(forms) > 10
    assert any(len(variants) > 1 for variants in forms.values()) == language.agreement


def shared(tokens, left, right, tags):
    """Return the share of nouns or pronouns with a form that occurs in both of two roles."""
    forms = defaultdict(lambda: defaultdict(set))
    for token in tokens:
        if token.upos in tags:
            forms[token.gloss][token.relation].add(token.form)
    both = [by for by in forms.values() if by[left] and by[right]]
    assert len(both) >= 3
    return sum(bool(by[left] & by[right]) for by in both) / len(both)


def test_objects_have_a_form_of_their_own_in_the_accusative(language, tokens):
    share = shared(tokens, "nsubj", "obj", ("NOUN",))
    assert share < 0.1 if "accusative" in language.cases else share > 0.7


def test_possessors_are_marked_as_described(language, tokens):
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


def test_recipients_are_marked_as_described(language, tokens):
    """By the dative, or by the adposition "to"."""
    recipients = [token for token in tokens if token.relation == "iobj"]
    assert bool(recipients) == ("dative" in language.cases)
    assert all(token.one("case") is None for token in recipients)


def test_classifiers_follow_numerals_where_described(language, tokens):
    numbers = [token for token in tokens if token.upos == "NUM"]
    assert len(numbers) > 30
    for number in numbers:
        classifier = number.one("clf")
        assert (classifier is not None) == language.classifiers
        assert classifier is None or classifier.place == number.place + 1


def test_surnames_stand_in_the_described_order(language, tokens):
    pairs = [
        (token.head.gloss, token.gloss)
        for token in tokens
        if token.relation == "flat" and token.gloss.startswith(("given", "surname"))
    ]
    assert len(pairs) > 30
    first = "surname" if language.surname_first else "given"
    assert all(head.startswith(first) for head, _ in pairs)
