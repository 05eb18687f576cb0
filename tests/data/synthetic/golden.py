"""Print one SHA-256 over every word of every language, and a few sentences of every domain.

``python golden.py reversed`` makes the languages in the opposite order.
"""

import hashlib
import json
import sys

from alignscope.data.synthetic.corpus import SentenceGenerator, domains
from alignscope.data.synthetic.language import languages, load_language
from alignscope.data.synthetic.lexicon import Lexicon
from alignscope.data.synthetic.world import FUNCTION_WORDS, world


def content(language: str) -> str:
    """All that is known of a few sentences, and a few lines of text."""
    speaker = SentenceGenerator(language)
    sentences = [
        speaker.say(domain, f"{domain}-{split}-{number:05}")
        for domain in domains()
        for split in ("train", "test")
        for number in range(5)
    ]
    columns = [
        (one.id, one.words, one.upos, one.heads, one.relations, one.entities, one.misc,
         one.comments)
        for one in sentences
    ]  # fmt: skip
    texts = [speaker.text("", number) for number in range(10)]
    return json.dumps([columns, texts, words(Lexicon(load_language(language)))])


def words(lexicon: Lexicon) -> list[str]:
    """Every concept as it is written, nouns and verbs with an ending as well."""
    every = world()
    nouns = [noun for topics in every.nouns.values() for some in topics.values() for noun in some]
    adjectives = [word for some in every.adjectives.values() for word in some]
    names = [name for some in every.names.values() for name in some]
    return [
        *(lexicon.noun(noun, ending) for noun in nouns for ending in ((), ("plural",))),
        *(lexicon.verb(one.gloss, ending) for one in every.verbs for ending in ((), ("past",))),
        *map(lexicon.adjective, adjectives),
        *map(lexicon.name, names),
        *map(lexicon.word, FUNCTION_WORDS),
    ]


def main() -> None:
    order = languages()[:: -1 if sys.argv[1:] == ["reversed"] else 1]
    contents = {language: content(language) for language in order}
    print(hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest())


if __name__ == "__main__":
    main()
