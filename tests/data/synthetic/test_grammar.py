"""Clauses follow the description of the language, as measured from the trees."""

from collections import Counter, defaultdict
from itertools import chain

import pytest

from alignscope.data.synthetic.corpus import domains
from alignscope.data.synthetic.language import languages, load_language
from alignscope.data.synthetic.lexicon import Lexicon

SUBORDINATORS = ("because", "when", "if", "although", "that")
WHO = ("who", "which")


def verbal(sentences):
    return [item for item in sentences if item.meaning.verbal]


def features(meaning):
    """Return person and number of the subject, with which a verb may agree."""
    subject = meaning.subject
    return subject.person, subject.plural or subject.joined is not None


def order(verb):
    """Return the order of verb, subject and object, such as SVO; shorter if one is missing."""
    places = [(verb.place, "V")]
    for letter, relation in (("S", "nsubj"), ("O", "obj")):
        arguments = (token for token in verb.all(relation) if token.gloss not in WHO)
        places += [(token.place, letter) for token in arguments]
    return "".join(letter for _, letter in sorted(places))


def test_word_order(language, tokens):
    counts = Counter(order(token) for token in tokens if token.upos == "VERB")
    whole = {key: count for key, count in counts.items() if len(key) == 3}
    fronted = f"O{language.order.replace('O', '')}"
    assert set(whole) == {language.order, *([fronted] if language.scrambling else [])}
    assert sum(whole.values()) > 100
    share = whole.get(fronted, 0) / sum(whole.values())
    assert language.scrambling / 3 <= share <= 1.7 * language.scrambling
    subject_first = language.order.index("S") < language.order.index("V")
    assert counts["VS" if subject_first else "SV"] == 0
    if not language.scrambling:
        assert counts["VO" if language.verb_final else "OV"] == 0


def test_auxiliaries_and_copulas_stand_on_one_side_of_the_verb(language, tokens):
    sides = {token.side for token in tokens if token.relation in ("aux", "cop")}
    assert sides == {"after" if language.verb_final else "before"}


def test_pronoun_subjects_are_dropped_only_where_described(language, sentences):
    pronouns = [
        bool(item.root.one("nsubj"))
        for item in sentences
        if item.meaning.subject.pronoun and not item.meaning.command
    ]
    share = sum(pronouns) / len(pronouns)
    assert len(pronouns) > 50
    assert 0.08 < share < 0.35 if language.pro_drop else share == 1
    nouns = [item for item in sentences if not item.meaning.subject.pronoun]
    assert all(item.root.one("nsubj") for item in nouns)


def test_commands_have_no_subject(language, sentences):
    lexicon = Lexicon(language)
    commands = [item.root for item in sentences if item.meaning.command]
    assert len(commands) > 50
    for root in commands:
        assert root.one("nsubj") is None
        bare = language.morphology == "isolating"
        assert (root.form == lexicon.verb(root.gloss)) is bare or is_negated(root)


def is_negated(root):
    return any(child.gloss == "not" for child in root.below)


def test_copulas_stand_where_described(language, sentences):
    nominal = [item for item in sentences if not item.meaning.verbal]
    assert {item.meaning.tense for item in nominal} == {"past", "present", "future"}
    for item in nominal:
        due = language.copula or item.meaning.tense != "present"
        assert (item.root.one("cop") is not None) == due, item.sentence.id


def test_tense_is_marked_as_described(language, sentences):
    """Auxiliaries, or distinct endings, mark the tense."""
    forms = defaultdict(set)
    for item in verbal(sentences):
        meaning, auxiliary = item.meaning, item.root.one("aux")
        due = language.tense == "auxiliary" and meaning.tense != "present"
        assert (auxiliary.gloss if auxiliary else None) == (meaning.tense if due else None)
        if not meaning.negated and not meaning.command and features(meaning) == (3, False):
            forms[item.root.gloss, meaning.tense].add(item.root.form)
    assert {len(variants) for variants in forms.values()} == {1}
    pairs = [
        forms[verb, "past"] != forms[verb, "present"]
        for verb in {verb for verb, _ in forms}
        if {(verb, "past"), (verb, "present")} <= forms.keys()
    ]
    assert len(pairs) > 10
    # With an auxiliary, the verb itself has no person ending.
    assert all(pairs) if language.tense == "suffix" or language.person else not any(pairs)


def test_verbs_agree_in_person_where_described(language, sentences):
    forms = defaultdict(dict)
    for item in verbal(sentences):
        meaning = item.meaning
        if not meaning.command:
            forms[item.root.gloss, meaning.tense, meaning.negated].setdefault(
                features(meaning), set()
            ).add(item.root.form)
    assert all(len(variants) == 1 for by in forms.values() for variants in by.values())
    several = [by for by in forms.values() if len(by) > 1]
    differ = [len(set(chain(*by.values()))) > 1 for by in several]
    assert len(several) > 20
    assert any(differ) is language.person


def test_negation_is_marked_as_described(language, sentences):
    negated = [item for item in sentences if item.meaning.negated]
    assert len(negated) > 20
    for item in negated:
        particles = [child for child in item.root.below if child.gloss == "not"]
        if language.negation == "suffix" and item.meaning.verbal:
            assert particles == []
        else:
            (particle,) = particles
            verbal_side = "before" if language.negation == "suffix" else language.negation
            assert (particle.upos, particle.side) == ("PART", verbal_side)
    plain = {
        (item.root.gloss, item.meaning.tense, features(item.meaning)): item.root.form
        for item in verbal(sentences)
        if not item.meaning.negated and not item.meaning.command
    }
    same = [
        item.root.form == plain[key]
        for item in verbal(negated)
        if not item.meaning.command
        and (key := (item.root.gloss, item.meaning.tense, features(item.meaning))) in plain
    ]
    assert same
    assert not any(same) if language.negation == "suffix" else all(same)


def test_questions_are_marked_as_described(language, sentences):
    outside = ("discourse", "vocative", "punct", "advcl", "advmod")
    questions = [item for item in sentences if item.meaning.question]
    assert len(questions) > 10
    for item in sentences:
        particles = [token for token in item.root.all("discourse") if token.upos == "PART"]
        assert len(particles) == (item.meaning.question and language.question != "none")
        for particle in particles:
            parts = [child.span for child in item.root.below if child.relation not in outside]
            places = [item.root.place, *(token.place for token in chain(*parts))]
            initial = particle.place < min(places)
            assert initial if language.question == "initial" else particle.place > max(places)
    marks = {item.tree[-1].form for item in questions}
    assert marks == {Lexicon(language).script.question}


def test_subordinators_stand_at_the_described_edge(language, tokens):
    marks = [token for token in tokens if token.upos == "SCONJ" and token.gloss in SUBORDINATORS]
    assert len(marks) > 40
    for mark in marks:
        places = [token.place for token in mark.head.span if token.upos != "PUNCT"]
        initial = language.subordinator == "initial"
        assert mark.place == (min(places) if initial else max(places))


def test_relative_clauses_are_linked_as_described(language, sentences, tokens):
    lexicon = Lexicon(language)
    clauses = [token for token in tokens if token.relation == "acl:relcl"]
    assert len(clauses) > 10
    for verb in clauses:
        assert verb.side == language.relative
        linked = [child for child in verb.below if child.gloss in (*WHO, "relativizer")]
        assert len(linked) == (language.relativizer != "none")
        for word in linked:
            places = [token.place for token in verb.span]
            final = language.relative == "before"
            assert word.place == (max(places) if final else min(places))
            pronoun = word.upos == "PRON" and word.relation in ("nsubj", "obj")
            assert pronoun if language.relativizer == "pronoun" else word.upos == "SCONJ"
        if language.relativizer == "none":
            assert verb.form == lexicon.verb(verb.gloss, ("participle",))


def test_infinitives_are_marked_as_described(language, tokens):
    lexicon = Lexicon(language)
    infinitives = [token for token in tokens if token.relation == "xcomp"]
    assert len(infinitives) > 5
    for verb in infinitives:
        assert not verb.all("nsubj", "aux")
        marks = [mark.gloss for mark in verb.all("mark")]
        assert marks == (["infinitive"] if language.infinitive == "particle" else [])
        bare = language.infinitive != "suffix"
        assert (verb.form == lexicon.verb(verb.gloss)) == bare


@pytest.mark.parametrize("name", languages())
def test_domains_differ(name, generate):
    """News has names and long sentences, chat pronouns and questions, manuals commands."""
    shares = {}
    for domain in domains():
        items = generate(name, domain)
        words = [token for item in items for token in item.tree if token.upos != "PUNCT"]
        shares[domain] = {
            "length": len(words) / len(items),
            "pronouns": sum(token.upos == "PRON" for token in words) / len(words),
            "names": sum(token.upos == "PROPN" for token in words) / len(words),
            "commands": sum(item.meaning.command for item in items) / len(items),
            "questions": sum(item.meaning.question for item in items) / len(items),
        }
    news, chat, manual = shares["news"], shares["chat"], shares["manual"]
    assert news["length"] > 1.2 * chat["length"]
    assert chat["pronouns"] > 1.5 * max(manual["pronouns"], news["pronouns"])
    assert news["names"] > 1.5 * max(manual["names"], chat["names"])
    assert manual["commands"] > 0.3 > chat["commands"] > news["commands"] == 0
    assert chat["questions"] > 0.1 > manual["questions"] == news["questions"] == 0


def test_every_trait_value_occurs():
    """Each value that a description may have occurs in a language, so that it is tested."""
    descriptions = [load_language(name) for name in languages()]
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
        assert {getattr(language, trait) for language in descriptions} == values, trait
