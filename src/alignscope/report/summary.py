"""What a study found, and how it was done, in sentences."""

from collections import Counter
from collections.abc import Iterable, Sequence

import polars as pl

from alignscope.analysis.findings import Findings, Leading
from alignscope.report.labels import MEASURES, TASKS, Setting, points, settings_of, treebank
from alignscope.report.sheets import versions_of
from alignscope.study import Run, Training

LEAD = (
    "Blocks whose loss costs other languages much more than the source language align "
    "languages; where such blocks end, prediction begins."
)
FEW = (
    "Correlations are over as many points as there are target languages: with 17, only those "
    "beyond ±0.5 are told from none. Read the intervals."
)


def state_of(found: Findings) -> str:
    """How much of a study is done."""
    counts = Counter(found.runs["status"])
    total, done = len(found.runs), counts["done"]
    if done == total:
        return f"All {total} runs are done."
    left = [f"{counts[state]} {state}" for state in ("failed", "missing") if counts[state]]
    return (
        f"{done} of {total} runs are done ({', '.join(left)}): what follows is of those that are "
        "done, and may change."
    )


def summary_of(found: Leading) -> list[str]:
    """A sentence or two for each setting, then one on the claims."""
    said = [text for setting in settings_of(found.scores) for text in _of_setting(found, setting)]
    verdicts = Counter(found.claims["verdict"])
    if verdicts:
        counted = ", ".join(
            f"{verdicts[name]} {name}" for name in ("supported", "contradicted", "undecided")
        )
        said.append(f"Of {sum(verdicts.values())} verdicts on the paper's claims: {counted}.")
    return said


def _of_setting(found: Findings, setting: Setting) -> Iterable[str]:
    effects = setting.of(found.intervals)
    for (init,), table in effects.group_by("init", maintain_order=True):
        means = table.filter(pl.col("on") == "targets")
        if means.is_empty():
            continue
        worst = means.sort("mean").row(0, named=True)
        source = table.filter(window=worst["window"], on="source")
        whose = f"{_named(setting)}{_init(str(init), effects)}"
        own = f", the source {_change(source.row(0, named=True))}" if len(source) else ""
        count = worst["corpora"]
        targets = f"the {count} targets" if count > 1 else "the target"
        if worst["mean"] >= 0:
            yield f"{whose}: no window costs {targets} anything in the mean."
            continue
        yield (
            f"{whose}: without what blocks {worst['window']} have learnt, {targets} "
            f"{_change(worst)}{own}. {_boundary(found, setting, str(init))}"
        )
    if effects.is_empty():
        yield f"{_named(setting)}: no window is done together with its REF yet."


def _named(setting: Setting) -> str:
    task = TASKS.get(setting.task, setting.task)
    return f"{setting.encoder}, {task} from {treebank(setting.source)} ({setting.unit})"


def _init(init: str, effects: pl.DataFrame) -> str:
    return f", initialised by {init}" if effects["init"].n_unique() > 1 else ""


def _change(row: dict[str, float | None]) -> str:
    """``lose 15.2 points [10.3, 20.0]``."""
    mean, low, high = row["mean"] or 0.0, row["low"], row["high"]
    verb, sign = ("lose", -1) if mean < 0 else ("gain", 1)
    ends = sorted(sign * end for end in (low, high) if end is not None)
    between = f" [{', '.join(points(end, signed=False) for end in ends)}]" if ends else ""
    ending = "s" if row["corpora"] == 1 else ""
    return f"{verb}{ending} {points(abs(mean), signed=False)} points{between}"


def _boundary(found: Findings, setting: Setting, init: str) -> str:
    rows = setting.of(found.boundaries).filter(init=init)
    if rows.is_empty():
        return ""
    row = rows.row(0, named=True)
    if row["block"] is None:
        return f"Where alignment ends cannot be told ({row['reason']})."
    return (
        f"Prediction begins at block {row['block']} (95 % of resamples: {row['low']} to "
        f"{row['high']})."
    )


def methods_of(found: Findings) -> list[str]:
    """Paragraphs that a paper can take over: what was done, how it was evaluated, with what."""
    runs = [outcome.run for outcome in found.outcomes]
    if not runs:
        return ["No run is done yet."]
    return [_ablation(runs), _training(runs), _statistics(found), *_similarity(runs), _made(found)]


def _ablation(runs: Sequence[Run]) -> str:
    encoders = _list(f"{run.encoder.label} ({run.identity[:23]})" for run in runs)
    windows = _list(run.window for run in runs if run.window)
    ways = {"config": "the encoder's own initialiser", "torch-default": "PyTorch's default"}
    inits = _list(ways.get(str(run.init), str(run.init)) for run in runs if run.window)
    tasks = _list(TASKS.get(run.task, run.task) for run in runs)
    sources = _list(run.source for run in runs)
    seeds = _list(str(run.seed) for run in runs)
    windowed = f"Windows of blocks ({windows}) of {encoders} were re-initialised with {inits}"
    return (
        f"{windowed if windows else f'{encoders} was left as it was'}, following Muller et al. "
        f"(2021), and everything was fine-tuned for {tasks} on {sources}. "
        f"REF is the same without a window. Seeds {seeds} (n = {len({run.seed for run in runs})}); "
        "runs of one seed share the head's weights, the order of the data and dropout, and differ "
        f"in the window. In all {len(runs)} fine-tunings."
    )


def _training(runs: Sequence[Run]) -> str:
    ways: dict[Training, list[str]] = {}
    for run in runs:
        tasks = ways.setdefault(run.training, [])
        if run.task not in tasks:
            tasks.append(run.task)
    told = [
        (f"{_list(TASKS.get(task, task) for task in tasks)}: " if len(ways) > 1 else "")
        + f"{way.epochs} epochs of AdamW, learning rate {way.learning_rate:g} for the encoder and "
        f"{way.head_learning_rate:g} for the head, {100 * way.warmup:g} % warm-up and decay, "
        f"weight decay {way.weight_decay:g}, gradients clipped at {way.clip:g}, batches of "
        f"{way.batch_pieces} sub-words"
        for way, tasks in ways.items()
    ]
    limits = _list(
        f"{name} at most {count}"
        for run in runs
        for name, count in run.limits.model_dump().items()
        if count is not None
    )
    return (
        f"Training: {'; '.join(told)}. "
        + (f"Sentences: {limits}. " if limits else "")
        + "The epoch was selected on the source's dev split, in the task's first metric; no target "
        "was seen before evaluation on its test split."
    )


def _statistics(found: Findings) -> str:
    relations = found.scores.select("corpus", "relation").unique()
    counts = Counter(relations["relation"])
    return (
        f"Evaluation: {counts['cross-lingual']} target corpora zero-shot and "
        f"{counts['cross-domain']} of other domains. Effects are differences from REF, paired by "
        "seed and corpus; 95 % intervals and p-values take seeds and corpora for samples (two-way "
        "random effects; variances recovered after Zou & Donner 2008), p-values are corrected "
        "after Holm (1979). The boundary is the least-squares change point (Hinkley 1970) of "
        "target − source effects over the windows, with its distribution over resampled seeds and "
        "corpora. POS tagging is scored by accuracy over words, parsing by LAS and UAS with "
        "punctuation and without subtypes, named entities by span F1."
    )


def _similarity(runs: Sequence[Run]) -> list[str]:
    asked = list({run.similarity for run in runs if run.similarity is not None})
    if not asked:
        return []
    one = asked[0]
    measures = _list(MEASURES.get(name, name) for name in one.measures)
    limit = "all" if one.limit is None else f"{one.limit}"
    return [
        f"Similarity: {measures} of {limit} parallel {one.unit}s in {len(one.corpora)} corpora "
        f"({one.split} split, {one.pooling}-pooled), CKA (Kornblith et al. 2019) in its debiased "
        "estimate (Song et al. 2012; Nguyen et al. 2021), beside what random pairs give. "
        "Correlations with the gap are Spearman's with intervals after Bonett & Wright (2000) and "
        "permutation p-values."
    ]


def _made(found: Findings) -> str:
    with_what = _list(", ".join(versions_of(o.provenance)) for o in found.outcomes)
    where = _list(str(o.provenance.get("device", "unknown device")) for o in found.outcomes)
    precisions = _list(str(o.provenance.get("precision")) for o in found.outcomes)
    seconds = sum(o.provenance.get("seconds") or 0.0 for o in found.outcomes)
    return f"Made with {with_what}, on {where}, in {precisions}; {seconds / 3600:.1f} hours in all."


def _list(names: Iterable[str]) -> str:
    """``a, b and c``, each once."""
    found = list(dict.fromkeys(names))
    return " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)
