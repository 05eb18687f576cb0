"""Coverage of the 95 % CIs of effects: simulated studies in which the true effect is known.

    python benchmarks/coverage.py            # the table of docs/statistics.md, some ten minutes
    python benchmarks/coverage.py --studies 200

Every study has windows, seeds and languages. Runs vary over seeds, and each language reacts to each
window in its own way, relatives similarly. The true effect of every window is 0: the mean over all
families from which these are a sample, or over these languages.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import polars as pl

from alignscope.analysis.contrasts import TARGETS, contrasts_of
from alignscope.analysis.effect_estimates import estimate_contrast
from alignscope.analysis.genealogy import lineage
from alignscope.analysis.score_arrays import score_arrays
from alignscope.results.schemas import SCORES, to_frame

LANGUAGES = {
    5: ("de", "fi", "hi", "tr", "zh"),
    17: ("cs", "de", "es", "fi", "fr", "hi", "id", "is", "it", "ja", "ko", "pl", "pt", "sv", "th",
         "tr", "zh"),
}  # fmt: skip
SOURCE = "ud:en_ewt"
UNEQUAL = {"equal": None, "log-normal": 0.7, "one unstable run": 5.0}
"""How standard deviations over seeds differ between runs: not; by a log-normal factor (standard
deviation of its logarithm); or by this factor for the first window alone."""
LANGUAGE_SD, SEED_SD, RESIDUAL_SD = 0.02, 0.01, 0.01
WINDOWS = ("0-1", "2-3", "4-5", "6-7", "8-9", "10-11")


@dataclass(frozen=True)
class Cell:
    """One cell of the table of coverage."""

    seeds: int
    languages: int
    family: float
    """Correlation of languages of one family."""
    genus: float
    variances: str


CELLS = [
    Cell(seeds, languages, family, genus, variances)
    for languages, (family, genus), variances, seeds in product(
        LANGUAGES, ((0.0, 0.0), (0.5, 0.8)), UNEQUAL, (2, 3, 5)
    )
]


def study(cell: Cell, rng: np.random.Generator) -> tuple[pl.DataFrame, dict[str, float]]:
    """Draw the table ``scores`` of a study, and the true effect on these languages by window."""
    languages = LANGUAGES[cell.languages]
    reactions = dict(zip(WINDOWS, _reactions(cell, rng), strict=True))
    factors = dict(zip(("REF", *WINDOWS), _factors(cell, rng), strict=True))
    rows = []
    for seed in range(cell.seeds):
        common = SEED_SD * rng.normal()
        for window, factor in factors.items():
            run = common + factor * SEED_SD * rng.normal()
            effects = reactions.get(window, np.zeros(len(languages)))
            noise = factor * RESIDUAL_SD * rng.normal(size=len(languages))
            scores = np.clip(0.5 + run + effects + noise, 0, 1)
            names = [SOURCE, *(f"ud:{language}_pud" for language in languages)]
            rows += [
                _row(seed, window, corpus, float(score))
                for corpus, score in zip(names, [0.5, *scores], strict=True)
            ]
    return to_frame(rows, SCORES), {window: float(of.mean()) for window, of in reactions.items()}


def _reactions(cell: Cell, rng: np.random.Generator) -> np.ndarray:
    """Draw how languages react to each window, of shape (windows, languages)."""
    lineages = [lineage(language) for language in LANGUAGES[cell.languages]]
    covariance = np.eye(len(lineages))
    for (i, a), (j, b) in product(enumerate(lineages), repeat=2):
        if i != j and a is not None and b is not None:
            related = cell.family if a.family == b.family else 0.0
            covariance[i, j] = cell.genus if a == b else related
    root = np.linalg.cholesky(covariance + 1e-9 * np.eye(len(lineages)))
    drawn: np.ndarray = LANGUAGE_SD * (root @ rng.normal(size=(len(lineages), len(WINDOWS)))).T
    return drawn


def _factors(cell: Cell, rng: np.random.Generator) -> np.ndarray:
    """Draw the standard deviation over seeds of REF and every window, as a factor."""
    runs, size = len(WINDOWS) + 1, UNEQUAL[cell.variances]
    factors = np.ones(runs)
    if cell.variances == "log-normal":
        factors = np.exp(rng.normal(0, size or 0, runs))
    elif size is not None:
        factors[1] = size
    return factors


def _row(seed: int, window: str, corpus: str, score: float) -> dict[str, object]:
    language, _, domain = corpus.removeprefix("ud:").partition("_")
    blank = {
        name: "x" if kind == pl.String else 0.0 if kind == pl.Float64 else 0
        for name, kind in SCORES.items()
    }
    return blank | {
        "source": SOURCE, "window": window, "seed": seed, "corpus": corpus, "score": score,
        "init": None if window == "REF" else "config", "metric": "accuracy", "domain": domain,
        "relation": "in-domain" if corpus == SOURCE else "cross-lingual", "language": language,
        "words": 10_000,
    }  # fmt: skip


@dataclass(frozen=True)
class Coverage:
    """The share of intervals that cover the true effect, and their median half-width."""

    families: float
    fixed: float
    unstable: float
    """The share of the first window alone, in the first reading."""
    half_width: float


def coverage(cell: Cell, studies: int, seed: int = 1) -> Coverage:
    """Simulate studies and return how often intervals of the effect on targets cover the truth."""
    rng = np.random.default_rng(seed)
    covered, widths = [], []
    for _ in range(studies):
        scores, fixed = study(cell, rng)
        (arrays,) = score_arrays(scores)
        targets = contrasts_of(arrays, lineage).named(TARGETS)
        assert targets is not None
        estimates = zip(arrays.ablations, estimate_contrast(arrays, targets), strict=True)
        for (_, window), estimate in estimates:
            assert estimate is not None
            families, of_these = estimate.points.families, estimate.points.fixed
            covers = families.low <= 0 <= families.high
            covered.append((window, covers, of_these.low <= fixed[window] <= of_these.high))
            widths.append((families.high - families.low) / 2)
    first = [families for window, families, _ in covered if window == WINDOWS[0]]
    return Coverage(
        float(np.mean([families for _, families, _ in covered])),
        float(np.mean([of_these for *_, of_these in covered])),
        float(np.mean(first)),
        float(np.median(widths)),
    )


def lines(studies: int) -> Iterator[str]:
    """Yield the lines of the table in Markdown."""
    yield (
        "| languages | correlation in family, genus | variances over seeds | seeds | "
        "languages like these | of the first window | these languages | half-width, points |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for cell in CELLS:
        found = coverage(cell, studies)
        yield (
            f"| {cell.languages} | {cell.family:g}, {cell.genus:g} | {cell.variances} | "
            f"{cell.seeds} | {100 * found.families:.1f} | {100 * found.unstable:.1f} | "
            f"{100 * found.fixed:.1f} | {100 * found.half_width:.1f} |"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1000)
    for line in lines(parser.parse_args().studies):
        print(line, flush=True)
