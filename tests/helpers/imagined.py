"""A study with invented results: its lowest window costs other languages 20 points."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from alignscope.config.grid import EncoderInfo, expand
from alignscope.config.run import RunSpec
from alignscope.config.study import Study, read_study
from alignscope.config.windows import Window
from alignscope.data.corpus import parse_corpus, relation_between
from alignscope.results.counts import pack_counts
from alignscope.results.store import ResultStore, RunResult

STUDY = """
name = "imagined"
encoders = [{encoders}]
seeds = [1, 2, 3]
windows = ["0-1", "2-3", "4-5"]
[training]
learning_rate = 5e-5
{similarity}
[claims]
harmless = 0.2
[tasks.pos]
sources = ["synthetic:vesti/news"]
targets = [{names}]
domains = ["synthetic:vesti/chat"]
"""
LANGUAGES = ("vesti", "qadir", "ataru", "dorun", "hanbe", "lianu", "meruli")
WORDS = {
    "qadir": ("بيت", "أحمر", "."),
    "tamuz": ("בית", "אדום", "."),
    "lianu": ("房子", "红", "。"),
}


def study_text(encoders: str = '"embedded"', *, similarity: bool = True) -> str:
    names = ", ".join(f'"synthetic:{name}/news"' for name in LANGUAGES)
    similarity_section = f"[similarity]\ncorpora = [{names}]" if similarity else ""
    return STUDY.format(encoders=encoders, names=names, similarity=similarity_section)


def outcome(run: RunSpec, draw: np.random.Generator) -> RunResult:
    """Return an invented result of a run."""
    scores, examples = [], []
    for name in run.evaluated:
        relation = relation_between(parse_corpus(run.source), parse_corpus(name), run.task)
        cost = 0.2 if run.window == "0-1" and relation == "cross-lingual" else 0.0
        language = parse_corpus(name).language
        corpus = {"corpus": name, "language": language, "relation": relation}
        about = {"split": "test", "metric": "accuracy", "majority": 0.2, "sentences": 9}
        about |= {"words": 90, "windowed": 0, "cut": 0, "unknown": 0}
        scores.append({**corpus, **about, "score": 0.8 - cost + 0.01 * draw.normal()})
        words = list(WORDS.get(language, ("a", "red", "house")))
        labels = {"gold": ["NOUN", "ADJ", "PUNCT"], "predicted": ["NOUN", "NOUN", "PUNCT"]}
        examples.append({"corpus": name, "sentence": "1", "words": words, **labels})
    by_corpus = {row["corpus"]: row["score"] for row in scores}
    epochs = [
        {"epoch": epoch, "loss": 0.1, "dev_score": 0.9, "steps": 5 * epoch, "scores": by_corpus}
        for epoch in (1, 2)
    ]
    similarity = [] if run.similarity is None else compared(run, draw)
    counts = {name: pack_counts(np.array([[7, 9], [8, 9]])) for name in run.evaluated}
    return RunResult(
        run, scores, epochs, provenance(run), similarity, examples, counts, changes(run)
    )


def changes(run: RunSpec) -> list[dict[str, Any]]:
    """Return changes of three blocks, of which the upper two change more than noise."""
    draw = np.random.default_rng(run.seed)
    if run.similarity is None or run.window is not None:
        return []
    return [
        {"corpus": f"synthetic:{name}/news", "block": block, "weight_change": 0.04 + 0.02 * block,
         "output_change": 0.1 + 0.2 * block + 0.01 * draw.random(), "noise_weight_change": 0.05,
         "noise_output_change": 0.15, "sentences": 32, "tokens": 400}
        for name in LANGUAGES
        for block in range(3)
    ]  # fmt: skip


def provenance(run: RunSpec) -> dict[str, Any]:
    return {
        **{"alignscope": "0.1.0", "commit": "c0ffee", "python": "3.11.7", "seconds": 1.0},
        **{"versions": {"torch": "2.13.0"}, "device": "cpu (x86_64)", "precision": "fp32"},
        **{"started": "2026-01-02T03:04:05+00:00", "encoder": {"resolved": None}},
        "data": {f"{name}/test": "0" * 64 for name in run.evaluated},
        "strength": {"blocks": strengths(run)},
    }


def strengths(run: RunSpec) -> list[dict[str, Any]]:
    """Return how much each block of a window changes its input, before and after."""
    if run.window is None:
        return []
    return [
        {"block": block, "before": 0.4, "after": 0.1 + 0.01 * run.seed}
        for block in Window.parse(run.window).blocks
    ]


def compared(run: RunSpec, draw: np.random.Generator) -> list[dict[str, Any]]:
    """Return similarities that fall from layer to layer, for every state of the run."""
    rows, own = [], np.random.default_rng(run.seed)
    source, *targets = (f"synthetic:{name}/news" for name in LANGUAGES)
    for state in ("fine-tuned", *(("pretrained", "drift", "noise") if run.window is None else ())):
        for target in targets:
            for layer in range(3):
                about = {"split": "test", "unit": "sentence", "pooling": "mean", "n": 50}
                ends = {"low": 0.1, "high": 0.95, "null_low": -0.01, "null_high": 0.01}
                pair = {"state": state, "corpus": target if state in ("drift", "noise") else source}
                estimate = {"measure": "cka", "estimator": "debiased", "after_norm": False}
                normal = own.normal() if state == "noise" else draw.normal()
                value = 0.9 - 0.1 * layer + 0.02 * normal
                place = {"target": target, "layer": layer, "value": value}
                rows.append({**pair, **about, **estimate, **ends, **place})
    return rows


def build(
    folder: Path,
    text: str | None = None,
    change: Callable[[RunResult], RunResult | None] = lambda outcome: outcome,
) -> tuple[Study, ResultStore]:
    """Write ``study.toml`` and ``store``.

    Args:
        folder: the folder in which both are written.
        text: the study file; by default that of `study_text`.
        change: a function that changes a result, or returns None to omit it.
    """
    (folder / "study.toml").write_text(study_text() if text is None else text, encoding="utf-8")
    study = read_study(folder / "study.toml")
    planned = expand(study, lambda encoder: EncoderInfo(f"sha256:{encoder.name}", 8))
    store, draw = ResultStore(folder / "store"), np.random.default_rng(1)
    for run in planned:
        result = change(outcome(run, draw))
        if result is not None:
            store.save(result)
    store.save_plan(study, planned)
    return study, store
