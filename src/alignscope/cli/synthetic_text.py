"""The embedded languages on a screen: parallel trees, one word a line, and what sets them apart."""

import unicodedata
from collections.abc import Iterable, Sequence

import polars as pl

from alignscope.data.sentence import Sentence
from alignscope.data.synthetic.corpus import read_synthetic
from alignscope.data.synthetic.language import Language, languages, load_language
from alignscope.errors import DataError
from alignscope.report.tables.export import markdown

COLUMNS = ("", "word", "gloss", "upos", "head", "relation", "entity")
ISOLATE, END = "\u2068", "\u2069"


def parallel_examples(names: Sequence[str], domain: str, split: str, count: int) -> str:
    """Show the first sentences of a split in several languages, meaning by meaning.

    >>> print(parallel_examples(["vesti"], "news", "test", 1).splitlines()[0])
    news-test-00000

    Raises:
        DataError: if there is no such language, domain or split, or not so many sentences.
    """
    corpora = {load_language(name).name: read_synthetic(name, domain, split) for name in names}
    for sentences in corpora.values():
        if not 1 <= count <= len(sentences):
            raise DataError(
                f"{count} sentences were asked for, {domain}/{split} has {len(sentences)}; "
                f"allowed are 1 to {len(sentences)}"
            )
    blocks = []
    for number in range(count):
        said = {name: sentences[number] for name, sentences in corpora.items()}
        blocks.append(str(next(iter(said.values())).id))
        blocks += [describe_sentence(name, sentence) for name, sentence in said.items()]
    return "\n\n".join(blocks)


def describe_sentence(name: str, sentence: Sentence) -> str:
    """A sentence as it is written, and below it a line for each word, in aligned columns.

    Right-to-left words stand in isolates, so that they do not turn the order of the columns.
    """
    rows = [COLUMNS, *_rows(sentence)]
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(pad(cell, size) for cell, size in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([f"{name}: {isolated(_text(sentence))}", *(f"  {line}" for line in lines)])


def _rows(sentence: Sentence) -> Iterable[tuple[str, ...]]:
    for i, word in enumerate(sentence.words):
        tag = "O" if sentence.entities is None else sentence.entities[i]
        yield (
            str(i + 1),
            isolated(word),
            _misc(sentence, i).get("Gloss", ""),
            *(
                "" if values is None else str(values[i])
                for values in (sentence.upos, sentence.heads, sentence.relations)
            ),
            "" if tag == "O" else tag,
        )


def _misc(sentence: Sentence, i: int) -> dict[str, str]:
    """``Gloss=rain|SpaceAfter=No`` of a word as a dictionary."""
    given = "" if sentence.misc is None else sentence.misc[i]
    return {key: value for key, _, value in (part.partition("=") for part in given.split("|"))}


def _text(sentence: Sentence) -> str:
    blanks = [
        "" if _misc(sentence, i).get("SpaceAfter") == "No" else " " for i in range(len(sentence))
    ]
    return "".join(map(str.__add__, sentence.words, blanks)).rstrip()


def isolated(text: str) -> str:
    """Keep right-to-left text from reordering what stands beside it; other text stays as it is.

    >>> isolated("rain"), isolated("زو") == "\u2068زو\u2069"
    ('rain', True)
    """
    if any(unicodedata.bidirectional(character) in ("R", "AL") for character in text):
        return f"{ISOLATE}{text}{END}"
    return text


def pad(text: str, size: int) -> str:
    """Fill up with blanks to ``size`` columns of a terminal."""
    return text + " " * (size - width(text))


def width(text: str) -> int:
    """Count the columns that a terminal needs: marks and isolates none, Han and Hangul two.

    >>> width("rain"), width("é"), width("漢字"), width("키하"), width("नि")
    (4, 1, 4, 4, 2)

    As ``wcwidth`` of the C library does, which most terminals follow; signs that take room of
    their own (category Mc, as in Devanagari) count one.
    """
    return sum(map(_columns, unicodedata.normalize("NFC", text)))


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def describe_languages() -> str:
    """A table of the embedded languages: family, script, order of words and what is marked."""
    rows = []
    for name in languages():
        language = load_language(name)
        rows.append(
            {
                "language": name,
                "family": language.family,
                "script": language.script,
                "order": language.order,
                "morphology": language.morphology,
                "marked": ", ".join(marked(language)),
            }
        )
    return markdown(pl.DataFrame(rows))


def marked(language: Language) -> list[str]:
    """What a language says with endings or words of their own, in a few words each.

    >>> marked(load_language("lianu"))
    ['classifiers', 'tense (auxiliary)']
    """
    kinds = {
        f"{language.article} articles": language.article != "none",
        f"plural ({language.plural})": language.plural != "none",
        f"{language.classes} noun classes": language.classes > 1,
        ", ".join(language.cases): bool(language.cases),
        "agreement": language.agreement,
        "person": language.person,
        "classifiers": language.classifiers,
        f"tense ({language.tense})": True,
    }
    return [what.replace("both articles", "articles") for what, is_so in kinds.items() if is_so]
