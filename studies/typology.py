"""Measure typological features in treebanks of the same sentences, for typology.tsv.

    python studies/typology.py --data FOLDER > src/alignscope/analysis/typology.tsv

FOLDER contains Parallel UD treebanks, as ``ud/en_pud/test.conllu.gz`` or as published by Universal
Dependencies; each one becomes a row. Only the trees are used. Order features and shares are between
0 and 1; a share of fewer than 20 cases stays empty.
"""

import argparse
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from alignscope.data.conllu import UPOS, read_conllu
from alignscope.data.corpus import parse_corpus
from alignscope.data.download import known_codes
from alignscope.data.layouts import files_under
from alignscope.data.locate import check_annotations
from alignscope.data.sentence import Sentence

FEWEST = 20
"""A share of fewer cases counts as unknown."""

NOUNS = frozenset({"NOUN", "PROPN"})
ANY = frozenset(UPOS)
ROLES = {"nsubj", "obj", "iobj", "obl", "nmod"}
"""Relations of nouns whose determiners and case markers count: not inside names and compounds."""

Treebank = Sequence[Sentence]


class Arc(NamedTuple):
    """A word and its head, as positions, with tags and relation (with and without subtype).

    The head of a root is 0 and has no tag.
    """

    word: int
    head: int
    relation: str
    universal: str
    tag: str
    head_tag: str


class Order(NamedTuple):
    """The side of the head on which a dependent stands, for given parts of speech."""

    relation: str
    side: Literal["before", "after"]
    tags: frozenset[str] = ANY
    head_tags: frozenset[str] = ANY

    def of(self, arcs: Iterable[Arc]) -> str:
        """Return the share of dependents on this side."""
        before = [arc.word < arc.head for arc in arcs if self.concerns(arc)]
        return share(is_before == (self.side == "before") for is_before in before)

    def concerns(self, arc: Arc) -> bool:
        """Return whether an arc has this relation and these parts of speech."""
        related = self.relation in (arc.relation, arc.universal)
        return related and arc.tag in self.tags and arc.head_tag in self.head_tags


ORDERS = {
    "object_after_verb": Order("obj", "after", NOUNS),
    "subject_before_verb": Order("nsubj", "before", NOUNS),
    "oblique_after_verb": Order("obl", "after", NOUNS),
    "auxiliary_before_verb": Order("aux", "before"),
    "adposition_before_noun": Order("case", "before", head_tags=NOUNS),
    "adjective_before_noun": Order("amod", "before", head_tags=NOUNS),
    "genitive_after_noun": Order("nmod", "after", NOUNS, NOUNS),
}
"""The measured orders, by feature.

Objects, subjects, obliques and genitives are nouns, because clitic and relative pronouns stand in
positions that nouns never take. A verb is any word with such a dependent. An adposition is any
separate word that marks case (English 's and Chinese 的 are, most Korean particles are not). A
genitive is any noun that modifies a noun.

Numerals are excluded. All these languages place them before nouns, except that some treebanks
annotate the year in a date as a numeral; the feature would measure only these years.
"""


def features_of(treebank: Treebank, english: Treebank) -> dict[str, str]:
    """Return every feature of a language, formatted for the table."""
    trees = [arcs_of(sentence) for sentence in treebank]
    arcs = [arc for tree in trees for arc in tree]
    return {
        **{feature: order.of(arcs) for feature, order in ORDERS.items()},
        "relative_after_noun": relative(arcs).of(arcs),
        "determined_nouns": share(marked(trees, "det", frozenset({"NOUN"}))),
        "case_marked_nouns": share(marked(trees, "case", NOUNS)),
        "sentences_with_subject": share(map(has_subject, trees)),
        "words_per_english_word": words_per_word(treebank, english),
        "forms_per_word": f"{forms_per_word(treebank):.3f}",
        "script": script(treebank),
    }


def arcs_of(sentence: Sentence) -> list[Arc]:
    """Return the arc of every word.

    >>> arcs_of(Sentence(("Dogs", "bark"), None, ("NOUN", "VERB"), (2, 0), ("nsubj", "root")))[0]
    Arc(word=1, head=2, relation='nsubj', universal='nsubj', tag='NOUN', head_tag='VERB')
    """
    tags = ("", *(sentence.upos or ()))
    arcs = zip(sentence.heads or (), sentence.relations or (), strict=True)
    return [
        Arc(word, head, relation, relation.partition(":")[0], tags[word], tags[head])
        for word, (head, relation) in enumerate(arcs, start=1)
    ]


def share(cases: Iterable[bool]) -> str:
    """Return the share of true cases, or an empty string if there are too few.

    >>> share([True] * 15 + [False] * 5), share([True] * 15)
    ('0.750', '')
    """
    known = [*cases]
    return f"{sum(known) / len(known):.3f}" if len(known) >= FEWEST else ""


def relative(arcs: Iterable[Arc]) -> Order:
    """Return the order of relative clauses, or of all ``acl`` if the treebank has no subtype."""
    has_subtype = any(arc.relation == "acl:relcl" for arc in arcs)
    return Order("acl:relcl" if has_subtype else "acl", "after")


def marked(trees: Iterable[list[Arc]], marker: str, tags: frozenset[str]) -> Iterator[bool]:
    """Yield for each noun that is an argument or modifier whether it has a marker."""
    for tree in trees:
        marked_words = {arc.head for arc in tree if arc.universal == marker}
        nouns = (arc.word for arc in tree if arc.universal in ROLES and arc.tag in tags)
        yield from (noun in marked_words for noun in nouns)


def has_subject(tree: list[Arc]) -> bool:
    """Return whether the root has a subject; clausal subjects count."""
    root = next(arc.word for arc in tree if arc.head == 0)
    return any(arc.head == root and arc.universal in ("nsubj", "csubj") for arc in tree)


def words_per_word(treebank: Treebank, english: Treebank) -> str:
    """Return the number of words per English word, over the same sentences."""
    counts = [
        {sentence.id: len(words(sentence)) for sentence in corpus} for corpus in (treebank, english)
    ]
    shared = counts[0].keys() & counts[1].keys()
    total, total_english = (sum(count[key] for key in shared) for count in counts)
    return f"{total / total_english:.3f}" if total_english else ""


def forms_per_word(treebank: Treebank) -> float:
    """Return the ratio of distinct words to all words, which grows with inflection."""
    tokens = [word.casefold() for sentence in treebank for word in words(sentence)]
    return len({*tokens}) / len(tokens)


def words(sentence: Sentence) -> list[str]:
    """Return the words without punctuation."""
    tagged = zip(sentence.words, sentence.upos or (), strict=True)
    return [word for word, tag in tagged if tag != "PUNCT"]


def script(treebank: Treebank) -> str:
    """Return the script of most letters: the first word of their Unicode names.

    >>> script([Sentence(("Собаки", "CIA"))])
    'CYRILLIC'
    """
    letters = (letter for sentence in treebank for word in sentence.words for letter in word)
    counts = Counter(unicodedata.name(letter).split()[0] for letter in letters if letter.isalpha())
    return counts.most_common(1)[0][0].replace("CJK", "HAN")


def treebanks(folder: Path) -> dict[str, Treebank]:
    """Return the Parallel UD treebanks in a folder, by language."""
    by_language: dict[str, Treebank] = {}
    for code in known_codes("ud"):
        if code.endswith("_pud") and (splits := files_under(folder, "ud", code)):
            sentences = read_conllu(splits["test"])
            check_annotations(sentences, ("upos", "heads", "relations"), code)
            by_language[parse_corpus(f"ud:{code}").language] = sentences
    return by_language


def table(by_language: dict[str, Treebank]) -> str:
    """Return the features of all languages as tab-separated lines, one per language."""
    english = by_language["en"]
    rows = {
        language: features_of(by_language[language], english) for language in sorted(by_language)
    }
    lines = [["language", *rows["en"]], *([name, *row.values()] for name, row in rows.items())]
    return "".join("\t".join(line) + "\n" for line in lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="Folder with treebanks.")
    by_language = treebanks(parser.parse_args().data)
    if "en" not in by_language:
        parser.error("The folder has no en_pud, which the number of words per word needs.")
    print(table(by_language), end="")


if __name__ == "__main__":
    main()
