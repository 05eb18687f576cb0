"""The world: Zipf's law, preferences, and unique concepts."""

from collections import Counter

import numpy as np
import pytest

from alignscope.data.synthetic.corpus import SentenceGenerator, domains
from alignscope.data.synthetic.meaning import sample_meaning
from alignscope.data.synthetic.rng import rng_for
from alignscope.data.synthetic.world import PREFERRED_NOUNS, world


def nouns():
    return [
        noun for topics in world().nouns.values() for group in topics.values() for noun in group
    ]


def slope(counts):
    """Return the slope of log frequency over log rank; Zipf's law has -1."""
    ranked = sorted(counts.values(), reverse=True)
    return np.polyfit(np.log(np.arange(1, len(ranked) + 1)), np.log(ranked), 1)[0]


def test_frequencies_follow_zipf():
    """The tolerance is wide: the most frequent content words are not that much more frequent."""
    generator, words, tagged = (
        SentenceGenerator("vesti"),
        Counter(),
        {"NOUN": Counter(), "VERB": Counter()},
    )
    for number in range(1500):
        sentence = generator.sentence("news", f"news-train-{number:05}")
        words.update(sentence.words)
        for gloss, tag in zip(sentence.misc, sentence.upos, strict=True):
            if tag in tagged:
                tagged[tag][gloss] += 1
    assert slope(dict(words.most_common(100))) == pytest.approx(-0.85, abs=0.2)
    assert slope(tagged["NOUN"]) == pytest.approx(-0.85, abs=0.3)
    assert slope(tagged["VERB"]) == pytest.approx(-1, abs=0.3)


def test_every_concept_has_one_class():
    assert len(nouns()) == len(set(nouns()))
    verbs = [verb.gloss for verb in world().verbs]
    assert len(verbs) == len(set(verbs))


def test_classes_and_topics_of_verbs_exist():
    known = {*world().nouns, "loc", "org"}
    for verb in world().verbs:
        assert {*verb.subjects, *verb.objects} <= known, verb.gloss
        assert bool(verb.objects) == (verb.frame in ("transitive", "ditransitive")), verb.gloss
        topics = {topic for topics in world().nouns.values() for topic in topics}
        assert set(verb.topics) <= topics
    assert {kind for kinds in world().adjuncts.values() for kind in kinds} <= known
    assert {topic for domain in world().domains.values() for topic in domain.topics.items} <= topics


def test_verbs_prefer_a_few_nouns():
    def drawn(by):
        random = rng_for("a test", by)
        return Counter(
            world().noun(("food", "tool"), "kitchen", random, by)[0] for _ in range(2000)
        )

    without, preferred = drawn(""), drawn("object of wash")
    assert sum(count for _, count in preferred.most_common(PREFERRED_NOUNS)) > 1000
    shared = sum((without & preferred).values()) / 2000
    assert shared < 0.7


def test_nouns_of_other_topics_are_rare():
    """A sentence about sport seldom has a noun of the kitchen."""
    kitchen = {noun for topics in world().nouns.values() for noun in topics.get("kitchen", ())}
    shares = {
        topic: sum(
            world().noun(("person", "tool"), topic, rng_for("a test", topic, number))[0] in kitchen
            for number in range(500)
        ) / 500
        for topic in ("kitchen", "sport")
    }  # fmt: skip
    assert shares["kitchen"] > 0.5
    assert shares["sport"] < 0.15


def test_every_third_surname_is_a_noun():
    surname_nouns = [world().surname_noun(f"surname{number}") for number in range(1, 46)]
    assert [noun is not None for noun in surname_nouns] == [
        number % 3 == 0 for number in range(1, 46)
    ]
    assert {noun for noun in surname_nouns if noun} <= set(nouns())


@pytest.mark.parametrize("domain", domains())
def test_a_meaning_depends_only_on_its_generator(domain):
    first, repeated, different = (
        sample_meaning(domain, rng_for("meaning", name)) for name in "aab"
    )
    assert first == repeated != different
