"""The words of a language: roots, endings, and how they are written."""

from collections.abc import Iterable
from itertools import count

from alignscope.data.synthetic.language import Language
from alignscope.data.synthetic.phonology import NAME, PARTICLE, ROOT, SoundChanges, family
from alignscope.data.synthetic.rng import choice, rng_for
from alignscope.data.synthetic.scripts import script
from alignscope.data.synthetic.world import FUNCTION_WORDS, world


class Lexicon:
    """Word forms by concept and grammatical features; each form is built once."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.script = script(language.script)
        self._family = family(language.family)
        self._changes = SoundChanges(language.sounds)
        self._same = dict(language.same)
        self._homographs = self._choose_homographs()
        self._particles = self._assign_particles()
        self._forms: dict[tuple[str, ...], str] = {}

    def noun(self, concept: str, features: tuple[str, ...] = ()) -> str:
        """Return a noun with the endings of its features, such as ``("plural", "accusative")``."""
        return self._form("noun", concept, features)

    def adjective(self, concept: str, features: tuple[str, ...] = (), noun: str = "") -> str:
        """Return an adjective; its endings agree with the class of ``noun``."""
        return self._form("adjective", concept, features, noun)

    def verb(self, concept: str, features: tuple[str, ...] = ()) -> str:
        """Return a verb with the endings of its features."""
        return self._form("verb", concept, features)

    def auxiliary(self, concept: str, features: tuple[str, ...] = ()) -> str:
        """Return an auxiliary or copula with the endings of a verb."""
        return self._form("auxiliary", concept, features)

    def name(self, concept: str, features: tuple[str, ...] = ()) -> str:
        """Return a name; it sounds the same in all languages, unless it is a surname and a noun."""
        return self._form("name", concept, features)

    def word(self, concept: str, features: tuple[str, ...] = ()) -> str:
        """Return a function word, pronoun or particle."""
        return self._form("word", concept, features)

    def _form(
        self, kind: str, concept: str, features: tuple[str, ...], controller: str = ""
    ) -> str:
        key = (kind, concept, controller, *features)
        if key not in self._forms:
            sounds = self._root(kind, concept)
            inflected = sounds + "".join(self._endings(kind, controller or concept, features))
            written = self.script.write(inflected)
            self._forms[key] = _capitalise(written) if self._is_capitalised(kind) else written
        return self._forms[key]

    def _is_capitalised(self, kind: str) -> bool:
        capitalised = {"none": (), "names": ("name",), "nouns": ("name", "noun")}
        return self.script.cased and kind in capitalised[self.language.capitals]

    def _root(self, kind: str, concept: str) -> str:
        if kind == "name":
            return self._name(concept)
        if kind in ("word", "auxiliary"):
            return self._particles[concept]
        root = self._homographs.get((kind, concept), f"{kind} {concept}")
        position = rng_for("loan", self.language.name, root).random()
        for donor, share in self.language.loans.items():
            if position < share:
                return family(donor).root(root, ROOT)
            position -= share
        return self._changes.of(self._family.root(root, ROOT))

    def _name(self, concept: str) -> str:
        noun = world().surname_noun(concept) if concept.startswith("surname") else None
        if noun is not None:
            return self._root("noun", noun)
        return family("names").root(concept, NAME)

    def _endings(self, kind: str, concept: str, features: tuple[str, ...]) -> Iterable[str]:
        """Return one ending per feature, or one ending for all features together."""
        if not features:
            return []
        if self.language.morphology == "agglutinating":
            return [self._ending(feature) for feature in features]
        number = rng_for("class", self.language.family, concept).random() * self.language.classes
        paradigm = "verb" if kind in ("verb", "auxiliary") else "noun"
        return [self._ending(" ".join((paradigm, str(int(number)), *features)))]

    def _ending(self, meaning: str) -> str:
        return self._changes.of(self._family.ending(meaning))

    def _assign_particles(self) -> dict[str, str]:
        """Assign a distinct form to every function word, except those that `Language.same` lists.

        There are few short forms, so that independent draws would give "I" and "not" the same
        form in some language.
        """
        assigned: dict[str, str] = {}
        taken: set[str] = set()
        for concept in FUNCTION_WORDS:
            sounds = self._particle(concept, taken)
            taken.add(self.script.write(sounds))
            assigned[concept] = sounds
        for concept, other in self.language.same:
            assigned[concept] = assigned.get(other) or self._root("verb", other)
        return assigned

    def _particle(self, concept: str, taken: set[str]) -> str:
        for attempt in count():
            root = self._family.root(f"word {concept}{attempt or ''}", PARTICLE)
            sounds = self._changes.of(root)
            if self.script.write(sounds) not in taken:
                return sounds
        raise AssertionError

    def _choose_homographs(self) -> dict[tuple[str, str], str]:
        """Choose the verbs and adjectives that share the root of a noun."""
        nouns = [
            noun for topics in world().nouns.values() for group in topics.values() for noun in group
        ]
        homographs = {}
        adjectives = [word for words in world().adjectives.values() for word in words]
        candidates = [("verb", verb.gloss) for verb in world().verbs]
        candidates += [("adjective", word) for word in adjectives]
        for kind, concept in candidates:
            random = rng_for("homograph", self.language.family, kind, concept)
            if random.random() < self.language.homographs:
                homographs[kind, concept] = f"noun {choice(nouns, random)}"
        return homographs


def _capitalise(word: str) -> str:
    return word[0].upper() + word[1:]
