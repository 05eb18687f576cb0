"""How a study was done, in paragraphs that a paper can take over."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import polars as pl

from alignscope.analysis.results import StudyResults
from alignscope.config.registry import TASK_INFO
from alignscope.config.run import RunSpec
from alignscope.report.labels import MEASURES
from alignscope.report.tables.tables import versions_of


def describe_methods(found: StudyResults) -> list[str]:
    """Paragraphs that a paper can take over: what was done, how it was evaluated, with what."""
    runs = [outcome.run for outcome in found.outcomes]
    if not runs:
        return ["No run is done yet."]
    return [
        _ablation(runs),
        *_each(runs, "Runs", _grid_of),
        *_each(runs, "TrainingConfig", _training_of),
        _SELECTION,
        *_each(runs, "Evaluation", partial(_evaluation_of, found.scores)),
        _statistics(runs),
        *_each([run for run in runs if run.similarity is not None], "Similarity", _similarity_of),
        _made(found),
    ]


def _ablation(runs: Sequence[RunSpec]) -> str:
    encoders = _list(f"{run.encoder.label} ({run.identity[:23]})" for run in runs)
    return (
        f"Following Muller et al. (2021), windows of blocks of {encoders} were given fresh weights "
        "and everything was fine-tuned on one language. REF is the same without a window. Runs of "
        "one seed share the head's weights, the order of the data and dropout, and differ in the "
        f"window. In all {len(runs)} fine-tunings."
    )


def _each(
    runs: Sequence[RunSpec], title: str, describe: Callable[[list[RunSpec]], str]
) -> list[str]:
    """Describe every encoder, task and source; those alike in one clause."""
    groups: dict[tuple[str, str, str], list[RunSpec]] = {}
    for run in runs:
        groups.setdefault((run.encoder.label, run.task, run.source), []).append(run)
    clauses: dict[str, list[tuple[str, str, str]]] = {}
    for key, own in groups.items():
        clauses.setdefault(describe(own), []).append(key)
    if not clauses:
        return []
    if len(clauses) == 1:
        return [f"{title}: {next(iter(clauses))}."]
    several = len({encoder for encoder, _, _ in groups}) > 1
    told = [f"{_whose(keys, several)}: {clause}" for clause, keys in clauses.items()]
    return [f"{title}. {'; '.join(told)}."]


def _whose(keys: Sequence[tuple[str, str, str]], several: bool) -> str:
    return _list(
        f"{f'{encoder}, ' if several else ''}{TASK_INFO.title(task)} from {source}"
        for encoder, task, source in keys
    )


def _grid_of(runs: list[RunSpec]) -> str:
    ways = {"config": "the encoder's own initialiser", "torch-default": "PyTorch's default"}
    windows = [run for run in runs if run.window]
    seeds = _list(str(seed) for seed in sorted({run.seed for run in runs}))
    count = len({run.seed for run in runs})
    told = f"seed{'s' if count > 1 else ''} {seeds} (n = {count})"
    if not windows:
        return f"no window, {told}"
    adapters = ", adapters kept" if any(run.adapters == "keep" for run in windows) else ""
    return (
        f"windows {_list(str(run.window) for run in windows)}, drawn by "
        f"{_list(ways.get(str(run.init), str(run.init)) for run in windows)}{adapters}, {told}"
    )


def _training_of(runs: list[RunSpec]) -> str:
    way, limits = runs[0].training, runs[0].limits
    few = [f"{n} {name}" for name, n in limits.model_dump().items() if n is not None]
    at_most = f", of at most {_list(few)} sentences" if few else ""
    return (
        f"{way.epochs} epochs of AdamW{at_most}, learning rate {way.learning_rate:g} for the "
        f"encoder and {way.head_learning_rate:g} for the head, linear warm-up over "
        f"{100 * way.warmup:g} % of the steps and linear decay, weight decay {way.weight_decay:g} "
        f"(none for vectors), gradients clipped at {way.max_grad_norm:g}, batches of "
        f"{way.tokens_per_batch} sub-words, inputs of at most {way.max_length}, a word being "
        f"{'the mean of its sub-words' if way.pooling == 'mean' else 'its first sub-word'}"
    )


_SELECTION = (
    "The epoch was selected on the source's dev split in the task's first metric; no target was "
    "seen before evaluation on its test split."
)


def _evaluation_of(scores: pl.DataFrame, runs: list[RunSpec]) -> str:
    one = runs[0]
    own = scores.filter(encoder=one.encoder.label, task=one.task, source=one.source)
    relations = Counter(own.unique("corpus")["relation"])
    return (
        f"{relations['cross-lingual']} target corpora zero-shot, "
        f"{relations['cross-domain']} of other domains"
    )


def _statistics(runs: Sequence[RunSpec]) -> str:
    tasks = [task for task in dict.fromkeys(run.task for run in runs) if task in TASK_INFO]
    scored = [TASK_INFO[task].scoring for task in tasks if TASK_INFO[task].scoring]
    told = f"{scored[0][0].upper()}{', '.join(scored)[1:]}. " if scored else ""
    return (
        f"{told}Effects are differences from REF, paired by seed and corpus; 95 % intervals and "
        "p-values take seeds and corpora for samples (two-way random effects; variances recovered "
        "after Zou & Donner 2008), p-values are corrected after Holm (1979). The boundary is the "
        "least-squares change point (Hinkley 1970) of target − source effects over the windows, "
        "with its distribution over resampled seeds and corpora."
    )


_CKA = (
    "; CKA (Kornblith et al. 2019) in its debiased estimate (Song et al. 2012; Nguyen et al. 2021)"
)


def _similarity_of(runs: list[RunSpec]) -> str:
    (asked, *_) = [run.similarity for run in runs if run.similarity is not None]
    measures = _list(MEASURES.get(name, name) for name in asked.measures)
    count = "all" if asked.limit is None else f"at most {asked.limit}"
    unit = "their aligned words" if asked.words else f"{asked.pooling}-pooled"
    cka = "cka" in asked.measures or "cka-rbf" in asked.measures
    cited = _CKA if cka else ""
    return (
        f"{measures} of {count} parallel sentences ({asked.split} split, {unit}) in "
        f"{len(asked.corpora)} corpora, beside what random pairs give{cited}; correlations with "
        "the gap are Spearman's with intervals after Bonett & Wright (2000) and permutation p"
    )


def _made(found: StudyResults) -> str:
    about = [outcome.provenance for outcome in found.outcomes]
    with_what = _list(filter(None, (", ".join(versions_of(one)) for one in about)))
    where = _list(str(one["device"]) for one in about if one.get("device"))
    precisions = _list(str(one["precision"]) for one in about if one.get("precision"))
    hours = sum(one.get("seconds") or 0.0 for one in about) / 3600
    told = [f"with {with_what}", f"on {where}", f"in {precisions}"]
    known = [part for part in told if not part.endswith(" ")]
    return f"Made {', '.join([*known, f'{hours:.1f} hours of computing in all'])}."


def _list(names: Iterable[str]) -> str:
    """``a, b and c``, each once."""
    found = list(dict.fromkeys(names))
    return " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)
