"""Meanings: the content of a sentence, independent of any language."""

from dataclasses import dataclass
from random import Random

from alignscope.data.synthetic.rng import choice
from alignscope.data.synthetic.world import Domain, Verb, World, world


@dataclass(slots=True)
class Phrase:
    """A noun, a pronoun (``person``) or a name (``entity``), with its dependents.

    Attributes:
        noun: the concept; for an institution, the noun in its name.
        kind: the noun class.
        parts: the words of a name.
    """

    noun: str = ""
    kind: str = ""
    person: int = 3
    pronoun: bool = False
    plural: bool = False
    definite: bool = True
    pointed: bool = False  # "this"
    numeral: str | None = None
    adjectives: tuple[str, ...] = ()
    possessor: "Phrase | None" = None
    relative: "Clause | None" = None
    joined: "tuple[str, Phrase] | None" = None
    entity: str | None = None
    parts: tuple[str, ...] = ()


@dataclass(slots=True)
class Clause:
    """A predicate with its arguments and modifiers.

    Attributes:
        gap: in a relative clause, the argument that the described noun fills: ``subject`` or
            ``object``.
        plural_gap: whether the described noun is plural.
    """

    frame: str
    verb: str
    subject: Phrase | None = None
    object: Phrase | None = None
    recipient: Phrase | None = None
    adjuncts: tuple[tuple[str, Phrase], ...] = ()
    manner: str | None = None
    when: str | None = None
    tense: str = "present"
    negated: bool = False
    question: bool = False
    command: bool = False
    gap: str | None = None
    plural_gap: bool = False
    complement: "Clause | None" = None
    subordinate: "tuple[str, Clause] | None" = None
    second: "tuple[str, Clause] | None" = None
    interjection: str | None = None
    vocative: Phrase | None = None
    final: bool = True
    topic: str = ""  # of the main clause only: the topic of the sentence

    @property
    def verbal(self) -> bool:
        """Whether the predicate is a verb rather than a nominal predicate."""
        return self.frame not in ("adjective", "noun", "place")


MANY = ("2", "3", "4", "5", "8", "10", "12", "20", "two", "three", "four", "many", "some")


def sample_meaning(domain: str, random: Random) -> Clause:
    """Sample the meaning of a sentence in the style of a domain."""
    return MeaningSampler(world(), world().domains[domain], random).sentence()


class MeaningSampler:
    """Sample the parts of one sentence, all on one topic."""

    def __init__(self, world: World, domain: Domain, random: Random) -> None:
        self.world, self.domain, self.random = world, domain, random
        self.topic = domain.topics.draw(random)

    def has(self, construction: str) -> bool:
        """Decide at random whether the next clause has a construction."""
        return self.domain.has(construction, self.random)

    def sentence(self) -> Clause:
        """Sample the meaning of the sentence."""
        clause = self._main()
        clause.topic = self.topic
        if self.has("subordinates"):
            word = choice(("because", "when", "if", "although"), self.random)
            clause.subordinate = (word, self._statement(depth=1))
        elif self.has("seconds") and not clause.question and not clause.command:
            clause.second = (choice(("and", "but"), self.random), self._statement(depth=1))
        if self.has("interjections"):
            clause.interjection = choice(("yes", "no", "oh", "hm", "thanks"), self.random)
        if self.has("vocatives"):
            clause.vocative = self._name("person")
        clause.final = clause.question or self.has("final")
        return clause

    def _main(self) -> Clause:
        if self.has("commands"):
            return self._command()
        clause = self._statement(depth=0)
        clause.question = self.has("questions")
        return clause

    def _command(self) -> Clause:
        clause = self._action(self._verb(COMMANDED), depth=0)
        clause.subject = Phrase(pronoun=True, person=2, kind="person")
        clause.command, clause.tense = True, "present"
        return clause

    def _statement(self, depth: int) -> Clause:
        if self.has("copulas"):
            clause = self._copula()
        else:
            clause = self._action(self._verb() if depth < 2 else self._verb(SIMPLE), depth)
        clause.tense = self.domain.tenses.draw(self.random)
        clause.negated = self.has("negations")
        if self.random.random() < 0.15:
            clause.when = self.world.when(clause.tense, self.random)
        return clause

    def _verb(self, frames: tuple[str, ...] = ()) -> Verb:
        while True:
            verb = self.world.verb(self.topic, self.random)
            fits = not frames or verb.frame in frames
            if fits and (frames != COMMANDED or "person" in verb.subjects):
                return verb

    def _copula(self) -> Clause:
        subject = self._phrase(("person", "place", "tool", "machine", "food", "idea"), "")
        kind = self.random.random()
        if kind < 0.5:
            clause = Clause("adjective", self._adjective_of(subject), subject)
        elif kind < 0.75 and subject.kind == "person":
            noun, _ = self.world.noun(("person",), self.topic, self.random)
            clause = Clause("noun", noun, subject)
        else:
            clause = Clause("place", "", subject, adjuncts=(self._adjunct(("in", "near", "on")),))
        return clause

    def _adjective_of(self, subject: Phrase) -> str:
        return self.world.adjective(subject.noun, subject.kind or "person", self.random)

    def _action(self, verb: Verb, depth: int) -> Clause:
        subject = self._phrase(verb.subjects, f"subject of {verb.gloss}", depth)
        clause = Clause(verb.frame, verb.gloss, subject)
        if verb.frame in ("transitive", "ditransitive"):
            clause.object = self._phrase(verb.objects, f"object of {verb.gloss}", depth)
        if verb.frame == "ditransitive":
            clause.recipient = self._phrase(("person",), "", 2)
        if verb.frame == "saying":
            clause.complement = self._statement(depth + 1 if depth else 2)
        if verb.frame == "control":
            clause.complement = self._controlled()
        self._surround(clause, verb)
        return clause

    def _controlled(self) -> Clause:
        """Sample an infinitive clause, which has no subject."""
        clause = self._action(self._verb(SIMPLE), depth=2)
        clause.subject = None
        return clause

    def _surround(self, clause: Clause, verb: Verb) -> None:
        """Add adjuncts and an adverb of manner."""
        if verb.frame in ("saying", "control"):
            return
        if verb.frame == "motion":
            way = choice(("to", "to", "from"), self.random)
            clause.adjuncts = ((way, self._phrase(("place", "loc"), f"way of {verb.gloss}", 1)),)
        elif self.has("adjuncts"):
            clause.adjuncts = (self._adjunct(by=verb.gloss),)
        if self.has("adverbs"):
            clause.manner = self.world.manner(verb.gloss, self.random)

    def _adjunct(self, names: tuple[str, ...] = (), by: str = "be") -> tuple[str, Phrase]:
        name = choice(names or WHERE_AND_HOW, self.random)
        return name, self._phrase(tuple(self.world.adjuncts[name]), f"{name} of {by}", 1)

    def _phrase(self, kinds: tuple[str, ...], by: str, depth: int = 1) -> Phrase:
        if "person" in kinds and self.has("pronouns"):
            plural = self.random.random() < 0.3
            person = self.domain.persons.draw(self.random)
            return Phrase(pronoun=True, person=person, plural=plural, kind="person")
        nameable = [kind for kind in kinds if kind in ("person", "loc", "org", "institution")]
        if nameable and (self.has("names") or not _nouns(kinds)):
            kind = choice(nameable, self.random)
            return self._name("org" if kind == "institution" else kind)
        phrase = self._noun_phrase(kinds, by, depth)
        if depth < 2 and self.has("coordinations"):
            phrase.joined = (choice(("and", "and", "or"), self.random),
                             self._noun_phrase(kinds, by, 2))  # fmt: skip
        return phrase

    def _noun_phrase(self, kinds: tuple[str, ...], by: str, depth: int) -> Phrase:
        random, topic = self.random, self.topic
        noun, kind = self.world.noun(kinds, topic, random, by)
        phrase = Phrase(noun, kind, plural=self.has("plurals"), definite=random.random() < 0.6)
        if self.has("numerals"):
            phrase.numeral, phrase.plural, phrase.definite = choice(MANY, random), True, False
        elif random.random() < 0.08:
            phrase.pointed, phrase.definite = True, True
        if self.has("adjectives"):
            phrase.adjectives = (self.world.adjective(noun, kind, random),)
        if depth < 2 and self.has("possessors"):
            owners = ("person", "institution", "loc")
            phrase.possessor = self._phrase(owners, f"owner of {noun}", 2)
            phrase.definite = True
        elif depth < 1 and self.has("relatives"):
            phrase.relative = self._relative(noun, kind)
            if phrase.relative:
                phrase.relative.plural_gap = phrase.plural
        return phrase

    def _relative(self, noun: str, kind: str) -> Clause | None:
        """Sample a clause about the noun; return None if no verb fits within six attempts."""
        for _ in range(6):
            verb = self._verb(("transitive", "intransitive"))
            clause = self._action(verb, depth=2)
            clause.tense = self.domain.tenses.draw(self.random)
            if verb.frame == "transitive" and kind in verb.objects:
                clause.gap, clause.object = "object", None
                return clause
            if kind in verb.subjects:
                clause.gap, clause.subject = "subject", None
                return clause
        return None

    def _name(self, kind: str) -> Phrase:
        random, name = self.random, self.world.name
        if kind == "person":
            parts = [name("given", random), name("surname", random)]
            form = random.random()
            chosen = parts if form < 0.4 else parts[:1] if form < 0.7 else parts[1:]
            return Phrase(kind="person", entity="PER", parts=tuple(chosen))
        if kind == "loc":
            place = name("country" if random.random() < 0.3 else "city", random)
            return Phrase(kind="loc", entity="LOC", parts=(place,))
        noun, part = self._organisation()
        return Phrase(noun, kind="org", entity="ORG", parts=(part,))

    def _organisation(self) -> tuple[str, str]:
        """Sample a company, a club (city name), a firm (surname) or an institution of a city."""
        form = self.random.random()
        if form < 0.3:
            return "", self.world.name("company", self.random)
        if form < 0.5:
            return "", self.world.name("city", self.random)
        if form < 0.6:
            return "", self.world.name("surname", self.random)
        noun, _ = self.world.noun(("institution",), self.topic, self.random)
        return noun, self.world.name("city", self.random)


SIMPLE = ("intransitive", "transitive", "motion")
COMMANDED = ("transitive", "ditransitive", "intransitive", "motion")
WHERE_AND_HOW = ("in", "in", "near", "on", "during", "with", "without", "about", "because_of")


def _nouns(kinds: tuple[str, ...]) -> bool:
    return any(kind not in ("loc", "org") for kind in kinds)
