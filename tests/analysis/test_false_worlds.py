"""Worlds in which a hypothesis is false must not support it; worlds in which it is true must."""

from dataclasses import replace

import numpy as np
import pytest

from tests.helpers.worlds import World, corpora

STUDIES = 60
"""Enough to see more than 5 of 100 false verdicts, or fewer than 80 of 100 true ones."""


def domain_world(language: float, own: float = 0.01, domain: float = 0.15, **changes: int) -> World:
    """Return a world in which a window costs the domain PUD, and other languages in addition."""

    def harm(rng: np.random.Generator, window: str, corpus: str) -> float:
        if window != "0-1":
            return 0.0
        cost = domain if corpus.endswith("_pud") else 0.0
        cost += language if not corpus.startswith("ud:en_") else 0.0
        return -cost + own * rng.normal()

    return World(corpora(0.9, 0.85, 0.7), harm, **changes)


def uniform_world(source: float, domains: float, targets: float, harm: float) -> World:
    """Return a world in which a window does the same harm to every corpus in logits."""

    def of(rng: np.random.Generator, window: str, corpus: str) -> float:
        return -harm + 0.1 * rng.normal() if window == "0-1" else 0.0

    return World(corpora(source, domains, targets), of, noise=0.07, logit=True)


def few_corpora(world: World) -> World:
    """Return the world with five unrelated targets and a single partner."""
    names = ("ud:en_ewt", "ud:en_pud", *(f"ud:{x}_pud" for x in ("de", "fi", "hi", "tr", "zh")))
    return replace(world, reference={name: world.reference[name] for name in names})


FALSE = {
    "domain alone": domain_world(0.0),
    "domain alone, noisy corpora": domain_world(0.0, own=0.03),
    "domain alone, two seeds": domain_world(0.0, seeds=2),
    "POS-like": uniform_world(0.97, 0.93, 0.75, 0.7),
    "LAS-like": uniform_world(0.88, 0.82, 0.50, 0.7),
    "at the ceiling": uniform_world(0.998, 0.97, 0.77, 0.7),
    "five unrelated targets, no other corpus of the source": few_corpora(
        uniform_world(0.97, 0.93, 0.75, 0.7)
    ),
}
TRUE = {
    "8 points beyond no domain": domain_world(0.08, domain=0.0),
    "8 points beyond 5 of the domain": domain_world(0.08, domain=0.05),
    "20 points beyond 15 of the domain": domain_world(0.20),
    "8 points, five unrelated targets": few_corpora(domain_world(0.08, domain=0.0)),
}


@pytest.mark.parametrize("name", FALSE)
def test_a_false_hypothesis_is_rarely_supported(name: str) -> None:
    counts = FALSE[name].verdicts(STUDIES)
    for claim in ("crucial", "language"):
        assert counts[claim, "supported"] <= 0.05 * STUDIES


@pytest.mark.parametrize("name", TRUE)
def test_a_true_hypothesis_is_mostly_supported(name: str) -> None:
    counts = TRUE[name].verdicts(STUDIES)
    for claim in ("crucial", "language", "harmless"):
        assert counts[claim, "supported"] >= 0.8 * STUDIES
