"""Words: cognates, loans, homographs, names, endings, capitals."""

from collections import defaultdict
from itertools import combinations

import pytest

from alignscope.data.synthetic.language import languages, load_language
from alignscope.data.synthetic.lexicon import Lexicon
from alignscope.data.synthetic.phonology import ROOT, SoundChanges, family
from alignscope.data.synthetic.world import FUNCTION_WORDS, world

NOUNS = [
    noun for topics in world().nouns.values() for some in topics.values() for noun in some
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
    """The share of nouns that a change of letters leads from one language to another."""
    found = [
        changes(LEXICONS[left].noun(noun).lower()) == LEXICONS[right].noun(noun).lower()
        for noun in NOUNS
    ]
    return sum(found) / len(found)


def test_relatives_share_roots_after_regular_changes():
    """As a linguist would see it: Dorun has pf, t, -z, -x where Vesti has p, d, -t, -k."""

    def to_dorun(word):
        word = word.replace("p", "pf")
        word = word[:-1] + "z" if word.endswith("t") else word
        word = word.replace("d", "t")
        return word[:-1] + "x" if word.endswith("k") else word

    plain = [noun for noun in NOUNS if not set(LEXICONS["vesti"].noun(noun)) & set("čv")]
    assert len(plain) > 80
    found = [
        to_dorun(LEXICONS["vesti"].noun(noun)) == LEXICONS["dorun"].noun(noun).lower()
        for noun in plain
    ]
    assert sum(found) / len(found) > 0.6
    assert cognates("vesti", "dorun", lambda word: word) < 0.5


def test_roots_change_by_the_rules_of_their_language(language):
    """All but loans, which stay what they were in the family they are from."""
    lexicon, changes = LEXICONS[language.name.lower()], SoundChanges(language.sounds)
    own = borrowed = 0
    for noun in NOUNS:
        form, key = lexicon.noun(noun).lower(), f"noun {noun}"
        inherited = changes.of(family(language.family).root(key, ROOT))
        donors = [family(donor).root(key, ROOT) for donor in language.loans]
        assert form in [lexicon.script.write(root) for root in (inherited, *donors)]
        own += form == lexicon.script.write(inherited)
        borrowed += form in map(lexicon.script.write, donors)
    share = sum(language.loans.values())
    assert own / len(NOUNS) == pytest.approx(1 - share, abs=0.08)
    assert borrowed / len(NOUNS) == pytest.approx(share, abs=0.08)


def test_strangers_share_hardly_a_word():
    for left, right in combinations(LATIN, 2):
        one, other = load_language(left), load_language(right)
        alike = cognates(left, right, lambda word: word)
        if one.family != other.family and not {*one.loans, one.family} & {
            *other.loans,
            other.family,
        }:
            assert alike < 0.05, (left, right)
        assert alike < 0.7


def test_names_are_written_alike_in_one_script():
    scripts = defaultdict(set)
    for name, lexicon in LEXICONS.items():
        scripts[load_language(name).script].add(
            tuple(lexicon.name(f"{kind}{number}").lower()
                  for kind in ("given", "city", "country", "company") for number in range(1, 16))
        )  # fmt: skip
    assert {len(found) for found in scripts.values()} == {1}
    assert len(set.union(*scripts.values())) == len(scripts)


def test_every_third_surname_is_a_noun(language):
    lexicon = LEXICONS[language.name.lower()]
    nouns = {lexicon.noun(noun).lower() for noun in NOUNS}
    surnames = [lexicon.name(f"surname{number}").lower() in nouns for number in range(1, 46)]
    assert all(surnames[2::3])
    assert sum(surnames) < 22


def test_homographs(language, tokens):
    """The same form with different parts of speech, more of them where the description says so."""
    lexicon = LEXICONS[language.name.lower()]
    nouns = {lexicon.noun(noun).lower() for noun in NOUNS}
    verbs = [lexicon.verb(verb.gloss).lower() in nouns for verb in world().verbs]
    assert sum(verbs) / len(verbs) == pytest.approx(language.homographs, abs=0.15)
    assert any(verbs)
    tags = defaultdict(set)
    for token in tokens:
        tags[token.form].add(token.upos)
    # Endings tell most of them apart where there are many.
    assert any(len(found) > 1 for found in tags.values())


def test_function_words_that_are_written_alike(language):
    lexicon = LEXICONS[language.name.lower()]
    for one, other in language.same:
        verbs = {verb.gloss for verb in world().verbs}
        assert lexicon.word(one) == (lexicon.verb if other in verbs else lexicon.word)(other)


@pytest.mark.parametrize("name", ALPHABETIC)
def test_endings(name):
    """One after the other, or one for everything at once, by the class of the noun."""
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


def test_capitals(language, tokens):
    lexicon = LEXICONS[language.name.lower()]
    capital = {"none": set(), "names": {"PROPN"}, "nouns": {"PROPN", "NOUN"}}[language.capitals]
    for token in tokens:
        if token.gloss != "classifier":
            assert token.form[0].isupper() == (token.upos in capital), token
    assert lexicon.script.cased or not capital


def test_function_words_differ_unless_they_are_to_be_the_same(language):
    lexicon = LEXICONS[language.name.lower()]
    replaced = {one for one, _ in language.same}
    own = [word for word in FUNCTION_WORDS if word not in replaced]
    forms = [lexicon.word(word) for word in own]
    assert len(set(forms)) == len(forms)
