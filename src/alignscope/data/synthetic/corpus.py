"""Corpora of the synthetic languages: parallel splits, and pretraining text."""

from collections.abc import Iterator
from functools import cache, lru_cache

from alignscope.data.sentence import Sentence
from alignscope.data.synthetic.grammar import Grammar
from alignscope.data.synthetic.language import languages, load_language
from alignscope.data.synthetic.meaning import Clause, sample_meaning
from alignscope.data.synthetic.rng import WeightedChoice, rng_for
from alignscope.data.synthetic.scripts import Script
from alignscope.data.synthetic.word import Word, Words
from alignscope.data.synthetic.world import world
from alignscope.errors import DataError, nearest

SIZES = {"train": 4000, "dev": 500, "test": 500}
"""Sentences in each split of a corpus."""

TEXT = 60_000
"""Sentences in the pretraining text of a language, all domains together."""


def domains() -> tuple[str, ...]:
    """Return the names of the domains."""
    return tuple(world().domains)


@lru_cache(maxsize=128)
def read_synthetic(language: str, domain: str, split: str) -> tuple[Sentence, ...]:
    """Generate one split of ``synthetic:LANGUAGE/DOMAIN``.

    >>> read_synthetic("vesti", "news", "test")[0].id
    'news-test-00000'

    Sentences with the same id mean the same in every language.

    Args:
        language: lower-case name of a language, such as ``vesti``.
        domain: ``news``, ``chat`` or ``manual``.
        split: ``train``, ``dev`` or ``test``.

    Raises:
        DataError: if the language, domain or split is unknown.
    """
    _check_known(domain, domains(), "domain")
    _check_known(split, tuple(SIZES), "split")
    generator = SentenceGenerator(language)
    return tuple(
        generator.sentence(domain, f"{domain}-{split}-{number:05}")
        for number in range(SIZES[split])
    )


def read_synthetic_text(name: str) -> Iterator[str]:
    """Generate 60,000 sentences of pretraining text in each named language.

    No sentence is the translation of a sentence in another language.

    Args:
        name: ``vesti`` for one language in all domains with equal probability, ``vesti/news``
            for one language in one domain, ``*`` for every language in all domains.

    Raises:
        DataError: if the language or domain is unknown.
    """
    language, _, domain = name.partition("/")
    if domain:
        _check_known(domain, domains(), "domain")
    names = languages() if language == "*" else (language,)
    generators = [SentenceGenerator(name) for name in names]
    return (generator.text(domain, number) for generator in generators for number in range(TEXT))


def _check_known(name: str, allowed: tuple[str, ...], kind: str) -> None:
    if name not in allowed:
        raise DataError(
            f"The synthetic languages have no {kind} {name}{nearest(name, allowed) or '.'} "
            f"The {kind}s are {', '.join(allowed)}."
        )


@cache
def _grammar(language: str) -> Grammar:
    return Grammar(load_language(language))


class SentenceGenerator:
    """Generate the sentences of one language.

    >>> SentenceGenerator("vesti").sentence("news", "news-test-00000").upos[-1]
    'PUNCT'
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._grammar = _grammar(language)
        self._domains = WeightedChoice(dict.fromkeys(domains(), 1.0))

    def sentence(self, domain: str, sentence_id: str) -> Sentence:
        """Return the annotated sentence with an id such as ``news-test-00012``.

        The id is the seed of the meaning, so that all languages express the same meaning under
        the same id. The label is the topic of the meaning.
        """
        meaning = sample_meaning(domain, rng_for("meaning", sentence_id))
        words = self._express(meaning, sentence_id)
        glued = no_space_after(words, self._grammar.lexicon.script)
        return Sentence(
            words=tuple(word.form for word in words),
            id=sentence_id,
            upos=tuple(word.upos for word in words),
            heads=_heads(words),
            relations=tuple(word.relation for word in words),
            entities=tuple(map(_iob2_tag, words)),
            label=meaning.topic,
            comments=(f" sent_id = {sentence_id}", f" text = {_join(words, glued)}"),
            misc=tuple(map(_misc, words, glued)),
        )

    def text(self, domain: str, number: int) -> str:
        """Return sentence ``number`` of the pretraining text of this language.

        The meaning is sampled for this language only. An empty ``domain`` means that the domain
        is sampled too.
        """
        random = rng_for("domain of", self.language, number)
        chosen = domain or self._domains.draw(random)
        text_id = f"{chosen}-text-{self.language}-{number}"
        words = self._express(sample_meaning(chosen, rng_for("meaning", text_id)), text_id)
        return _join(words, no_space_after(words, self._grammar.lexicon.script))

    def _express(self, meaning: Clause, sentence_id: str) -> Words:
        return self._grammar.sentence(meaning, rng_for("say", self.language, sentence_id))


def no_space_after(words: Words, script: Script) -> list[bool]:
    """Return for each word whether no space follows it.

    No space precedes punctuation, and unsegmented scripts have no spaces at all.
    """
    before_mark = [word.upos == "PUNCT" for word in words[1:]]
    return [script.unsegmented or mark for mark in before_mark] + [False]


def _join(words: Words, glued: list[bool]) -> str:
    parts = [word.form + ("" if close else " ") for word, close in zip(words, glued, strict=True)]
    return "".join(parts).rstrip()


def _heads(words: Words) -> tuple[int, ...]:
    positions = {id(word): position for position, word in enumerate(words, start=1)}
    return tuple(0 if word.head is None else positions[id(word.head)] for word in words)


def _iob2_tag(word: Word) -> str:
    return "O" if word.entity is None else f"{'B' if word.begins else 'I'}-{word.entity}"


def _misc(word: Word, close: bool) -> str:
    return f"Gloss={word.gloss}" + ("|SpaceAfter=No" if close else "")
