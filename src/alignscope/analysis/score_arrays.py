"""Scores of all windows of one encoder, task, metric, source and setting, as arrays."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from alignscope.analysis.arrays import Values
from alignscope.analysis.constants import RUN_KEYS
from alignscope.analysis.effects import window_order
from alignscope.data.corpus import parse_corpus, scheme_of
from alignscope.errors import DataError, StoreError
from alignscope.results.tables import REF

PER_WORD = frozenset({"accuracy", "las", "uas"})
"""The metrics that count words; others count spans or sentences."""
UNKNOWN_SIZE = 10_000
"""The size of a corpus whose size a table does not state."""


@dataclass(frozen=True)
class EvaluatedCorpus:
    """A corpus on which the runs of a group were evaluated."""

    name: str
    language: str
    relation: str
    domain: str | None
    scheme: str | None
    """The annotation scheme; None if it is not known."""
    majority: float
    size: int
    """The number of units that the metric counts: words, or else sentences."""


Ablation = tuple[str, str]
"""How a window was initialised, and the window: ``("config", "0-1")``."""


@dataclass(frozen=True)
class ScoreArrays:
    """The scores of REF and of every window; NaN where a run or a corpus is missing."""

    key: tuple[str, ...]
    """The values of `RUN_KEYS`."""
    ablations: list[Ablation]
    seeds: list[int]
    corpora: list[EvaluatedCorpus]
    reference: Values
    """REF's scores, of shape (seeds, corpora)."""
    scores: Values
    """The scores with a window re-initialised, of shape (ablations, seeds, corpora)."""

    @cached_property
    def points(self) -> Values:
        """Effects as differences of scores, of shape (ablations, seeds, corpora)."""
        return self.scores - self.reference

    @cached_property
    def logits(self) -> Values:
        """Effects as differences of logits, of shape (ablations, seeds, corpora)."""
        return self._logits(self.scores) - self._logits(self.reference)

    @cached_property
    def headroom(self) -> Values:
        """REF's mean score − the majority baseline, of shape (corpora,)."""
        headroom: Values = self.mean_reference - [corpus.majority for corpus in self.corpora]
        return headroom

    @cached_property
    def mean_reference(self) -> Values:
        """REF's mean score over seeds, of shape (corpora,); NaN for a corpus without a score."""
        known = np.isfinite(self.reference)
        total = np.where(known, self.reference, 0).sum(0)
        count = known.sum(0)
        means: Values = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
        return means

    def places(self, relation: str) -> list[int]:
        """Return the positions of the corpora with a relation to the source."""
        return [i for i, corpus in enumerate(self.corpora) if corpus.relation == relation]

    def _logits(self, scores: Values) -> Values:
        """Return empirical logits, which are finite at scores of 0 and 1 (Haldane 1956).

        An accuracy is a share of words, so that its logit is the log odds of a correct word. F1 is
        2 TP / (2 TP + FP + FN), so that its logit is the log odds of a correct decision, too:
        log 2 TP − log (FP + FN).
        """
        sizes = np.array([corpus.size for corpus in self.corpora], float)
        odds: Values = np.log((scores * sizes + 0.5) / (sizes - scores * sizes + 0.5))
        return odds


def score_arrays(scores: pl.DataFrame) -> Iterator[ScoreArrays]:
    """Yield the scores of every encoder, task, metric, source and setting that has windows.

    Takes the table ``scores``. Runs without their REF are left out.

    Raises:
        StoreError: if two results have the same encoder, task, source, window and seed.
    """
    ordered = scores.sort([*RUN_KEYS, "init", *window_order(), "seed", "relation", "corpus"])
    for _, group in ordered.group_by(RUN_KEYS, maintain_order=True):
        reference = group.filter(pl.col("window") == REF)
        seeds = reference["seed"].unique().to_list()
        ablated = group.filter((pl.col("window") != REF) & pl.col("seed").is_in(seeds))
        if len(ablated):
            yield _arrays(reference, ablated)


def _arrays(reference: pl.DataFrame, ablated: pl.DataFrame) -> ScoreArrays:
    corpora = [
        EvaluatedCorpus(
            row["corpus"], row["language"], row["relation"], row["domain"],
            _scheme(row["corpus"], row["task"]), row["majority"], _size(row),
        )
        for row in reference.unique("corpus", keep="first").sort("relation", "corpus").to_dicts()
    ]  # fmt: skip
    seeds = sorted(set(ablated["seed"]))
    ablations = list(dict.fromkeys(ablated.select("init", "window").rows()))
    arrays = ScoreArrays(
        key=tuple(str(reference[name][0]) for name in RUN_KEYS),
        ablations=ablations,
        seeds=seeds,
        corpora=corpora,
        reference=np.full((len(seeds), len(corpora)), np.nan),
        scores=np.full((len(ablations), len(seeds), len(corpora)), np.nan),
    )
    place_of_corpus = {corpus.name: place for place, corpus in enumerate(corpora)}
    place_of_seed = {seed: place for place, seed in enumerate(seeds)}
    place_of_ablation = {ablation: place for place, ablation in enumerate(ablations)}
    for table in (reference, ablated):
        for init, window, seed, corpus, score in table.select(
            "init", "window", "seed", "corpus", "score"
        ).iter_rows():
            if seed not in place_of_seed or corpus not in place_of_corpus:
                continue
            array = (
                arrays.reference
                if window == REF
                else arrays.scores[place_of_ablation[init, window]]
            )
            place = place_of_seed[seed], place_of_corpus[corpus]
            if not np.isnan(array[place]):
                raise StoreError(
                    f"Two results have the window {window} and seed {seed} on {corpus}, so that "
                    "no effect is defined. Use a store for each."
                )
            array[place] = score
    return arrays


def _scheme(corpus: str, task: str) -> str | None:
    try:
        return scheme_of(parse_corpus(corpus), task)
    except DataError:  # a path that is not on this machine
        return None


def _size(row: dict[str, object]) -> int:
    unit = "words" if row["metric"] in PER_WORD else "sentences"
    size = row.get(unit)
    return size if isinstance(size, int) and size > 0 else UNKNOWN_SIZE
