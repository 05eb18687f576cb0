"""What things are called in figures and on pages."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from alignscope.config.registry import TASK_INFO
from alignscope.config.run import RunSpec
from alignscope.data.corpus import parse_corpus
from alignscope.errors import DataError
from alignscope.report.files import file_name
from alignscope.results.tables import primary_metrics

MINUS = "−"
MEASURES = {
    "cka": "linear CKA",
    "cka-rbf": "RBF CKA",
    "anc": "average neuron-wise correlation",
    "retrieval": "translation retrieval, precision at 1",
    "mutual": "mutual nearest neighbours",
    "cosine": "cosine, language means taken off",
    "svcca": "SVCCA",
    "pwcca": "PWCCA",
    "procrustes": "Procrustes",
    "rsa": "RSA",
}
ESTIMATORS = {"debiased": ", debiased", "biased": ", biased", "plain": ""}


@dataclass(frozen=True, order=True)
class ResultGroup:
    """An encoder fine-tuned on one source for one task, seen in one metric."""

    encoder: str
    task: str
    metric: str
    source: str
    several: bool = False
    """Whether there are other encoders beside it, so that it must be named."""

    @property
    def title(self) -> str:
        """``POS tagging · en_ewt``, with the encoder before it where there are several."""
        parts = [TASK_INFO.title(self.task), corpus_label(self.source)]
        return " · ".join([self.encoder, *parts] if self.several else parts)

    @property
    def unit(self) -> str:
        """The metric, as on an axis."""
        return metric_title(self.task, self.metric)

    def of(self, table: pl.DataFrame) -> pl.DataFrame:
        """Keep the rows of a table that are of this setting, as far as it has its columns."""
        own = {name: value for name, value in vars(self).items() if name in table.columns}
        return table.filter(**own)

    def owns(self, run: RunSpec) -> bool:
        """Whether a run is of this setting."""
        own = (self.encoder, self.task, self.source)
        return own == (run.encoder.label, run.task, run.source)

    def file(self, kind: str, *more: str) -> str:
        """A name for a file: ``heat-bert-pos-ud-en_ewt``."""
        return file_name(kind, self.encoder, self.task, self.source, *more)


def result_groups(scores: pl.DataFrame) -> list[ResultGroup]:
    """The settings of a study, each in the first metric of its task; tasks in their order."""
    first = primary_metrics(scores)
    rows = scores.select("encoder", "task", "source").unique(maintain_order=True).rows()
    several = len({encoder for encoder, _, _ in rows}) > 1
    return [
        ResultGroup(encoder, task, first[task], source, several) for encoder, task, source in rows
    ]


def metric_title(task: str, metric: str) -> str:
    """Return the title of a task's metric: ``LAS``."""
    titles = TASK_INFO[task].metrics if task in TASK_INFO else {}
    return titles.get(metric, metric)


def measure_label(name: str, estimator: str) -> str:
    """``linear CKA, debiased``."""
    return MEASURES.get(name, name) + ESTIMATORS.get(estimator, f", {estimator}")


def corpus_label(corpus: str) -> str:
    """A corpus without where it is from: ``en_ewt``, ``vesti/news``."""
    try:
        return parse_corpus(corpus).treebank
    except DataError:  # a path that is not on this machine
        return corpus


def corpus_labels(corpora: Iterable[str]) -> dict[str, str]:
    """Corpora by their language, or by more of their name where two are of one language.

    >>> corpus_labels(["ud:de_pud", "ud:en_ewt", "ud:en_pud"])
    {'ud:de_pud': 'de', 'ud:en_ewt': 'en_ewt', 'ud:en_pud': 'en_pud'}
    """
    corpora = list(dict.fromkeys(corpora))
    try:
        language = {corpus: parse_corpus(corpus).language for corpus in corpora}
    except DataError:
        language = {corpus: corpus for corpus in corpora}
    counts = Counter(language.values())
    names = {c: language[c] if counts[language[c]] == 1 else corpus_label(c) for c in corpora}
    return names if len({*names.values()}) == len(corpora) else {c: c for c in corpora}


def format_points(fraction: float, *, signed: bool = True) -> str:
    """``−12.3`` of −0.123."""
    return f"{100 * fraction:{'+' if signed else ''}z.1f}".replace("-", MINUS)


def format_number(value: float) -> str:
    """``−0.512``."""
    return f"{value:z.3f}".replace("-", MINUS)


def format_points_ci(value: float, low: float | None, high: float | None) -> str:
    """``−31.0 [−32.5, −29.5]``, without ends where there are none."""
    return format_points(value) + (
        "" if low is None or high is None else f" [{format_points(low)}, {format_points(high)}]"
    )


def format_ci(value: float, low: float | None, high: float | None) -> str:
    """``−0.512 [−0.801, −0.004]``, without ends where there are none."""
    return format_number(value) + (
        "" if low is None or high is None else f" [{format_number(low)}, {format_number(high)}]"
    )


def format_p(value: float | None) -> str:
    """A p-value as it is printed: three digits, and never a plain 0."""
    if value is None:
        return ""
    return f"{value:.3f}" if value >= 0.001 else "<0.001"
