"""Print one SHA-256 over a few sentences of every language and domain, with all annotations.

``python golden.py reversed`` makes the languages in the opposite order.
"""

import hashlib
import json
import sys

from alignscope.synthetic.corpus import Speaker, domains
from alignscope.synthetic.language import languages


def content(language: str) -> str:
    """All that is known of a few sentences, and a few lines of text."""
    speaker = Speaker(language)
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
    return json.dumps([columns, [speaker.text("", number) for number in range(10)]])


def main() -> None:
    order = languages()[:: -1 if sys.argv[1:] == ["reversed"] else 1]
    contents = {language: content(language) for language in order}
    print(hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest())


if __name__ == "__main__":
    main()
