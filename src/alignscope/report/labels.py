"""Names and numbers as figures, tables and pages show them."""

from collections import Counter
from collections.abc import Iterable, Sequence

from alignscope.config.registry import MEASURE_INFO, TASK_INFO
from alignscope.data.corpus import parse_corpus
from alignscope.errors import DataError

MINUS = "−"
ESTIMATORS = {"debiased": ", debiased", "biased": ", biased", "plain": ""}


def task_label(task: str) -> str:
    """Return the title of a task: ``POS tagging`` for ``pos``."""
    return TASK_INFO.title(task)


def metric_label(metric: str, task: str) -> str:
    """Return the title of a task's metric: ``LAS`` for ``las``."""
    metrics = TASK_INFO[task].metrics if task in TASK_INFO else {}
    return metrics.get(metric, metric)


def measure_label(name: str, estimator: str) -> str:
    """Return the title of a measure with its estimator: ``linear CKA, debiased``."""
    return measure_title(name) + ESTIMATORS.get(estimator, f", {estimator}")


def measure_title(name: str) -> str:
    """Return the title of a measure: ``linear CKA`` for ``cka``."""
    return MEASURE_INFO[name].title if name in MEASURE_INFO else name


def corpus_label(corpus: str) -> str:
    """Return the name of a corpus without its collection or folder: ``en_ewt``, ``vesti/news``."""
    try:
        return parse_corpus(corpus).treebank
    except DataError:  # a path that does not exist on this machine
        return corpus.rstrip("/").split("/")[-1] or corpus


def corpus_labels(corpora: Iterable[str]) -> dict[str, str]:
    """Return the language of each corpus, or more of its name where two have one language.

    >>> corpus_labels(["ud:de_pud", "ud:en_ewt", "ud:en_pud"])
    {'ud:de_pud': 'de', 'ud:en_ewt': 'en_ewt', 'ud:en_pud': 'en_pud'}
    """
    corpora = list(dict.fromkeys(corpora))
    try:
        language = {corpus: parse_corpus(corpus).language for corpus in corpora}
    except DataError:
        language = {corpus: corpus_label(corpus) for corpus in corpora}
    counts = Counter(language.values())
    names = {c: language[c] if counts[language[c]] == 1 else corpus_label(c) for c in corpora}
    return names if len({*names.values()}) == len(corpora) else {c: c for c in corpora}


def format_points(fraction: float, *, signed: bool = True) -> str:
    """Return a fraction in points: ``−12.3`` for −0.123."""
    return f"{100 * fraction:{'+' if signed else ''}z.1f}".replace("-", MINUS)


def format_number(value: float) -> str:
    """Return a number with three decimals: ``−0.512``."""
    return f"{value:z.3f}".replace("-", MINUS)


def format_points_ci(value: float, low: float | None, high: float | None) -> str:
    """Return ``−31.0 [−32.5, −29.5]``, or only the value if there is no interval."""
    return format_points(value) + (
        "" if low is None or high is None else f" [{format_points(low)}, {format_points(high)}]"
    )


def format_ci(value: float, low: float | None, high: float | None) -> str:
    """Return ``−0.512 [−0.801, −0.004]``, or only the value if there is no interval."""
    return format_number(value) + (
        "" if low is None or high is None else f" [{format_number(low)}, {format_number(high)}]"
    )


def format_p(value: float | None) -> str:
    """Return a p-value with three decimals, never as 0; empty text for None."""
    if value is None:
        return ""
    return f"{value:.3f}" if value >= 0.001 else "<0.001"


def equals_p(value: float) -> str:
    """Return a p-value as an equation: ``p = 0.120`` or ``p < 0.001``."""
    return f"p = {value:.3f}" if value >= 0.001 else "p < 0.001"


def count_of(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun.

    >>> count_of(1, "epoch"), count_of(3, "epoch"), count_of(2, "corpus", "corpora")
    ('1 epoch', '3 epochs', '2 corpora')
    """
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def join_names(names: Iterable[str]) -> str:
    """Return ``a, b and c``, each name once."""
    unique: Sequence[str] = list(dict.fromkeys(names))
    return " and ".join([", ".join(unique[:-1]), unique[-1]] if len(unique) > 1 else unique)
