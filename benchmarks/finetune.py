"""Fine-tuning: AlignScope and ``transformers.Trainer`` with the same model, data and epochs.

    pip install accelerate
    python benchmarks/finetune.py [--shape embedded distil base] [--sentences 256] [--data FOLDER]

The task is POS tagging with the label on the first subword of each word, one epoch, on a GPU if
there is one. The Trainer groups by length. Its batch size is such that both take the same number
of steps, unless ``--batch`` sets it (the default of the Trainer is 8: more and smaller steps).
With ``--data`` the sentences are UD English EWT, otherwise synthetic ones. Each round times both,
one after the other. The output contains medians in subwords per second, without padding.
Tokenization is included in both times, and in AlignScope's the copy of the encoder that
``fine_tune`` trains. Scoring on dev is negligible (two sentences).
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

import alignscope as al
from alignscope.data.corpora import subsample_evenly

SHAPES = {"distil": (6, 768, 12), "base": (12, 768, 12)}
"""Blocks, hidden size and heads of multilingual DistilBERT and BERT-base, with random weights."""
VOCABULARY = 119_547
"""Number of word embeddings of both; the sentences use the tokenizer of the bundled encoder."""
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


MAX_LENGTH = 64
"""Longest input in subwords, which all shapes accept."""


def encoder_of(shape: str) -> al.Encoder:
    """Return the bundled encoder, or a BERT of a shape with its tokenizer."""
    bundled = al.load_encoder("embedded", device=DEVICE)
    if shape == "embedded":
        return bundled
    blocks, hidden, heads = SHAPES[shape]
    config = BertConfig(
        vocab_size=VOCABULARY, num_hidden_layers=blocks, hidden_size=hidden,
        num_attention_heads=heads, intermediate_size=4 * hidden,
    )  # fmt: skip
    model = BertModel(config, add_pooling_layer=False).to(DEVICE)
    return al.Encoder(model, bundled.tokenizer, name=shape)


def sentences(data: Path | None, count: int) -> Sequence[al.Sentence]:
    """Return sentences of at most 64 subwords: of UD English EWT in ``data``, or synthetic ones."""
    folders = [] if data is None else [data]
    corpus = "synthetic:vesti/news" if data is None else "ud:en_ewt"
    loaded = al.load_corpus(corpus, "train", data=folders)
    tokenizer, words = al.load_encoder("embedded").tokenizer, [list(s.words) for s in loaded]
    lengths = map(len, tokenizer(words, is_split_into_words=True)["input_ids"])
    short = [s for s, length in zip(loaded, lengths, strict=True) if length <= MAX_LENGTH]
    return subsample_evenly(short, count)


class Tagger(torch.nn.Module):
    """The equivalent of ``AutoModelForTokenClassification`` for any encoder."""

    def __init__(self, encoder: PreTrainedModel, labels: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = torch.nn.Dropout(0.1)
        self.classifier = torch.nn.Linear(encoder.config.hidden_size, labels)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, labels: torch.Tensor
    ) -> TokenClassifierOutput:
        """Return the loss over labelled subwords."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask)
        logits = self.classifier(self.dropout(hidden.last_hidden_state))
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        return TokenClassifierOutput(loss=loss, logits=logits)


class TokenizedSentences(Dataset[dict[str, Any]]):
    """Sentences in the format of the token classification example of transformers."""

    def __init__(self, train: Sequence[al.Sentence], labels: Sequence[str], tokenizer: Any) -> None:
        number = {label: i for i, label in enumerate(labels)}
        split = tokenizer(
            [list(s.words) for s in train], is_split_into_words=True, truncation=False
        )
        self.rows = []
        for i, sentence in enumerate(train):
            previous, word_labels = None, []
            for word in split.word_ids(i):
                first = word is not None and word != previous
                word_labels.append(number[(sentence.upos or ())[word]] if first else -100)
                previous = word
            ids = split["input_ids"][i]
            self.rows.append(
                {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": word_labels}
            )

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.rows[index]


def time_alignscope(
    shape: str, train: Sequence[al.Sentence], training: al.TrainingConfig
) -> tuple[float, int, int]:
    """Return seconds, steps and subwords of one epoch."""
    encoder = encoder_of(shape)
    start = time.perf_counter()
    tuned = al.fine_tune(encoder, "pos", train, train[:2], config=training, seed=1, progress=False)
    seconds = time.perf_counter() - start
    split = encoder.word_tokenizer(training.max_length).split(train)
    subwords = sum(len(chunk) for item in split for chunk in item.chunks)
    return seconds, tuned.history["steps"][-1], subwords


def time_trainer(
    shape: str, train: Sequence[al.Sentence], training: al.TrainingConfig, batch: int
) -> float:
    """Return the seconds of one epoch of the Trainer."""
    encoder, labels = encoder_of(shape), sorted({tag for s in train for tag in s.upos or ()})
    model, tokenizer = Tagger(encoder.model, len(labels)), encoder.tokenizer
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        start = time.perf_counter()
        rows = TokenizedSentences(train, labels, tokenizer)
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
    """Print a table of ratios and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", nargs="+", default=["embedded", "distil", "base"])
    parser.add_argument(
        "--sentences",
        type=int,
        help="Number of sentences. Default: 256 for the bundled encoder, 64 for others.",
    )
    parser.add_argument(
        "--tokens", type=int, default=512, help="Subwords per batch, padding included."
    )
    parser.add_argument("--batch", type=int, help="Batch size of the Trainer.")
    parser.add_argument(
        "--precision", choices=["fp32", "bf16"], default="fp32", help="Precision of both."
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path, help="JSON file to write.")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    table: list[dict[str, Any]] = []
    training = al.TrainingConfig(
        epochs=1, learning_rate=5e-5, tokens_per_batch=options.tokens,
        precision=options.precision, max_length=MAX_LENGTH,
    )  # fmt: skip
    cores = f"{torch.get_num_threads()} threads of {os.cpu_count()} cores"
    print(f"{DEVICE}, {options.precision}, {cores}, torch {torch.__version__}")
    for shape in options.shape:
        train = sentences(options.data, options.sentences or (256 if shape == "embedded" else 64))
        alignscope, trainer = [], []
        for _ in range(options.rounds):
            seconds, steps, subwords = time_alignscope(shape, train, training)
            alignscope.append(subwords / seconds)
            batch = options.batch or -(-len(train) // steps)
            trainer.append(subwords / time_trainer(shape, train, training, batch))
        row = {
            "shape": shape,
            "alignscope": statistics.median(alignscope),
            "trainer": statistics.median(trainer),
        }
        row["ratio"] = statistics.median(a / b for a, b in zip(alignscope, trainer, strict=True))
        table.append(row | {"steps": steps, "subwords": subwords})
        print(
            f"{shape:9} {steps:4} steps: AlignScope {row['alignscope']:8.0f} subwords/s, Trainer "
            f"{row['trainer']:8.0f}, ratio {row['ratio']:.2f}"
        )
    if options.out:
        options.out.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
