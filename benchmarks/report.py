"""The report of a large study, 315 fine-tunings × 20 languages: seconds of the whole and its parts.

    python benchmarks/report.py [--seeds 5] [--layers 13] [--keep FOLDER]

The results are random scores and similarities with a planted boundary, in the shape of the paper's
full grid: 3 tasks × 3 sources × (REF + 6 windows) × 5 seeds, and the similarity of REF's runs. The
output contains the seconds of the whole command in a process of its own, and of its parts.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import alignscope as al
from alignscope.analysis.results import PrimaryResults
from alignscope.config.grid import EncoderInfo, expand
from alignscope.config.run import RunSpec
from alignscope.data.corpus import parse_corpus, relation_between
from alignscope.results.store import ResultStore, RunResult

LANGUAGES = (
    *("en", "ru", "ar", "cs", "de", "es", "fi", "fr", "hi", "id"),
    *("is", "it", "ja", "ko", "pl", "pt", "sv", "th", "tr", "zh"),
)
METRICS = {"pos": ["accuracy"], "parsing": ["las", "uas"], "ner": ["f1", "f1_strict"]}


def study_of(seeds: int) -> str:
    """Return the study as a study file."""
    targets = ", ".join(f'"ud:{name}_pud"' for name in LANGUAGES)
    head = f"""
        name = "large"
        encoders = ["a-large-encoder"]
        seeds = {list(range(seeds))}
        windows = ["0-1", "2-3", "4-5", "6-7", "8-9", "10-11"]
        [training]
        learning_rate = 5e-5
        [similarity]
        corpora = [{targets}]
    """
    grid = f"""
        sources = ["ud:en_ewt", "ud:ru_gsd", "ud:ar_padt"]
        targets = [{targets}]
        domains = ["ud:en_gum", "ud:en_lines", "ud:ru_taiga", "ud:ru_syntagrus", "ud:ar_nyuad"]
    """
    return head + "".join(f"[tasks.{task}]\n{grid}\n" for task in METRICS)


def random_result(run: RunSpec, layers: int, draw: np.random.Generator) -> RunResult:
    """Return a random result: re-initialising blocks below 4 costs other languages 20 points."""
    own = f"ud:{parse_corpus(run.source).language}_pud"
    low = run.window is not None and int(run.window.split("-")[0]) < 4
    scores = []
    for name in run.evaluated:
        relation = relation_between(parse_corpus(run.source), parse_corpus(name), run.task)
        far = 0.0 if relation == "in-domain" else 0.2
        cost = 0.2 if low and relation == "cross-lingual" else 0.01
        scores += [
            {"corpus": name, "split": "test", "language": parse_corpus(name).language,
             "relation": relation, "metric": metric,
             "score": float(np.clip(0.9 - far - cost + 0.02 * draw.normal(), 0, 1)),
             "majority": 0.2, "sentences": 1000, "words": 20000, "windowed": 0, "cut": 0,
             "unknown": 0}
            for metric in METRICS[run.task]
        ]  # fmt: skip
    words = ["word"] * 20
    examples = [
        {"corpus": name, "sentence": "1", "words": words, "gold": words, "predicted": words}
        for name in run.evaluated
    ]
    epochs = [{"epoch": 1, "loss": 0.1, "dev_score": 0.9, "steps": 5}]
    about = {"precision": "bf16", "encoder": {"resolved": "0" * 40}, "seconds": 1.0, "data": {}}
    similarity = [] if run.window else list(random_similarity(run, own, layers, draw))
    return RunResult(run, scores, epochs, about, similarity, examples)


def random_similarity(
    run: RunSpec, own: str, layers: int, draw: np.random.Generator
) -> Iterator[dict[str, object]]:
    """Yield similarities in three states, by layer."""
    assert run.similarity is not None
    kinds = (("cka", "debiased"), ("cka", "biased"), ("retrieval", "plain"))
    for state in ("fine-tuned", "pretrained", "drift"):
        for target in run.similarity.corpora:
            if target == own and state != "drift":
                continue
            for layer in range(layers):
                for measure, estimator in kinds:
                    value = float(np.clip(0.6 + 0.1 * draw.normal(), 0, 1))
                    yield {
                        "state": state, "corpus": target if state == "drift" else own,
                        "split": "test", "unit": "sentence", "pooling": "mean", "target": target,
                        "layer": layer, "after_norm": False, "n": 1000, "measure": measure,
                        "estimator": estimator, "value": value, "low": value - 0.02,
                        "high": value + 0.02, "null_low": -0.01, "null_high": 0.01,
                    }  # fmt: skip


def fill(folder: Path, seeds: int, layers: int) -> None:
    """Write the study and its store."""
    (folder / "study.toml").write_text(study_of(seeds))
    study = al.Study.from_toml(folder / "study.toml")
    planned = expand(study, lambda encoder: EncoderInfo("hub:1", layers - 1))
    store, draw = ResultStore(folder / "results"), np.random.default_rng(1)
    for run in planned:
        store.save(random_result(run, layers, draw))
    store.save_plan(study, planned)


def time_command(folder: Path) -> float:
    """Return the seconds of the whole command."""
    start = time.monotonic()
    study, store = str(folder / "study.toml"), str(folder / "results")
    options = ["report", study, "--store", store, "--out", str(folder / "report.html")]
    code = "from alignscope.cli import main; main()"
    subprocess.run([sys.executable, "-c", code, *options], check=True, capture_output=True)
    return time.monotonic() - start


def time_parts(folder: Path) -> Iterator[tuple[str, float]]:
    """Yield each part and its seconds, one after another in this process."""
    study = al.Study.from_toml(folder / "study.toml")
    start = time.monotonic()
    results = al.load_results(folder / "results", study)
    primary = PrimaryResults(results)  # the tables that the page shows: one metric for each task
    yield "reading", time.monotonic() - start
    for name in ("runs", "scores", "similarity", "effects", "boundaries", "gaps", "drift"):
        start = time.monotonic()
        primary.table(name)
        yield name, time.monotonic() - start
    start = time.monotonic()
    figures = list(results.figures.values())
    yield "figure data", time.monotonic() - start
    start = time.monotonic()
    for figure in figures:
        figure.inline()
    yield f"{len(figures)} figures", time.monotonic() - start


def main() -> None:
    """Print the seconds of a report and the size of its page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--layers", type=int, default=13)
    parser.add_argument("--keep", type=Path, help="Folder that keeps study and store.")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        fill(folder, arguments.seeds, arguments.layers)
        print(f"the command: {min(time_command(folder) for _ in range(3)):.1f} s (best of three)")
        size = (folder / "report.html").stat().st_size / 1e6
        print(f"the page: {size:.1f} MB")
        for name, seconds in time_parts(folder):
            print(f"  {name:12} {seconds:5.2f} s")


if __name__ == "__main__":
    main()
