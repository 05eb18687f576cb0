"""Phrases: noun phrases, names and pronouns in the words of one language."""

from collections.abc import Callable
from random import Random

from alignscope.data.synthetic.language import Language, Side
from alignscope.data.synthetic.lexicon import Lexicon
from alignscope.data.synthetic.meaning import Clause, Phrase
from alignscope.data.synthetic.word import Headed, Word, Words, place_beside

_CASE_OF = {
    "object": "accusative",
    "recipient": "dative",
    "possessor": "genitive",
    "to": "dative",
    "in": "locative",
    "from": "ablative",
    "with": "instrumental",
}
_ADPOSITION_OF = {"recipient": "to"}


class PhraseGrammar:
    """The phrase rules of one language; ``make_clause`` builds the relative clauses.

    The ``role`` of a phrase is its function (``subject``, ``object``, ``recipient``,
    ``possessor``, ``vocative``) or the name of an adjunct (``in``, ``with``, …).
    """

    def __init__(
        self, language: Language, lexicon: Lexicon, make_clause: Callable[[Clause, Random], Headed]
    ) -> None:
        self.language = language
        self.lexicon = lexicon
        self._make_clause = make_clause

    def marked(self, phrase: Phrase, role: str, random: Random) -> Headed:
        """Return a phrase with its adposition, unless a case expresses the role."""
        words, head = self.bare(phrase, role, random)
        if self._case(role):
            return words, head
        concept = _ADPOSITION_OF.get(role, role)
        adposition = self._word(concept, "ADP").under(head, "case")
        return place_beside(self.language.adposition, [adposition], words), head

    def bare(self, phrase: Phrase, role: str, random: Random) -> Headed:
        """Return a phrase without an adposition, in the case of its role."""
        if phrase.pronoun:
            return self._pronoun(phrase, role)
        if phrase.entity:
            return self._name(phrase, role)
        words, head = self._noun_phrase(phrase, role, random)
        if phrase.joined:
            conjunction, other = phrase.joined
            second, noun = self._noun_phrase(other, role, random)
            noun.under(head, "conj")
            words = [*words, self._word(conjunction, "CCONJ").under(noun, "cc"), *second]
        return words, head

    def _word(self, concept: str, upos: str) -> Word:
        return Word(self.lexicon.word(concept), upos, concept)

    def _case(self, role: str) -> tuple[str, ...]:
        """Return the case of a role, or nothing if this language has no such case."""
        return tuple(case for case in self.language.cases if case == _CASE_OF.get(role))

    def _pronoun(self, phrase: Phrase, role: str) -> Headed:
        concept = f"{phrase.person}{'plural' if phrase.plural else 'singular'}"
        word = Word(self.lexicon.word(concept, self._case(role)), "PRON", concept)
        return [word], word

    # Names

    def _name(self, phrase: Phrase, role: str) -> Headed:
        """Return a name; all its words, including the noun of an institution, form one entity."""
        if phrase.noun:
            words, head = self._institution(phrase, self._case(role))
        else:
            words, head = self._flat_name(phrase, self._case(role))
        for word in words:
            word.entity = phrase.entity
        words[0].begins = True
        if phrase.noun and self.language.article != "none":
            words = self._determined("the", words, head)
        return words, head

    def _flat_name(self, phrase: Phrase, case: tuple[str, ...]) -> Headed:
        """Return the parts of a name; the last part takes the ending."""
        *first, last = phrase.parts[::-1] if self.language.surname_first else phrase.parts
        words = [Word(self.lexicon.name(name), "PROPN", name) for name in first]
        words.append(Word(self.lexicon.name(last, case), "PROPN", last))
        for word in words[1:]:
            word.under(words[0], "flat")
        return words, words[0]

    def _institution(self, phrase: Phrase, case: tuple[str, ...]) -> Headed:
        """Return a name such as "the bank of Riga", whose head is a noun."""
        (place,) = phrase.parts
        head = Word(self.lexicon.noun(phrase.noun, case), "NOUN", phrase.noun)
        city = Word(self.lexicon.name(place), "PROPN", place).under(head, "nmod")
        return place_beside(self.language.genitive, [city], [head]), head

    # Nouns

    def _noun_phrase(self, phrase: Phrase, role: str, random: Random) -> Headed:
        """Return a noun with its dependents, added from the innermost to the outermost."""
        language = self.language
        features = self._noun_features(phrase, role)
        head = Word(self.lexicon.noun(phrase.noun, features), "NOUN", phrase.noun)
        words: Words = [head]
        if phrase.plural and language.plural == "word" and not phrase.numeral:
            words = [self._word("plural", "DET").under(head, "det"), *words]
        for concept in phrase.adjectives:
            agreed = features if language.agreement else ()
            form = self.lexicon.adjective(concept, agreed, phrase.noun)
            adjective = Word(form, "ADJ", concept).under(head, "amod")
            words = place_beside(language.adjective, [adjective], words)
        if phrase.numeral:
            words = self._counted(phrase.numeral, words, head)
        words = self._with_determiner(phrase, words, head)
        if phrase.possessor:
            words = self._with_possessor(phrase.possessor, words, head, random)
        if phrase.relative:
            words = self._with_relative(phrase.relative, phrase, words, head, random)
        return words, head

    def _noun_features(self, phrase: Phrase, role: str) -> tuple[str, ...]:
        language = self.language
        # Agglutinating languages omit the plural ending after a numeral.
        counted = phrase.numeral is not None and language.morphology == "agglutinating"
        plural = phrase.plural and language.plural == "suffix" and not counted
        return (*(("plural",) if plural else ()), *self._case(role))

    def _counted(self, numeral: str, words: Words, head: Word) -> Words:
        if numeral in ("many", "some"):
            return self._determined(numeral, words, head)
        form = numeral if numeral.isdigit() else self.lexicon.word(numeral)
        number = Word(form, "NUM", numeral).under(head, "nummod")
        count = [number]
        if self.language.classifiers:
            count.append(self._word("classifier", "NOUN").under(number, "clf"))
        return place_beside(self.language.numeral, count, words)

    def _with_determiner(self, phrase: Phrase, words: Words, head: Word) -> Words:
        articles = self.language.article
        if phrase.pointed:
            return self._determined("this", words, head)
        if phrase.possessor or phrase.numeral:
            return words
        if phrase.definite and articles != "none":
            return self._determined("the", words, head)
        if not phrase.definite and not phrase.plural and articles == "both":
            return self._determined("a", words, head)
        return words

    def _determined(self, concept: str, words: Words, head: Word) -> Words:
        word = self._word(concept, "DET").under(head, "det")
        return place_beside(self.language.determiner, [word], words)

    def _with_possessor(self, possessor: Phrase, words: Words, head: Word, random: Random) -> Words:
        if self.language.possession == "adposition":
            owner, noun = self.bare(possessor, "of", random)
            of = self._word("of", "ADP").under(noun, "case")
            between: Side = "after" if self.language.genitive == "before" else "before"
            owner = place_beside(between, [of], owner)
        else:
            owner, noun = self.bare(possessor, "possessor", random)
        noun.under(head, "nmod")
        return place_beside(self.language.genitive, owner, words)

    def _with_relative(
        self, clause: Clause, phrase: Phrase, words: Words, head: Word, random: Random
    ) -> Words:
        words_of_clause, verb = self._make_clause(clause, random)
        verb.under(head, "acl:relcl")
        kind, side = self.language.relativizer, self.language.relative
        if kind == "pronoun":
            relation = "nsubj" if clause.gap == "subject" else "obj"
            who = self._word("who" if phrase.kind == "person" else "which", "PRON")
            words_of_clause = [who.under(verb, relation), *words_of_clause]
        elif kind == "particle":
            mark = self._word("relativizer", "SCONJ").under(verb, "mark")
            words_of_clause = (
                [*words_of_clause, mark] if side == "before" else [mark, *words_of_clause]
            )
        return place_beside(side, words_of_clause, words)
