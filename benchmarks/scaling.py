"""Cost of a run as a function of sentences, blocks, hidden size and evaluated languages.

    python benchmarks/scaling.py [--out FILE]

The task is POS tagging on the synthetic languages with random BERTs, one epoch. Each axis is
doubled twice while the others are constant. The output contains the seconds of training and
evaluation, and the ratio to the previous size (2.0 is linear).
"""

import argparse
import json
import time
from pathlib import Path

import torch
from transformers import BertConfig, BertModel

from alignscope.config.run import TrainingConfig
from alignscope.data.corpora import load_corpus, subsample_evenly
from alignscope.data.corpus import parse_corpus
from alignscope.data.paths import DataPaths
from alignscope.data.synthetic.language import languages
from alignscope.encoders.load import load_tokenizer
from alignscope.encoders.tokenization import WordTokenizer
from alignscope.tasks import TASKS
from alignscope.training.encoded_task import EncodedTask
from alignscope.training.finetune import TrainingData, fine_tune_stacked
from alignscope.training.model import build_model
from alignscope.training.predict import predict_stacked
from alignscope.training.stacked.stack import StackedModel

BASELINE = {"sentences": 200, "blocks": 4, "hidden": 128, "languages": 4}
OFFLINE = DataPaths((), Path(), download=False)


def timed(sentences: int, blocks: int, hidden: int, languages_read: int) -> tuple[float, float]:
    """Return the seconds of training and of evaluation."""
    task, subwords = TASKS["pos"], WordTokenizer(load_tokenizer("embedded"), 64)
    train = subsample_evenly(
        load_corpus(parse_corpus("synthetic:vesti/news"), "train", OFFLINE), sentences
    )
    corpora = {
        name: subsample_evenly(
            load_corpus(parse_corpus(f"synthetic:{name}/news"), "test", OFFLINE), 100
        )
        for name in languages()[:languages_read]
    }
    config = BertConfig(
        vocab_size=12_000, num_hidden_layers=blocks, hidden_size=hidden,
        num_attention_heads=hidden // 32, intermediate_size=4 * hidden,
    )  # fmt: skip
    encoder, training = BertModel(config, add_pooling_layer=False), TrainingConfig(epochs=1)
    encoded = EncodedTask(task, task.labels(train), subwords, training)
    stack = StackedModel([build_model(encoder, task, encoded.labels, seed=1)])
    start = time.perf_counter()
    fine_tune_stacked(stack, encoded, TrainingData(train, train[:2]), seed=1)
    trained = time.perf_counter()
    predict_stacked(stack, [0], encoded, corpora)
    return trained - start, time.perf_counter() - trained


def main() -> None:
    """Print a table of ratios and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="JSON file to write.")
    arguments = parser.parse_args()
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}")
    timed(*BASELINE.values())  # warm-up
    table = []
    for axis, smallest in BASELINE.items():
        before: tuple[float, float] | None = None
        for size in (smallest, 2 * smallest, 4 * smallest):
            seconds = timed(*{**BASELINE, axis: size}.values())
            ratios = [b / a for a, b in zip(before or seconds, seconds, strict=True)]
            row = {"axis": axis, "size": size, "training": seconds[0], "evaluation": seconds[1]}
            table.append(row | {"training ratio": ratios[0], "evaluation ratio": ratios[1]})
            print(
                f"{axis:10} {size:5}: training {seconds[0]:6.2f} s (× {ratios[0]:.2f}), "
                f"evaluation {seconds[1]:6.2f} s (× {ratios[1]:.2f})",
                flush=True,
            )
            before = seconds
    if arguments.out:
        arguments.out.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
