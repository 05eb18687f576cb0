"""The Methods section of a study, in paragraphs that a paper can take over."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial

import polars as pl

from alignscope._util.text import format_duration
from alignscope.analysis.results import StudyResults
from alignscope.config.grid import setting_names
from alignscope.config.registry import TASK_INFO
from alignscope.config.run import Init, RunSpec
from alignscope.data.corpus import parse_corpus, scheme_of
from alignscope.errors import DataError
from alignscope.report.groups import short_names
from alignscope.report.labels import (
    corpus_label,
    count_of,
    join_names,
    task_label,
)
from alignscope.report.similarity_text import describe_similarity
from alignscope.report.tables.provenance import versions_of
from alignscope.report.training_methods import describe_training
from alignscope.results.schemas import RUN_SIMILARITY, to_frame

Key = tuple[str, str, str]
"""Encoder name, task and source."""

BIBTEX = """\
@inproceedings{muller-etal-2021-first,
  title = {First Align, then Predict: Understanding the Cross-Lingual Ability of Multilingual BERT},
  author = {Muller, Benjamin and Elazar, Yanai and Sagot, Beno{\\^i}t and Seddah, Djam{\\'e}},
  booktitle = {Proceedings of the 16th Conference of the European Chapter of the Association for
               Computational Linguistics (EACL)},
  year = {2021}
}

@software{alignscope,
  title = {AlignScope},
  author = {{The AlignScope developers}},
  version = {VERSION}
}
"""


def describe_methods(results: StudyResults, study: str) -> list[str]:
    """Return paragraphs for a paper: procedure, settings, evaluation, statistics and software.

    Args:
        results: the results to describe.
        study: the name of the study, for the command that reproduces it.
    """
    runs = [outcome.run for outcome in results.outcomes if not outcome.run.supervised]
    if not runs:
        return ["No run is done yet."]
    names = short_names(results)
    compared = [run for run in runs if run.similarity is not None]
    describe = partial(_by_group, names)
    rows = results.similarity if results.compared else to_frame([], RUN_SIMILARITY)
    return [
        _ablation(runs, names),
        *describe(runs, "Runs", _grid),
        *describe(runs, "Training", describe_training),
        _SELECTION,
        *describe(runs, "Evaluation", partial(_evaluation, results.scores)),
        *_ceiling(results),
        _statistics(runs),
        *(describe(compared, "Similarity", partial(_similarity, rows)) if compared else ()),
        _software(results),
        _reproduction(study),
    ]


def bibtex(results: StudyResults) -> str:
    """Return BibTeX entries for the method and the software."""
    return BIBTEX.replace("VERSION", join_names(_alignscope_versions(results)) or "unknown")


def _alignscope_versions(results: StudyResults) -> list[str]:
    versions = (outcome.provenance.get("alignscope") for outcome in results.outcomes)
    return [str(version) for version in dict.fromkeys(versions) if version]


def _ablation(runs: Sequence[RunSpec], names: dict[str, str]) -> str:
    encoders = join_names(f"{names[run.encoder.label]} ({_identity(run)})" for run in runs)
    controls = any(run.init not in ("config", "torch-default", None) for run in runs)
    changed = (
        "re-initialised, or disabled otherwise as a control," if controls else "re-initialised"
    )
    alike = " and setting" if any(setting_names(runs).values()) else ""
    kept = ", except for frozen windows," if any(run.freeze for run in runs) else ""
    return (
        f"Following Muller et al. (2021), windows of blocks of {encoders} were {changed} and "
        f"the whole encoder{kept} was then fine-tuned on one source language. REF is the encoder "
        f"fine-tuned without re-initialisation. Runs of one seed{alike} share the initial weights "
        "of the head, the order of the data and dropout, and differ only in the window. The study "
        f"comprises {count_of(len(runs), 'fine-tuning run')}."
    )


def _identity(run: RunSpec) -> str:
    """Return the name and revision on the hub, or the start of a folder's checksum."""
    return run.identity[:23] if run.identity.startswith("sha256:") else run.identity


def _by_group(
    names: dict[str, str],
    runs: Iterable[RunSpec],
    title: str,
    describe: Callable[[list[RunSpec]], str],
) -> list[str]:
    """Describe every encoder, task and source; those with one description share a clause."""
    groups: dict[Key, list[RunSpec]] = {}
    for run in runs:
        key = (names[run.encoder.label], run.task, run.source)
        groups.setdefault(key, []).append(run)
    clauses: dict[str, list[Key]] = {}
    for key, group in groups.items():
        clauses.setdefault(describe(group), []).append(key)
    if not clauses:
        return []
    if len(clauses) == 1:
        return [f"{title}: {next(iter(clauses))}."]
    several = len({encoder for encoder, _, _ in groups}) > 1
    texts = [f"{_subject(keys, several)}: {clause}" for clause, keys in clauses.items()]
    return [f"{title}. {'; '.join(texts)}."]


def _subject(keys: Sequence[Key], several_encoders: bool) -> str:
    return join_names(
        f"{f'{encoder}, ' if several_encoders else ''}{task_label(task)} from "
        f"{corpus_label(source)}"
        for encoder, task, source in keys
    )


def _grid(runs: list[RunSpec]) -> str:
    windows = [run for run in runs if run.window]
    seeds = sorted({run.seed for run in runs})
    seed_list = join_names(map(str, seeds))
    seed_text = f"{'seed' if len(seeds) == 1 else 'seeds'} {seed_list} (n = {len(seeds)})"
    if not windows:
        return f"no window, {seed_text}"
    adapters = ", adapters kept" if any(run.adapters == "keep" for run in windows) else ""
    treatments = ", or ".join(dict.fromkeys(map(_treatment, windows)))
    names = list(dict.fromkeys(str(run.window) for run in windows))
    noun = "window" if len(names) == 1 else "windows"
    return f"{noun} {join_names(names)}, {treatments}{adapters}, {seed_text}"


_TREATMENTS: Mapping[Init, str] = {
    "config": "re-initialised by the encoder's own initialiser",
    "torch-default": "re-initialised by PyTorch's default",
    "matched": "re-initialised from normal distributions with the mean and standard deviation of "
    "each pretrained tensor",
    "permuted": "with the weights permuted within each pretrained tensor",
    "skip": "skipped, so that hidden states pass unchanged",
}


def _treatment(run: RunSpec) -> str:
    """Return in words what was done to the window of a run."""
    assert run.init is not None
    return _TREATMENTS[run.init] + (" and frozen during fine-tuning" if run.freeze else "")


_SELECTION = (
    "The epoch was selected on the dev split of the source by the first metric of the task. No "
    "target was used before evaluation on its test split."
)


def _evaluation(scores: pl.DataFrame, runs: list[RunSpec]) -> str:
    run = runs[0]
    rows = scores.filter(encoder=run.encoder.label, task=run.task, source=run.source)
    relations = Counter(rows.unique("corpus")["relation"])
    domains = relations["cross-domain"]
    other = "1 corpus of another domain" if domains == 1 else f"{domains} corpora of other domains"
    targets = count_of(relations["cross-lingual"], "target corpus", "target corpora")
    if (mixed := len(_target_schemes(rows, run.task))) > 1:
        targets += f" in {mixed} annotation schemes"
    if not (schemes := relations["cross-scheme"]):
        return f"{targets}, zero-shot, and {other}"
    apart = count_of(schemes, "corpus", "corpora")
    return f"{targets}, zero-shot, {other}, and {apart} of another annotation scheme"


def _ceiling(results: StudyResults) -> list[str]:
    """Return a sentence on the supervised runs, if there are any."""
    supervised = [outcome.run for outcome in results.outcomes if outcome.run.supervised]
    if not supervised:
        return []
    corpora = join_names(corpus_label(run.source) for run in supervised)
    return [
        f"As a ceiling of transfer, the encoder was also fine-tuned without re-initialisation on "
        f"{corpora} ({count_of(len(supervised), 'run')}), with the same hyperparameters, and "
        "evaluated on the targets in that language."
    ]


def _target_schemes(rows: pl.DataFrame, task: str) -> set[str]:
    """Return the annotation schemes of the targets, as far as their names can be read."""
    schemes = set()
    for name in rows.filter(relation="cross-lingual")["corpus"].unique():
        with suppress(DataError):
            schemes.add(scheme_of(parse_corpus(name), task))
    return schemes


def _statistics(runs: Sequence[RunSpec]) -> str:
    tasks = dict.fromkeys(run.task for run in runs)
    scoring = [TASK_INFO[task].scoring for task in tasks if task in TASK_INFO]
    clauses = ", ".join(filter(None, scoring))
    same = " in the same setting" if any(setting_names(runs).values()) else ""
    metrics = f"{clauses[0].upper()}{clauses[1:]}. " if clauses else ""
    return (
        f"{metrics}Effects are differences from REF{same}, paired by seed and corpus. Two readings "
        "have 95 % CIs. For these languages, corpora are averaged within their language, and only "
        "seeds are a sample. "
        "For languages like these, languages are averaged within their genus and "
        "genera within their family, and families are a sample, too (two-way random effects; "
        "Satterthwaite 1946). Variances over seeds are moderated across windows (Smyth 2004; "
        "Phipson et al. 2016). The p-values are corrected after Holm (1979). Targets and source "
        "are compared in the same domain where the source language has a corpus in it, and a "
        "verdict needs the same sign in points and in log odds. The boundary is the least-squares "
        "change point (Hinkley 1970) of target − source effects over the windows; its distribution "
        "comes from resampled seeds and families."
    )


def _similarity(similarity: pl.DataFrame, runs: list[RunSpec]) -> str:
    (config, *_) = [run.similarity for run in runs if run.similarity is not None]
    rows = similarity.filter(pl.col("address").is_in([run.address for run in runs]))
    return (
        f"{describe_similarity(config, rows)}; correlations with the gap are Spearman's, adjusted "
        "for genus and family by phylogenetic generalised least squares on ranks (Grafen 1989), "
        "averaged over correlations within families and genera by their restricted likelihood, "
        "with intervals after Bonett & Wright (2000)"
    )


def _software(results: StudyResults) -> str:
    records = [outcome.provenance for outcome in results.outcomes]
    versions = join_names(filter(None, (", ".join(versions_of(record)) for record in records)))
    devices = join_names(str(record["device"]) for record in records if record.get("device"))
    precisions = join_names(
        str(record["precision"]) for record in records if record.get("precision")
    )
    seconds = sum(record.get("seconds") or 0.0 for record in records)
    parts = [f"with {versions}" * bool(versions), f"on {devices}" * bool(devices)]
    parts.append(f"in {precisions}" * bool(precisions))
    text = ", ".join(filter(None, parts)) or "with unknown software"
    return f"The runs were executed {text}. Computing time: {format_duration(seconds)} in total."


def _reproduction(study: str) -> str:
    return (
        f"To reproduce the study {study} from its study file STUDY.toml: alignscope run STUDY.toml "
        "--store results, then alignscope report STUDY.toml --store results. The section "
        "Provenance lists all runs with their addresses and all data files with their checksums."
    )
