"""Fine-tuning: AlignScope's loop beside ``transformers.Trainer``, the same model, data and epochs.

    pip install accelerate
    python benchmarks/finetune.py [--shape embedded distil base] [--sentences 256] [--data FOLDER]

POS tagging with the label on each word's first sub-word, one epoch, on a GPU if there is one. The
Trainer groups by length and takes so many sentences a batch that both take the same number of
steps, unless ``--batch`` says otherwise (of itself it takes 8, which are more and smaller steps).
With ``--data`` the sentences are UD English EWT, else embedded ones. Each round times both, one
after the other; printed are medians, in sub-words (without padding) a second. Splitting into
sub-words is in both times, scoring on dev in neither (two sentences).
"""

import argparse
import contextlib
import io
import json
import logging
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset
from transformers import (
    BertConfig,
    BertModel,
    DataCollatorForTokenClassification,
    PreTrainedModel,
    Trainer,
    TrainingArguments,
)
from transformers.modeling_outputs import TokenClassifierOutput

from alignscope.config.run import TrainingConfig
from alignscope.data.corpora import load_corpus, subsample_evenly
from alignscope.data.corpus import parse_corpus
from alignscope.data.paths import DataPaths
from alignscope.data.sentence import Sentence
from alignscope.encoders.load import load_model, load_tokenizer
from alignscope.encoders.tokenization import WordTokenizer
from alignscope.tasks import TASKS
from alignscope.training.encoded_task import EncodedTask
from alignscope.training.finetune import TrainingData, fine_tune
from alignscope.training.model import build_model

SHAPES = {"distil": (6, 768, 12), "base": (12, 768, 12)}
"""Blocks, hidden size and heads of (multilingual) DistilBERT and BERT-base; weights are random."""
VOCABULARY = 119_547
"""Word embeddings of both; sentences here use those of the embedded encoder's tokenizer."""


def encoder_of(shape: str) -> PreTrainedModel:
    """The embedded encoder, or a BERT of a shape."""
    if shape == "embedded":
        return load_model("embedded")
    blocks, hidden, heads = SHAPES[shape]
    config = BertConfig(
        vocab_size=VOCABULARY, num_hidden_layers=blocks, hidden_size=hidden,
        num_attention_heads=heads, intermediate_size=4 * hidden,
    )  # fmt: skip
    return BertModel(config, add_pooling_layer=False)


def sentences(data: Path | None, count: int) -> Sequence[Sentence]:
    """Real lengths if there is real data, but none beyond what all shapes take (64 sub-words)."""
    places = DataPaths(() if data is None else (data,), Path(), download=False)
    corpus = parse_corpus("synthetic:vesti/news" if data is None else "ud:en_ewt")
    tokenizer, given = load_tokenizer("embedded"), load_corpus(corpus, "train", places)
    words = [list(sentence.words) for sentence in given]
    fits = [len(ids) <= 64 for ids in tokenizer(words, is_split_into_words=True)["input_ids"]]
    return subsample_evenly([s for s, fit in zip(given, fits, strict=True) if fit], count)


DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Tagger(torch.nn.Module):
    """What ``AutoModelForTokenClassification`` is, around any encoder."""

    def __init__(self, encoder: PreTrainedModel, labels: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = torch.nn.Dropout(0.1)
        self.classifier = torch.nn.Linear(encoder.config.hidden_size, labels)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, labels: torch.Tensor
    ) -> TokenClassifierOutput:
        """Loss over labelled sub-words."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask)
        logits = self.classifier(self.dropout(hidden.last_hidden_state))
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        return TokenClassifierOutput(loss=loss, logits=logits)


class Rows(Dataset[dict[str, Any]]):
    """Sentences as the token classification example of transformers has them."""

    def __init__(self, given: Sequence[Sentence], labels: Sequence[str], tokenizer: Any) -> None:
        number = {label: i for i, label in enumerate(labels)}
        split = tokenizer(
            [list(s.words) for s in given], is_split_into_words=True, truncation=False
        )
        self.rows = []
        for i, sentence in enumerate(given):
            owners, before, own = split.word_ids(i), None, []
            for word in owners:
                first = word is not None and word != before
                own.append(number[(sentence.upos or ())[word]] if first else -100)
                before = word
            ids = split["input_ids"][i]
            self.rows.append({"input_ids": ids, "attention_mask": [1] * len(ids), "labels": own})

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.rows[index]


def ours(shape: str, given: Sequence[Sentence], training: TrainingConfig) -> tuple[float, int, int]:
    """Seconds, steps, and sub-words of one epoch."""
    task, subwords = TASKS["pos"], WordTokenizer(load_tokenizer("embedded"), 64)
    labels = task.labels(given)
    model = build_model(encoder_of(shape), task, labels, seed=1).to(DEVICE)
    start = time.perf_counter()
    encoded = EncodedTask(task, labels, subwords, training)
    (epoch,) = fine_tune(model, encoded, TrainingData(given, given[:2]), seed=1)
    seconds = time.perf_counter() - start
    pieces = sum(len(chunk) for p in subwords.split(given) for chunk in p.chunks)
    return seconds, epoch.steps, pieces


def theirs(shape: str, given: Sequence[Sentence], training: TrainingConfig, batch: int) -> float:
    """Seconds of the same with the Trainer."""
    tokenizer, labels = load_tokenizer("embedded"), TASKS["pos"].labels(given)
    model = Tagger(encoder_of(shape), len(labels))
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        start = time.perf_counter()
        rows = Rows(given, labels, tokenizer)
        arguments = TrainingArguments(
            output_dir=folder, num_train_epochs=1, learning_rate=training.learning_rate,
            per_device_train_batch_size=batch, use_cpu=DEVICE.type == "cpu", report_to="none",
            bf16=training.precision == "bf16",
            train_sampling_strategy="group_by_length", save_strategy="no", logging_strategy="no",
            disable_tqdm=True, max_grad_norm=training.max_grad_norm,
            weight_decay=training.weight_decay,
        )  # fmt: skip
        collator = DataCollatorForTokenClassification(tokenizer)
        Trainer(model, arguments, data_collator=collator, train_dataset=rows).train()
        return time.perf_counter() - start


def main() -> None:
    """Print a table of ratios, write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", nargs="+", default=["embedded", "distil", "base"])
    parser.add_argument("--sentences", type=int, help="256 of the embedded encoder's, else 64")
    parser.add_argument("--pieces", type=int, default=512, help="padded sub-words a batch")
    parser.add_argument("--batch", type=int, help="sentences a batch of the Trainer's: 8 by itself")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32", help="of both")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path, help="a JSON file")
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    table: list[dict[str, Any]] = []
    training = TrainingConfig(epochs=1, tokens_per_batch=asked.pieces, precision=asked.precision)
    cores = f"{torch.get_num_threads()} threads of {os.cpu_count()} cores"
    print(f"{DEVICE}, {asked.precision}, {cores}, torch {torch.__version__}")
    for shape in asked.shape:
        given = sentences(asked.data, asked.sentences or (256 if shape == "embedded" else 64))
        own, other = [], []
        for _ in range(asked.rounds):
            seconds, steps, pieces = ours(shape, given, training)
            own.append(pieces / seconds)
            batch = asked.batch or -(-len(given) // steps)
            other.append(pieces / theirs(shape, given, training, batch))
        row = {
            "shape": shape,
            "alignscope": statistics.median(own),
            "trainer": statistics.median(other),
        }
        row["ratio"] = statistics.median(a / b for a, b in zip(own, other, strict=True))
        table.append(row | {"steps": steps, "pieces": pieces})
        print(
            f"{shape:9} {steps:4} steps: AlignScope {row['alignscope']:8.0f} sub-words/s, Trainer "
            f"{row['trainer']:8.0f}, ratio {row['ratio']:.2f}"
        )
    if asked.out:
        asked.out.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
