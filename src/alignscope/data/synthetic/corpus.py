"""Corpora of the embedded languages: parallel splits, and text that is parallel to nothing."""

from collections.abc import Iterator
from functools import cache, lru_cache

from alignscope.data.sentence import Sentence
from alignscope.data.synthetic.grammar import Grammar
from alignscope.data.synthetic.language import languages, load_language
from alignscope.data.synthetic.meaning import sample_meaning
from alignscope.data.synthetic.rng import WeightedChoice, rng_for
from alignscope.data.synthetic.scripts import Script
from alignscope.data.synthetic.word import Word, Words
from alignscope.data.synthetic.world import world
from alignscope.errors import DataError, nearest

SIZES = {"train": 4000, "dev": 500, "test": 500}
TEXT = 60_000
"""Sentences in a language's text, all domains together."""


def domains() -> tuple[str, ...]:
    """Name the domains."""
    return tuple(world().domains)


@lru_cache(maxsize=128)
def read_synthetic(language: str, domain: str, split: str) -> tuple[Sentence, ...]:
    """Make one split of ``synthetic:LANGUAGE/DOMAIN``.

    >>> read_synthetic("vesti", "news", "test")[0].id
    'news-test-00000'

    The sentences of a split mean the same in every language, one by one, and their ids say so.

    Raises:
        DataError: if there is no such language, domain or split.
    """
    _check(domain, domains(), "domain")
    _check(split, tuple(SIZES), "split")
    speaker = SentenceGenerator(language)
    return tuple(
        speaker.say(domain, f"{domain}-{split}-{number:05}") for number in range(SIZES[split])
    )


def read_synthetic_text(name: str) -> Iterator[str]:
    """Say 60,000 sentences each of the languages named, which mean the same as no others.

    ``vesti`` is one language in all domains alike, ``vesti/news`` one in one domain, and ``*``
    every language.

    Raises:
        DataError: if there is no such language or domain.
    """
    language, _, domain = name.partition("/")
    if domain:
        _check(domain, domains(), "domain")
    speakers = [SentenceGenerator(one) for one in (languages() if language == "*" else (language,))]
    return (speaker.text(domain, number) for speaker in speakers for number in range(TEXT))


def _check(found: str, allowed: tuple[str, ...], what: str) -> None:
    if found not in allowed:
        raise DataError(
            f"the embedded languages have no {what} {found}{nearest(found, allowed)}; "
            f"allowed are {', '.join(allowed)}"
        )


@cache
def _grammar(language: str) -> Grammar:
    return Grammar(load_language(language))


class SentenceGenerator:
    """Says meanings in one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._grammar = _grammar(language)
        self._domains = WeightedChoice(dict.fromkeys(domains(), 1.0))

    def say(self, domain: str, identity: str) -> Sentence:
        """Say the meaning of an identity, such as ``news-test-00012``."""
        words = self._words(domain, identity)
        glue = no_space_after(words, self._grammar.lexicon.script)
        return Sentence(
            words=tuple(word.form for word in words),
            id=identity,
            upos=tuple(word.upos for word in words),
            heads=_heads(words),
            relations=tuple(word.relation for word in words),
            entities=tuple(map(_tag, words)),
            comments=(f" sent_id = {identity}", f" text = {_text(words, glue)}"),
            misc=tuple(map(_misc, words, glue)),
        )

    def text(self, domain: str, number: int) -> str:
        """Say something that only this language says, in any domain if none is named."""
        random = rng_for("domain of", self.language, number)
        chosen = domain or self._domains.draw(random)
        words = self._words(chosen, f"{chosen}-text-{self.language}-{number}")
        return _text(words, no_space_after(words, self._grammar.lexicon.script))

    def _words(self, domain: str, identity: str) -> Words:
        meaning = sample_meaning(domain, rng_for("meaning", identity))
        return self._grammar.sentence(meaning, rng_for("say", self.language, identity))


def no_space_after(words: Words, script: Script) -> list[bool]:
    """Say of each word whether no blank follows it: before marks, and in unsegmented scripts."""
    before_mark = [word.upos == "PUNCT" for word in words[1:]]
    return [script.unsegmented or mark for mark in before_mark] + [False]


def _text(words: Words, glue: list[bool]) -> str:
    parts = [word.form + ("" if close else " ") for word, close in zip(words, glue, strict=True)]
    return "".join(parts).rstrip()


def _heads(words: Words) -> tuple[int, ...]:
    places = {id(word): place for place, word in enumerate(words, start=1)}
    return tuple(0 if word.head is None else places[id(word.head)] for word in words)


def _tag(word: Word) -> str:
    return "O" if word.entity is None else f"{'B' if word.begins else 'I'}-{word.entity}"


def _misc(word: Word, close: bool) -> str:
    return f"Gloss={word.gloss}" + ("|SpaceAfter=No" if close else "")
