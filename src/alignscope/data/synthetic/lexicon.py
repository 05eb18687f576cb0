"""The words of a language: roots, endings, and how they are written."""

from collections.abc import Iterable
from itertools import count

from alignscope.data.synthetic.language import Language
from alignscope.data.synthetic.phonology import NAME, PARTICLE, ROOT, SoundChanges, family
from alignscope.data.synthetic.rng import choice, rng_for
from alignscope.data.synthetic.scripts import script
from alignscope.data.synthetic.world import FUNCTION_WORDS, world


class Lexicon:
    """Forms, by concept and by the features that endings express; each is built once."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.script = script(language.script)
        self._family = family(language.family)
        self._changes = SoundChanges(language.sounds)
        self._same = dict(language.same)
        self._homographs = self._twins()
        self._particles = self._assign_particles()
        self._forms: dict[tuple[str, ...], str] = {}

    def noun(self, concept: str, features: tuple[str, ...] = ()) -> str:
        """Write a noun with its endings; ``features`` are such as ``("plural", "accusative")``."""
        return self._form("noun", concept, features)

    def adjective(self, concept: str, features: tuple[str, ...] = (), noun: str = "") -> str:
        """Write an adjective, with the endings of the class of ``noun`` if it agrees."""
        return self._form("adjective", concept, features, noun)

    def verb(self, concept: str, features: tuple[str, ...] = ()) -> str:
        """Write a verb with its endings."""
        return self._form("verb", concept, features)

    def auxiliary(self, concept: str, features: tuple[str, ...] = ()) -> str:
        """Write an auxiliary or copula, with the endings of a verb."""
        return self._form("auxiliary", concept, features)

    def name(self, concept: str, features: tuple[str, ...] = ()) -> str:
        """Write a name: the same sounds everywhere, except for surnames that are nouns."""
        return self._form("name", concept, features)

    def word(self, concept: str, features: tuple[str, ...] = ()) -> str:
        """Write a function word, pronoun or particle."""
        return self._form("word", concept, features)

    def _form(
        self, kind: str, concept: str, features: tuple[str, ...], controller: str = ""
    ) -> str:
        key = (kind, concept, controller, *features)
        if key not in self._forms:
            sounds = self._root(kind, concept)
            inflected = sounds + "".join(self._endings(kind, controller or concept, features))
            written = self.script.write(inflected)
            self._forms[key] = _capital(written) if self._capital(kind) else written
        return self._forms[key]

    def _capital(self, kind: str) -> bool:
        wanted = {"none": (), "names": ("name",), "nouns": ("name", "noun")}
        return self.script.cased and kind in wanted[self.language.capitals]

    def _root(self, kind: str, concept: str) -> str:
        if kind == "name":
            return self._name(concept)
        if kind in ("word", "auxiliary"):
            return self._particles[concept]
        root = self._homographs.get((kind, concept), f"{kind} {concept}")
        lot = rng_for("loan", self.language.name, root).random()
        for donor, share in self.language.loans.items():
            if lot < share:
                return family(donor).root(root, ROOT)
            lot -= share
        return self._changes.of(self._family.root(root, ROOT))

    def _name(self, concept: str) -> str:
        noun = world().surname_noun(concept) if concept.startswith("surname") else None
        if noun is not None:
            return self._root("noun", noun)
        return family("names").root(concept, NAME)

    def _endings(self, kind: str, concept: str, features: tuple[str, ...]) -> Iterable[str]:
        """Endings one by one, or one ending that says everything at once."""
        if not features:
            return []
        if self.language.morphology == "agglutinating":
            return [self._ending(feature) for feature in features]
        sort = rng_for("class", self.language.family, concept).random() * self.language.classes
        what = "verb" if kind in ("verb", "auxiliary") else "noun"
        return [self._ending(" ".join((what, str(int(sort)), *features)))]

    def _ending(self, meaning: str) -> str:
        return self._changes.of(self._family.ending(meaning))

    def _assign_particles(self) -> dict[str, str]:
        """Give every function word a form of its own, except for those that are to be the same.

        There are few short forms: left to chance, "I" and "not" would sound alike somewhere.
        """
        found: dict[str, str] = {}
        taken: set[str] = set()
        for concept in FUNCTION_WORDS:
            sounds = self._particle(concept, taken)
            taken.add(self.script.write(sounds))
            found[concept] = sounds
        for concept, other in self.language.same:
            found[concept] = found[other] if other in found else self._root("verb", other)
        return found

    def _particle(self, concept: str, taken: set[str]) -> str:
        for attempt in count():
            root = self._family.root(f"word {concept}{attempt or ''}", PARTICLE)
            sounds = self._changes.of(root)
            if self.script.write(sounds) not in taken:
                return sounds
        raise AssertionError

    def _twins(self) -> dict[tuple[str, str], str]:
        """Choose the verbs that are written like some noun, and a few adjectives, too."""
        nouns = [
            noun for topics in world().nouns.values() for some in topics.values() for noun in some
        ]
        twins = {}
        adjectives = [word for words in world().adjectives.values() for word in words]
        candidates = [("verb", verb.gloss) for verb in world().verbs]
        candidates += [("adjective", word) for word in adjectives]
        for kind, concept in candidates:
            random = rng_for("homograph", self.language.family, kind, concept)
            if random.random() < self.language.homographs:
                twins[kind, concept] = f"noun {choice(nouns, random)}"
        return twins


def _capital(word: str) -> str:
    return word[0].upper() + word[1:]
