"""Simulated studies in which it is known whether a hypothesis is true."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from alignscope.analysis.hypotheses import claims_table
from alignscope.config.thresholds import HypothesisThresholds
from alignscope.results.schemas import SCORES, to_frame

TARGETS = (
    "cs", "de", "es", "fi", "fr", "hi", "id", "is", "it", "ja", "ko", "pl", "pt", "sv", "th", "tr",
    "zh",
)  # fmt: skip
DOMAINS = ("atis", "gum", "lines", "partut", "pud")
SOURCE = "ud:en_ewt"
BLANK: dict[str, Any] = {
    name: "x" if kind == pl.String else 0.0 if kind == pl.Float64 else 0
    for name, kind in SCORES.items()
}


@dataclass(frozen=True)
class World:
    """Scores of REF and of windows, drawn anew for every study."""

    reference: Mapping[str, float]
    """REF's score by corpus."""
    harm: Callable[[np.random.Generator, str, str], float]
    """The effect of a window on a corpus, the same for every seed of a study."""
    windows: tuple[str, ...] = ("0-1", "10-11")
    seeds: int = 5
    noise: float = 0.005
    """Standard deviation of a score over seeds."""
    logit: bool = False
    """Whether harm and noise are on the scale of logits."""

    def study(self, rng: np.random.Generator) -> pl.DataFrame:
        """Draw the table ``scores`` of one study."""
        effects = {
            (window, corpus): self.harm(rng, window, corpus)
            for window in self.windows
            for corpus in self.reference
        }
        rows = []
        for seed in range(self.seeds):
            for window in ("REF", *self.windows):
                for corpus, base in self.reference.items():
                    change = self.noise * rng.normal() + effects.get((window, corpus), 0.0)
                    rows.append(
                        BLANK | _about(corpus) | {
                            "window": window, "seed": seed,
                            "init": None if window == "REF" else "config",
                            "score": float(_shifted(base, change, self.logit)),
                        }
                    )  # fmt: skip
        return to_frame(rows, SCORES)

    def verdicts(self, studies: int, seed: int = 0) -> Counter[tuple[str, str]]:
        """Return the number of studies with each verdict, by hypothesis and verdict."""
        rng, counts = np.random.default_rng(seed), Counter[tuple[str, str]]()
        for _ in range(studies):
            table = claims_table(self.study(rng), None, HypothesisThresholds())
            counts.update(table.select("claim", "verdict").iter_rows())
        return counts


def _about(corpus: str) -> dict[str, Any]:
    language, _, domain = corpus.removeprefix("ud:").partition("_")
    relation = (
        "in-domain" if corpus == SOURCE else "cross-domain" if language == "en" else "cross-lingual"
    )
    return {
        "encoder": "e", "task": "pos", "source": SOURCE, "metric": "accuracy", "corpus": corpus,
        "language": language, "domain": domain, "relation": relation, "words": 20_000,
        "majority": 0.2,
    }  # fmt: skip


def _shifted(score: float, change: float, logit: bool) -> float:
    if not logit:
        return min(1.0, max(0.0, score + change))
    return 1 / (1 + np.exp(-(np.log(score / (1 - score)) + change)))


def corpora(source: float, domains: float, targets: float) -> dict[str, float]:
    """Return REF's scores on the corpora of studies/muller2021.toml, English source."""
    return {
        SOURCE: source,
        **{f"ud:en_{domain}": domains for domain in DOMAINS},
        **{f"ud:{language}_pud": targets for language in TARGETS},
    }
