"""Clauses do what the description of the language says, measured from the trees."""

from collections import Counter, defaultdict
from itertools import chain

import pytest

from alignscope.data.synthetic.corpus import domains
from alignscope.data.synthetic.language import languages, load_language
from alignscope.data.synthetic.lexicon import Lexicon

SUBORDINATORS = ("because", "when", "if", "although", "that")
WHO = ("who", "which")


def verbs(sayings):
    return [said for said in sayings if said.meaning.verbal]


def features(meaning):
    """Who acts, as a verb may agree with it."""
    subject = meaning.subject
    return subject.person, subject.plural or subject.joined is not None


def order(verb):
    """The order of a verb and its subject and object, such as SVO; short where one is missing."""
    found = [(verb.place, "V")]
    found += [(one.place, "S") for one in verb.all("nsubj") if one.gloss not in WHO]
    found += [(one.place, "O") for one in verb.all("obj") if one.gloss not in WHO]
    return "".join(letter for _, letter in sorted(found))


def test_word_order(language, tokens):
    found = Counter(order(token) for token in tokens if token.upos == "VERB")
    whole = {key: count for key, count in found.items() if len(key) == 3}
    fronted = f"O{language.order.replace('O', '')}"
    assert set(whole) == {language.order, *([fronted] if language.scrambling else [])}
    assert sum(whole.values()) > 100
    share = whole.get(fronted, 0) / sum(whole.values())
    assert language.scrambling / 3 <= share <= 1.7 * language.scrambling
    subject_first = language.order.index("S") < language.order.index("V")
    assert found["VS" if subject_first else "SV"] == 0
    if not language.scrambling:
        assert found["VO" if language.verb_final else "OV"] == 0


def test_auxiliaries_and_copulas_keep_to_the_side_of_the_verb(language, tokens):
    sides = {token.side for token in tokens if token.relation in ("aux", "cop")}
    assert sides == {"after" if language.verb_final else "before"}


def test_subjects_that_are_left_out(language, sayings):
    pronouns = [
        bool(said.root.one("nsubj"))
        for said in sayings
        if said.meaning.subject.pronoun and not said.meaning.command
    ]
    share = sum(pronouns) / len(pronouns)
    assert len(pronouns) > 50
    assert 0.08 < share < 0.35 if language.pro_drop else share == 1
    nouns = [said for said in sayings if not said.meaning.subject.pronoun]
    assert all(said.root.one("nsubj") for said in nouns)


def test_commands(language, sayings):
    lexicon = Lexicon(language)
    commands = [said.root for said in sayings if said.meaning.command]
    assert len(commands) > 50
    for root in commands:
        assert root.one("nsubj") is None
        bare = language.morphology == "isolating"
        assert (root.form == lexicon.verb(root.gloss)) is bare or said_negated(root)


def said_negated(root):
    return any(child.gloss == "not" for child in root.below)


def test_copula(language, sayings):
    nominal = [said for said in sayings if not said.meaning.verbal]
    assert {said.meaning.tense for said in nominal} == {"past", "present", "future"}
    for said in nominal:
        due = language.copula or said.meaning.tense != "present"
        assert (said.root.one("cop") is not None) == due, said.sentence.id


def test_tense(language, sayings):
    """By auxiliaries, or by endings that tell the tenses apart."""
    forms = defaultdict(set)
    for said in verbs(sayings):
        meaning, auxiliary = said.meaning, said.root.one("aux")
        due = language.tense == "auxiliary" and meaning.tense != "present"
        assert (auxiliary.gloss if auxiliary else None) == (meaning.tense if due else None)
        if not meaning.negated and not meaning.command and features(meaning) == (3, False):
            forms[said.root.gloss, meaning.tense].add(said.root.form)
    assert {len(found) for found in forms.values()} == {1}
    pairs = [
        forms[verb, "past"] != forms[verb, "present"]
        for verb in {verb for verb, _ in forms}
        if {(verb, "past"), (verb, "present")} <= forms.keys()
    ]
    assert len(pairs) > 10
    # An auxiliary takes the endings for the person away from the verb.
    assert all(pairs) if language.tense == "suffix" or language.person else not any(pairs)


def test_verbs_say_who_acts(language, sayings):
    forms = defaultdict(dict)
    for said in verbs(sayings):
        meaning = said.meaning
        if not meaning.command:
            forms[said.root.gloss, meaning.tense, meaning.negated].setdefault(
                features(meaning), set()
            ).add(said.root.form)
    assert all(len(found) == 1 for by in forms.values() for found in by.values())
    several = [by for by in forms.values() if len(by) > 1]
    differ = [len(set(chain(*by.values()))) > 1 for by in several]
    assert len(several) > 20
    assert any(differ) is language.person


def test_negation(language, sayings):
    negated = [said for said in sayings if said.meaning.negated]
    assert len(negated) > 20
    for said in negated:
        particles = [child for child in said.root.below if child.gloss == "not"]
        if language.negation == "suffix" and said.meaning.verbal:
            assert particles == []
        else:
            (particle,) = particles
            verbal_side = "before" if language.negation == "suffix" else language.negation
            assert (particle.upos, particle.side) == ("PART", verbal_side)
    plain = {
        (said.root.gloss, said.meaning.tense, features(said.meaning)): said.root.form
        for said in verbs(sayings)
        if not said.meaning.negated and not said.meaning.command
    }
    same = [
        said.root.form == plain[key]
        for said in verbs(negated)
        if not said.meaning.command
        and (key := (said.root.gloss, said.meaning.tense, features(said.meaning))) in plain
    ]
    assert same
    assert not any(same) if language.negation == "suffix" else all(same)


def test_questions(language, sayings):
    outside = ("discourse", "vocative", "punct", "advcl", "advmod")
    asked = [said for said in sayings if said.meaning.question]
    assert len(asked) > 10
    for said in sayings:
        particles = [one for one in said.root.all("discourse") if one.upos == "PART"]
        assert len(particles) == (said.meaning.question and language.question != "none")
        for particle in particles:
            parts = [child.span for child in said.root.below if child.relation not in outside]
            places = [said.root.place, *(token.place for token in chain(*parts))]
            initial = particle.place < min(places)
            assert initial if language.question == "initial" else particle.place > max(places)
    marks = {said.tree[-1].form for said in asked}
    assert marks == {Lexicon(language).script.question}


def test_subordinators(language, tokens):
    found = [token for token in tokens if token.upos == "SCONJ" and token.gloss in SUBORDINATORS]
    assert len(found) > 40
    for mark in found:
        places = [token.place for token in mark.head.span if token.upos != "PUNCT"]
        initial = language.subordinator == "initial"
        assert mark.place == (min(places) if initial else max(places))


def test_relative_clauses(language, sayings, tokens):
    lexicon = Lexicon(language)
    clauses = [token for token in tokens if token.relation == "acl:relcl"]
    assert len(clauses) > 10
    for verb in clauses:
        assert verb.side == language.relative
        linked = [child for child in verb.below if child.gloss in (*WHO, "relativizer")]
        assert len(linked) == (language.relativizer != "none")
        for one in linked:
            places = [token.place for token in verb.span]
            final = language.relative == "before"
            assert one.place == (max(places) if final else min(places))
            pronoun = one.upos == "PRON" and one.relation in ("nsubj", "obj")
            assert pronoun if language.relativizer == "pronoun" else one.upos == "SCONJ"
        if language.relativizer == "none":
            assert verb.form == lexicon.verb(verb.gloss, ("participle",))


def test_infinitives(language, tokens):
    lexicon = Lexicon(language)
    found = [token for token in tokens if token.relation == "xcomp"]
    assert len(found) > 5
    for verb in found:
        assert not verb.all("nsubj", "aux")
        marks = [mark.gloss for mark in verb.all("mark")]
        assert marks == (["infinitive"] if language.infinitive == "particle" else [])
        bare = language.infinitive != "suffix"
        assert (verb.form == lexicon.verb(verb.gloss)) == bare


@pytest.mark.parametrize("name", languages())
def test_domains_differ(name, say):
    """News has names and long sentences, chat pronouns and questions, manuals commands."""
    shares = {}
    for domain in domains():
        said = say(name, domain)
        words = [token for one in said for token in one.tree if token.upos != "PUNCT"]
        shares[domain] = {
            "length": len(words) / len(said),
            "pronouns": sum(token.upos == "PRON" for token in words) / len(words),
            "names": sum(token.upos == "PROPN" for token in words) / len(words),
            "commands": sum(one.meaning.command for one in said) / len(said),
            "questions": sum(one.meaning.question for one in said) / len(said),
        }
    news, chat, manual = shares["news"], shares["chat"], shares["manual"]
    assert news["length"] > 1.2 * chat["length"]
    assert chat["pronouns"] > 1.5 * max(manual["pronouns"], news["pronouns"])
    assert news["names"] > 1.5 * max(manual["names"], chat["names"])
    assert manual["commands"] > 0.3 > chat["commands"] > news["commands"] == 0
    assert chat["questions"] > 0.1 > manual["questions"] == news["questions"] == 0


def test_traits_are_in_use():
    """Each choice that a description may make is made by some language, so that it is tested."""
    every = [load_language(name) for name in languages()]
    for trait, values in {
        "order": {"SVO", "SOV", "VSO", "VOS"},
        "question": {"initial", "final", "none"},
        "subordinator": {"initial", "final"},
        "relativizer": {"pronoun", "particle", "none"},
        "infinitive": {"particle", "suffix", "none"},
        "tense": {"suffix", "auxiliary"},
        "article": {"none", "definite", "both"},
        "plural": {"suffix", "word", "none"},
        "morphology": {"fusional", "agglutinating", "isolating"},
        "copula": {True, False},
        "pro_drop": {True, False},
        "classifiers": {True, False},
    }.items():
        assert {getattr(language, trait) for language in every} == values, trait
