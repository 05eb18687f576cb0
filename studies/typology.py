"""Measure how languages differ, from treebanks of the same sentences: typology.tsv of the package.

    python studies/typology.py --data FOLDER > src/alignscope/analysis/typology.tsv

FOLDER has Parallel UD treebanks, as ``ud/en_pud/test.conllu.gz`` or as published by Universal
Dependencies; every one that is found gives a row. Nothing but the trees is used: order features
and shares are between 0 and 1, a share of fewer than 20 cases is left empty.
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
"""A share of fewer cases is not known."""

NOUNS = frozenset({"NOUN", "PROPN"})
ANY = frozenset(UPOS)
ROLES = {"nsubj", "obj", "iobj", "obl", "nmod"}
"""Where nouns are asked for determiners and case markers: not inside names and compounds."""

Treebank = Sequence[Sentence]


class Arc(NamedTuple):
    """A word, its relation to its head (with and without subtype), and where both are.

    The head of a root is 0 and has no tag.
    """

    word: int
    head: int
    relation: str
    universal: str
    tag: str
    head_tag: str


class Order(NamedTuple):
    """On which side of its head a dependent is, both being of some parts of speech."""

    relation: str
    side: Literal["before", "after"]
    tags: frozenset[str] = ANY
    head_tags: frozenset[str] = ANY

    def of(self, arcs: Iterable[Arc]) -> str:
        """Return the share of dependents that are on this side."""
        before = [arc.word < arc.head for arc in arcs if self.concerns(arc)]
        return share(is_before == (self.side == "before") for is_before in before)

    def concerns(self, arc: Arc) -> bool:
        """Whether this is the order of such a word and such a head."""
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
"""Which words are asked for their side, by the feature.

Objects, subjects, obliques and genitives are nouns: clitic and relative pronouns go where no noun
goes. A verb is whatever has them, an adposition whatever marks case as a word of its own (English
's and Chinese 的 do, Korean particles mostly do not), a genitive any noun that modifies a noun.
Numerals are not asked: all these languages have them before nouns, but where treebanks take the
year in a date for a numeral it follows, and that would be all that is measured.
"""


def features_of(treebank: Treebank, english: Treebank) -> dict[str, str]:
    """Return every feature of a language, as the table writes them."""
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
    """Return the share of cases that hold.

    >>> share([True] * 15 + [False] * 5), share([True] * 15)
    ('0.750', '')
    """
    known = [*cases]
    return f"{sum(known) / len(known):.3f}" if len(known) >= FEWEST else ""


def relative(arcs: Iterable[Arc]) -> Order:
    """Relative clauses, or all clauses that modify a noun where a treebank does not tell."""
    told = any(arc.relation == "acl:relcl" for arc in arcs)
    return Order("acl:relcl" if told else "acl", "after")


def marked(trees: Iterable[list[Arc]], marker: str, tags: frozenset[str]) -> Iterator[bool]:
    """Say of each noun that is an argument or modifier whether it has such a marker."""
    for tree in trees:
        having = {arc.head for arc in tree if arc.universal == marker}
        nouns = (arc.word for arc in tree if arc.universal in ROLES and arc.tag in tags)
        yield from (noun in having for noun in nouns)


def has_subject(tree: list[Arc]) -> bool:
    """Whether the root has a subject, be it a clause."""
    root = next(arc.word for arc in tree if arc.head == 0)
    return any(arc.head == root and arc.universal in ("nsubj", "csubj") for arc in tree)


def words_per_word(treebank: Treebank, english: Treebank) -> str:
    """Return how many words a language takes for a word of English, over the same sentences."""
    counts = [
        {sentence.id: len(words(sentence)) for sentence in each} for each in (treebank, english)
    ]
    shared = counts[0].keys() & counts[1].keys()
    own, other = (sum(count[key] for key in shared) for count in counts)
    return f"{own / other:.3f}" if other else ""


def forms_per_word(treebank: Treebank) -> float:
    """Return how many different words there are, of all: the more inflection, the more."""
    found = [word.casefold() for sentence in treebank for word in words(sentence)]
    return len({*found}) / len(found)


def words(sentence: Sentence) -> list[str]:
    """Return the words without punctuation."""
    tagged = zip(sentence.words, sentence.upos or (), strict=True)
    return [word for word, tag in tagged if tag != "PUNCT"]


def script(treebank: Treebank) -> str:
    """Return the script that most letters are of, as Unicode names begin.

    >>> script([Sentence(("Собаки", "CIA"))])
    'CYRILLIC'
    """
    letters = (letter for sentence in treebank for word in sentence.words for letter in word)
    found = Counter(unicodedata.name(letter).split()[0] for letter in letters if letter.isalpha())
    return found.most_common(1)[0][0].replace("CJK", "HAN")


def treebanks(folder: Path) -> dict[str, Treebank]:
    """Return the Parallel UD treebanks in a folder, by language."""
    found: dict[str, Treebank] = {}
    for code in known_codes("ud"):
        if code.endswith("_pud") and (splits := files_under(folder, "ud", code)):
            sentences = read_conllu(splits["test"])
            check_annotations(sentences, ("upos", "heads", "relations"), code)
            found[parse_corpus(f"ud:{code}").language] = sentences
    return found


def table(found: dict[str, Treebank]) -> str:
    """Return the features of all languages as tab-separated lines, one a language."""
    english = found["en"]
    rows = {language: features_of(found[language], english) for language in sorted(found)}
    lines = [["language", *rows["en"]], *([name, *row.values()] for name, row in rows.items())]
    return "".join("\t".join(line) + "\n" for line in lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="a folder of treebanks")
    found = treebanks(parser.parse_args().data)
    if "en" not in found:
        parser.error("the folder has no en_pud, in which the words of others are counted")
    print(table(found), end="")


if __name__ == "__main__":
    main()
