"""Lexicon: cognates, loans, homographs, names, endings, capitals."""

from collections import defaultdict
from itertools import combinations

import pytest

from alignscope.data.synthetic.language import languages, load_language
from alignscope.data.synthetic.lexicon import Lexicon
from alignscope.data.synthetic.phonology import ROOT, SoundChanges, family
from alignscope.data.synthetic.world import FUNCTION_WORDS, world

NOUNS = [
    noun for topics in world().nouns.values() for group in topics.values() for noun in group
]  # fmt: skip
CASES = ("accusative", "genitive", "dative")
LEXICONS = {name: Lexicon(load_language(name)) for name in languages()}
ALPHABETIC = [
    name for name in languages()
    if load_language(name).script not in ("devanagari", "hangul", "han")
    and load_language(name).morphology != "isolating"
]  # fmt: skip
LATIN = [name for name in languages() if load_language(name).script == "latin"]


def cognates(left, right, changes):
    """Return the share of nouns that a letter mapping takes from one language to another."""
    matches = [
        changes(LEXICONS[left].noun(noun).lower()) == LEXICONS[right].noun(noun).lower()
        for noun in NOUNS
    ]
    return sum(matches) / len(matches)


def test_related_languages_share_roots_after_regular_changes():
    """Regular correspondences: Dorun has pf, t, -z, -x where Vesti has p, d, -t, -k."""

    def to_dorun(word):
        word = word.replace("p", "pf")
        word = word[:-1] + "z" if word.endswith("t") else word
        word = word.replace("d", "t")
        return word[:-1] + "x" if word.endswith("k") else word

    plain = [noun for noun in NOUNS if not set(LEXICONS["vesti"].noun(noun)) & set("čv")]
    assert len(plain) > 80
    matches = [
        to_dorun(LEXICONS["vesti"].noun(noun)) == LEXICONS["dorun"].noun(noun).lower()
        for noun in plain
    ]
    assert sum(matches) / len(matches) > 0.6
    assert cognates("vesti", "dorun", lambda word: word) < 0.5


def test_roots_change_by_the_rules_of_their_language(language):
    """Loans are exempt: they keep the form of the donor family."""
    lexicon, changes = LEXICONS[language.name.lower()], SoundChanges(language.sounds)
    native = borrowed = 0
    for noun in NOUNS:
        form, key = lexicon.noun(noun).lower(), f"noun {noun}"
        inherited = changes.of(family(language.family).root(key, ROOT))
        donors = [family(donor).root(key, ROOT) for donor in language.loans]
        assert form in [lexicon.script.write(root) for root in (inherited, *donors)]
        native += form == lexicon.script.write(inherited)
        borrowed += form in map(lexicon.script.write, donors)
    share = sum(language.loans.values())
    assert native / len(NOUNS) == pytest.approx(1 - share, abs=0.08)
    assert borrowed / len(NOUNS) == pytest.approx(share, abs=0.08)


def test_unrelated_languages_share_few_words():
    for left, right in combinations(LATIN, 2):
        first, second = load_language(left), load_language(right)
        share = cognates(left, right, lambda word: word)
        origins = [{*language.loans, language.family} for language in (first, second)]
        if not origins[0] & origins[1]:
            assert share < 0.05, (left, right)
        assert share < 0.7


def test_names_have_one_spelling_per_script():
    scripts = defaultdict(set)
    for name, lexicon in LEXICONS.items():
        scripts[load_language(name).script].add(
            tuple(lexicon.name(f"{kind}{number}").lower()
                  for kind in ("given", "city", "country", "company") for number in range(1, 16))
        )  # fmt: skip
    assert {len(spellings) for spellings in scripts.values()} == {1}
    assert len(set.union(*scripts.values())) == len(scripts)


def test_every_third_surname_is_a_noun(language):
    lexicon = LEXICONS[language.name.lower()]
    nouns = {lexicon.noun(noun).lower() for noun in NOUNS}
    surnames = [lexicon.name(f"surname{number}").lower() in nouns for number in range(1, 46)]
    assert all(surnames[2::3])
    assert sum(surnames) < 22


def test_homographs_are_as_frequent_as_described(language, tokens):
    """A homograph is one form with several parts of speech."""
    lexicon = LEXICONS[language.name.lower()]
    nouns = {lexicon.noun(noun).lower() for noun in NOUNS}
    verbs = [lexicon.verb(verb.gloss).lower() in nouns for verb in world().verbs]
    assert sum(verbs) / len(verbs) == pytest.approx(language.homographs, abs=0.15)
    assert any(verbs)
    tags = defaultdict(set)
    for token in tokens:
        tags[token.form].add(token.upos)
    # In languages with many endings, the endings distinguish most of them.
    assert any(len(parts) > 1 for parts in tags.values())


def test_function_words_listed_as_same_share_a_form(language):
    lexicon = LEXICONS[language.name.lower()]
    for word, model in language.same:
        verbs = {verb.gloss for verb in world().verbs}
        assert lexicon.word(word) == (lexicon.verb if model in verbs else lexicon.word)(model)


@pytest.mark.parametrize("name", ALPHABETIC)
def test_endings_follow_the_morphological_type(name):
    """Agglutinating: one ending per feature; fusional: one for all, by noun class."""
    language, lexicon = load_language(name), LEXICONS[name]

    def ending(noun, *features):
        return lexicon.noun(noun, features).removeprefix(lexicon.noun(noun))

    chained = {
        ending(noun, "plural", case) == ending(noun, "plural") + ending(noun, case)
        for noun in NOUNS
        for case in CASES
    }
    assert chained == {language.morphology == "agglutinating"}
    if language.morphology == "fusional":
        paradigms = {tuple(ending(noun, "plural", case) for case in CASES) for noun in NOUNS}
        assert len(paradigms) == language.classes


def test_capitals_follow_the_description(language, tokens):
    lexicon = LEXICONS[language.name.lower()]
    capital = {"none": set(), "names": {"PROPN"}, "nouns": {"PROPN", "NOUN"}}[language.capitals]
    for token in tokens:
        if token.gloss != "classifier":
            assert token.form[0].isupper() == (token.upos in capital), token
    assert lexicon.script.cased or not capital


def test_function_words_differ_unless_listed_as_same(language):
    lexicon = LEXICONS[language.name.lower()]
    replaced = {word for word, _ in language.same}
    distinct = [word for word in FUNCTION_WORDS if word not in replaced]
    forms = [lexicon.word(word) for word in distinct]
    assert len(set(forms)) == len(forms)
