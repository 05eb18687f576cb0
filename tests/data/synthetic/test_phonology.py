"""Roots are built from the sounds of their family."""

import re

import pytest

from alignscope.data.synthetic.phonology import (
    NAME,
    PARTICLE,
    ROOT,
    LanguageFamily,
    SoundChanges,
    family,
)
from alignscope.data.synthetic.scripts import script
from alignscope.data.synthetic.world import load_table

FAMILIES = load_table("families.toml")
CONCEPTS = [f"concept {number}" for number in range(200)]


@pytest.mark.parametrize("name", FAMILIES)
def test_roots_have_the_shape_of_their_family(name):
    sounds = FAMILIES[name]
    sets = {"C": sounds["consonants"], "V": sounds["vowels"], "N": sounds["closing"]}
    shapes = ["".join(f"[{sets[place]}]" for place in shape) for shape in sounds["syllables"]]
    pattern = re.compile(f"({'|'.join(shapes)}){{1,3}}")
    roots = [family(name).root(concept, ROOT) for concept in CONCEPTS]
    assert all(pattern.fullmatch(root) for root in roots)
    assert len(set(roots)) > 170
    ending = re.compile(f"[{sets['C']}]?[{sets['V']}][{sets['N']}]?")
    assert all(ending.fullmatch(family(name).ending(concept)) for concept in CONCEPTS)


def test_roots_do_not_depend_on_the_order_of_calls():
    forward, backward = (LanguageFamily("north", FAMILIES["north"]) for _ in range(2))
    expected = {concept: forward.root(concept, ROOT) for concept in CONCEPTS}
    assert {concept: backward.root(concept, ROOT) for concept in CONCEPTS[::-1]} == expected


def test_particles_are_short():
    length = {
        kind: sum(len(family("north").root(f"{kind} {concept}", weights)) for concept in CONCEPTS)
        for kind, weights in {"root": ROOT, "particle": PARTICLE, "name": NAME}.items()
    }
    assert length["particle"] < 0.7 * length["root"] < 0.7 * length["name"] * 1.1


def test_sound_changes_apply_in_order():
    assert SoundChanges([("a", "b"), ("b", "c")]).of("ab") == "cc"
    assert SoundChanges([("b", "c"), ("a", "b")]).of("ab") == "bc"
    assert SoundChanges([("^t$", "")]).of("t") == "t"
    assert SoundChanges(()).of("tak") == "tak"


def test_every_sound_can_be_written(language):
    """Covers the family, the donor families and the sound changes of each language."""
    writes = script(language.script).write
    changes = SoundChanges(language.sounds)
    for name in (language.family, "names", *language.loans):
        for concept in CONCEPTS:
            root = family(name).root(concept, ROOT)
            assert writes(root)
            assert writes(changes.of(root))
