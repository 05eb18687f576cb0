"""The synthetic languages as text: parallel sentences with trees, and a table of properties."""

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
    """Return the first sentences of a split in several languages, translations together.

    >>> print(parallel_examples(["vesti"], "news", "test", 1).splitlines()[0])
    news-test-00000

    Raises:
        DataError: if there is no such language, domain or split, or it has fewer sentences.
    """
    corpora = {load_language(name).name: read_synthetic(name, domain, split) for name in names}
    for sentences in corpora.values():
        if not 1 <= count <= len(sentences):
            raise DataError(
                f"{count} is not a valid number of sentences. "
                f"{domain}/{split} has 1 to {len(sentences)}."
            )
    blocks = []
    for number in range(count):
        translations = {name: sentences[number] for name, sentences in corpora.items()}
        blocks.append(str(next(iter(translations.values())).id))
        blocks += [describe_sentence(name, sentence) for name, sentence in translations.items()]
    return "\n\n".join(blocks)


def describe_sentence(name: str, sentence: Sentence) -> str:
    """Return a sentence as running text, then a line for each word, in aligned columns.

    Right-to-left words are wrapped in isolates, which keep the order of the columns.
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
    """Return the MISC column of a word, such as ``Gloss=rain|SpaceAfter=No``, as a mapping."""
    column = "" if sentence.misc is None else sentence.misc[i]
    return {key: value for key, _, value in (part.partition("=") for part in column.split("|"))}


def _text(sentence: Sentence) -> str:
    blanks = [
        "" if _misc(sentence, i).get("SpaceAfter") == "No" else " " for i in range(len(sentence))
    ]
    return "".join(map(str.__add__, sentence.words, blanks)).rstrip()


def isolated(text: str) -> str:
    """Wrap right-to-left text in isolates, so that it does not reorder the text beside it.

    >>> isolated("rain"), isolated("زو") == "\u2068زو\u2069"
    ('rain', True)
    """
    if any(unicodedata.bidirectional(character) in ("R", "AL") for character in text):
        return f"{ISOLATE}{text}{END}"
    return text


def pad(text: str, size: int) -> str:
    """Append blanks up to ``size`` terminal columns."""
    return text + " " * (size - width(text))


def width(text: str) -> int:
    """Return the number of terminal columns: none for marks and isolates, two for Han and Hangul.

    >>> width("rain"), width("é"), width("漢字"), width("키하"), width("नि")
    (4, 1, 4, 4, 2)

    The count follows ``wcwidth`` of the C library, like most terminals. Spacing marks (category
    Mc, as in Devanagari) count one.
    """
    return sum(map(_columns, unicodedata.normalize("NFC", text)))


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def describe_languages() -> str:
    """Return a table of the synthetic languages: family, script, word order and morphology."""
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
    """Return the categories that a language marks by endings or words of their own.

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
    return [
        kind.replace("both articles", "articles") for kind, is_marked in kinds.items() if is_marked
    ]
