"""Print one SHA-256 of all words of all languages and of a few sentences of every domain.

``python golden.py reversed`` generates the languages in the opposite order.
"""

import hashlib
import json
import sys

from alignscope.data.synthetic.corpus import SentenceGenerator, domains
from alignscope.data.synthetic.language import languages, load_language
from alignscope.data.synthetic.lexicon import Lexicon
from alignscope.data.synthetic.world import FUNCTION_WORDS, world


def content(language: str) -> str:
    """Return all columns of a few sentences, a few lines of text and all words."""
    generator = SentenceGenerator(language)
    sentences = [
        generator.sentence(domain, f"{domain}-{split}-{number:05}")
        for domain in domains()
        for split in ("train", "test")
        for number in range(5)
    ]
    columns = [
        (sentence.id, sentence.words, sentence.upos, sentence.heads, sentence.relations,
         sentence.entities, sentence.misc, sentence.comments)
        for sentence in sentences
    ]  # fmt: skip
    texts = [generator.text("", number) for number in range(10)]
    return json.dumps([columns, texts, words(Lexicon(load_language(language)))])


def words(lexicon: Lexicon) -> list[str]:
    """Return the form of every concept; nouns and verbs also with an ending."""
    concepts = world()
    nouns = [
        noun for topics in concepts.nouns.values() for group in topics.values() for noun in group
    ]
    adjectives = [word for group in concepts.adjectives.values() for word in group]
    names = [name for group in concepts.names.values() for name in group]
    return [
        *(lexicon.noun(noun, ending) for noun in nouns for ending in ((), ("plural",))),
        *(
            lexicon.verb(verb.gloss, ending)
            for verb in concepts.verbs
            for ending in ((), ("past",))
        ),
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
