"""Grammar: express a meaning as words of one language with a dependency tree."""

from random import Random

from alignscope.data.synthetic.language import Language, Side
from alignscope.data.synthetic.lexicon import Lexicon
from alignscope.data.synthetic.meaning import Clause
from alignscope.data.synthetic.phrases import PhraseGrammar
from alignscope.data.synthetic.word import Headed, Word, Words, place_beside


class Grammar:
    """The sentence and clause rules of one language; `PhraseGrammar` has the rules for phrases.

    Most methods return words in surface order and the head among them. A word is attached to its
    head at the moment it is placed, so that every tree is projective.
    """

    def __init__(self, language: Language) -> None:
        self.language = language
        self.lexicon = Lexicon(language)
        self._phrases = PhraseGrammar(language, self.lexicon, self._clause)
        # Auxiliaries and copulas follow the verb in verb-final languages and precede it elsewhere.
        self._auxiliary_side: Side = "after" if language.verb_final else "before"

    def sentence(self, meaning: Clause, random: Random) -> Words:
        """Return the words of a whole sentence."""
        words, head = self._clause(meaning, random)
        words = self._with_subordinate(meaning, words, head, random)
        if meaning.second:
            words += self._second(meaning.second, head, random)
        before: Words = []
        if meaning.interjection:
            interjection = self._word(meaning.interjection, "INTJ").under(head, "discourse")
            before += [interjection, self._comma(head)]
        if meaning.vocative:
            name, name_head = self._phrases.bare(meaning.vocative, "vocative", random)
            name_head.under(head, "vocative")
            before += [*name, self._comma(head)]
        words = before + words
        if meaning.final:
            mark = self.lexicon.script.question if meaning.question else self.lexicon.script.stop
            words.append(Word(mark, "PUNCT", mark).under(head, "punct"))
        return words

    def _comma(self, head: Word) -> Word:
        comma = self.lexicon.script.comma
        return Word(comma, "PUNCT", comma).under(head, "punct")

    def _word(self, concept: str, upos: str) -> Word:
        return Word(self.lexicon.word(concept), upos, concept)

    # Dependent clauses

    def _with_subordinate(self, meaning: Clause, words: Words, head: Word, random: Random) -> Words:
        if meaning.subordinate is None:
            return words
        conjunction, clause = meaning.subordinate
        dependent, verb = self._clause(clause, random)
        dependent = self._subordinated(conjunction, dependent, verb)
        verb.under(head, "advcl")
        if self.language.verb_final or random.random() < 0.4:
            return [*dependent, self._comma(verb), *words]
        return [*words, self._comma(verb), *dependent]

    def _subordinated(self, conjunction: str, words: Words, verb: Word) -> Words:
        mark = self._word(conjunction, "SCONJ").under(verb, "mark")
        return [mark, *words] if self.language.subordinator == "initial" else [*words, mark]

    def _second(self, second: tuple[str, Clause], head: Word, random: Random) -> Words:
        conjunction, clause = second
        words, verb = self._clause(clause, random)
        verb.under(head, "conj")
        return [self._comma(verb), self._word(conjunction, "CCONJ").under(verb, "cc"), *words]

    def _complement(self, meaning: Clause, head: Word, random: Random) -> Words:
        """Return the words of a complement clause (ccomp) or infinitive (xcomp)."""
        if meaning.complement is None:
            return []
        words, verb = self._clause(meaning.complement, random)
        if meaning.frame == "control":
            verb.under(head, "xcomp")
            if self.language.infinitive == "particle":
                words = [self._word("infinitive", "PART").under(verb, "mark"), *words]
            return words
        verb.under(head, "ccomp")
        return self._subordinated("that", words, verb)

    # Clauses

    def _clause(self, meaning: Clause, random: Random) -> Headed:
        """Return the words of a clause; the head is the verb or the nominal predicate."""
        core, head = self._core(meaning, random)
        subject = self._subject(meaning, head, random)
        object_, recipient = self._objects(meaning, head, random)
        adjuncts = self._adjuncts(meaning, head, random)
        if meaning.manner:
            adverb = self._word(meaning.manner, "ADV").under(head, "advmod")
            core = [adverb, *core] if self.language.verb_final else [*core, adverb]
        complement = self._complement(meaning, head, random)
        words = self._order(subject, core, object_, recipient, adjuncts, complement, random)
        words = self._question(meaning, words, head)
        if meaning.when:
            words = [self._word(meaning.when, "ADV").under(head, "advmod"), *words]
        return words, head

    def _order(
        self, subject: Words, core: Words, object_: Words, recipient: Words, adjuncts: Words,
        complement: Words, random: Random,
    ) -> Words:  # fmt: skip
        """Concatenate the parts of a clause in the order of this language."""
        fronted: Words = []
        if adjuncts and random.random() < 0.15:
            fronted, adjuncts = adjuncts, []
        elif object_ and random.random() < self.language.scrambling:
            fronted, object_ = object_, []
        parts = {
            "SVO": (subject, core, recipient, object_, adjuncts, complement),
            "SOV": (subject, adjuncts, complement, recipient, object_, core),
            "VSO": (core, subject, recipient, object_, adjuncts, complement),
            "VOS": (core, recipient, object_, subject, adjuncts, complement),
        }[self.language.order]
        return [*fronted, *(word for part in parts for word in part)]

    def _question(self, meaning: Clause, words: Words, head: Word) -> Words:
        place = self.language.question
        if not meaning.question or place == "none":
            return words
        particle = self._word("question", "PART").under(head, "discourse")
        return [particle, *words] if place == "initial" else [*words, particle]

    def _subject(self, meaning: Clause, head: Word, random: Random) -> Words:
        subject = meaning.subject
        if subject is None or meaning.command:
            return []
        if subject.pronoun and self.language.pro_drop and random.random() < 0.8:
            return []
        words, noun = self._phrases.bare(subject, "subject", random)
        noun.under(head, "nsubj")
        return words

    def _objects(self, meaning: Clause, head: Word, random: Random) -> tuple[Words, Words]:
        object_: Words = []
        recipient: Words = []
        if meaning.object is not None:
            object_, noun = self._phrases.bare(meaning.object, "object", random)
            noun.under(head, "obj")
        if meaning.recipient is not None:
            recipient, noun = self._phrases.marked(meaning.recipient, "recipient", random)
            bare = "dative" in self.language.cases
            noun.under(head, "iobj" if bare else "obl")
        return object_, recipient

    def _adjuncts(self, meaning: Clause, head: Word, random: Random) -> Words:
        if meaning.frame == "place":
            return []  # the only adjunct is the predicate
        adjuncts: Words = []
        for name, phrase in meaning.adjuncts:
            words, noun = self._phrases.marked(phrase, name, random)
            noun.under(head, "obl")
            adjuncts += words
        return adjuncts

    # Verbs and nominal predicates

    def _core(self, meaning: Clause, random: Random) -> Headed:
        """Return the verb or predicate with its auxiliary or copula, negated if needed."""
        if not meaning.verbal:
            return self._predicate(meaning, random)
        verb = Word(self.lexicon.verb(meaning.verb, self._endings(meaning)), "VERB", meaning.verb)
        words = self._with_auxiliary(meaning, [verb], verb)
        return self._negated(meaning, words, verb), verb

    def _with_auxiliary(self, meaning: Clause, words: Words, head: Word) -> Words:
        if not self._takes_auxiliary(meaning):
            return words
        form = self.lexicon.auxiliary(meaning.tense, self._person(meaning))
        auxiliary = Word(form, "AUX", meaning.tense).under(head, "aux")
        return place_beside(self._auxiliary_side, [auxiliary], words)

    def _predicate(self, meaning: Clause, random: Random) -> Headed:
        """Return an adjective, noun or place as predicate, with a copula where one is required."""
        if meaning.frame == "place":
            ((name, phrase),) = meaning.adjuncts
            words, head = self._phrases.marked(phrase, name, random)
        else:
            head = self._predicate_word(meaning)
            words = [head]
        words = self._negated(meaning, words, head)
        if self.language.copula or self._tense(meaning):
            bare = self._takes_auxiliary(meaning)
            features = () if bare else (*self._tense(meaning), *self._person(meaning))
            copula = Word(self.lexicon.auxiliary("be", features), "AUX", "be").under(head, "cop")
            words = place_beside(self._auxiliary_side, [copula], words)
        return self._with_auxiliary(meaning, words, head), head

    def _predicate_word(self, meaning: Clause) -> Word:
        language, subject = self.language, meaning.subject
        plural = subject is not None and (subject.plural or subject.joined is not None)
        agrees = language.agreement and language.plural == "suffix"
        features = ("plural",) if plural and agrees else ()
        if meaning.frame == "noun":
            return Word(self.lexicon.noun(meaning.verb, features), "NOUN", meaning.verb)
        noun = subject.noun if subject is not None else ""
        return Word(self.lexicon.adjective(meaning.verb, features, noun), "ADJ", meaning.verb)

    def _takes_auxiliary(self, meaning: Clause) -> bool:
        finite = meaning.subject is not None or meaning.gap is not None
        return self.language.tense == "auxiliary" and meaning.tense != "present" and finite

    def _negated(self, meaning: Clause, words: Words, head: Word) -> Words:
        """Add a negation particle, unless the ending of the verb negates it."""
        if not meaning.negated or (meaning.verbal and self.language.negation == "suffix"):
            return words
        particle = self._word("not", "PART").under(head, "advmod")
        return [*words, particle] if self.language.negation == "after" else [particle, *words]

    def _endings(self, meaning: Clause) -> tuple[str, ...]:
        """Return the features that the endings of the verb express."""
        language = self.language
        if language.morphology == "isolating":
            return ()
        features = ("not",) if meaning.negated and language.negation == "suffix" else ()
        if meaning.command:
            return (*features, "command")
        if meaning.subject is None and meaning.gap is None:
            return (*features, "infinitive") if language.infinitive == "suffix" else ()
        if meaning.gap and language.relativizer == "none":
            return (*features, "participle")
        if self._takes_auxiliary(meaning):
            return features
        return (*features, *self._tense(meaning), *self._person(meaning))

    def _tense(self, meaning: Clause) -> tuple[str, ...]:
        """Return the tense if an ending marks it."""
        marked = meaning.tense != "present" and self.language.tense == "suffix"
        return (meaning.tense,) if marked else ()

    def _person(self, meaning: Clause) -> tuple[str, ...]:
        subject = meaning.subject
        if not self.language.person or meaning.command:
            return ()
        if subject is None:
            plural = meaning.gap == "subject" and meaning.plural_gap
            return ("3plural" if plural else "3singular",)
        plural = subject.plural or subject.joined is not None
        return (f"{subject.person}{'plural' if plural else 'singular'}",)
