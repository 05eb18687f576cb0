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

import alignscope as al
from alignscope.data.synthetic.language import languages

BASELINE = {"sentences": 200, "blocks": 4, "hidden": 128, "languages": 4}


def timed(sentences: int, blocks: int, hidden: int, languages_read: int) -> tuple[float, float]:
    """Return the seconds of training and of evaluation."""
    train = al.load_corpus("synthetic:vesti/news", "train", limit=sentences)
    corpora = [
        al.load_corpus(f"synthetic:{name}/news", "test", limit=100)
        for name in languages()[:languages_read]
    ]
    config = BertConfig(
        vocab_size=12_000, num_hidden_layers=blocks, hidden_size=hidden,
        num_attention_heads=hidden // 32, intermediate_size=4 * hidden,
    )  # fmt: skip
    model = BertModel(config, add_pooling_layer=False)
    encoder = al.Encoder(model, al.load_encoder("embedded").tokenizer)
    training = al.TrainingConfig(epochs=1, learning_rate=5e-5, max_length=64)
    start = time.perf_counter()
    tuned = al.fine_tune(encoder, "pos", train, train[:2], config=training, seed=1, progress=False)
    trained = time.perf_counter()
    for corpus in corpora:
        tuned.predict(corpus)
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
