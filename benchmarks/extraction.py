"""All layers of an encoder for a corpus: AlignScope beside one sentence at a time.

    python benchmarks/extraction.py [--rounds 3]

BERTs of random weights (speed does not depend on them), as small as the encoder that comes with
AlignScope and as large as BERT-base, on sentences about as long as those of PUD.
"""

import argparse
import statistics
import time
from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import BertConfig, BertModel, PreTrainedModel, PreTrainedTokenizerBase

from alignscope.data.sentence import Sentence
from alignscope.data.synthetic.corpus import read_synthetic
from alignscope.encoders.load import load_tokenizer
from alignscope.encoders.tokenization import WordTokenizer
from alignscope.similarity.representations import sentence_representations

SHAPES = {
    "8 blocks × 64": (8, 64, 1000),
    "4 blocks × 256": (4, 256, 400),
    "12 blocks × 768": (12, 768, 100),
}
"""Blocks, hidden size, and how many sentences are read."""


@torch.inference_mode()
def one_at_a_time(
    encoder: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, sentences: Sequence[Sentence]
) -> Tensor:
    """The loop that everybody writes: tokenize, encode, average without special tokens."""
    found = []
    for sentence in sentences:
        encoded = tokenizer(list(sentence.words), is_split_into_words=True, return_tensors="pt")
        output = encoder(**encoded, output_hidden_states=True)
        found.append(torch.stack([layer[0, 1:-1].mean(0) for layer in output.hidden_states]))
    return torch.stack(found, dim=1)


def sentences_of(count: int) -> list[Sentence]:
    """Sentences of two domains, joined up to about twenty words."""
    drawn = [*read_synthetic("vesti", "manual", "train"), *read_synthetic("vesti", "news", "train")]
    found, words = [], ()
    for sentence in drawn[:: max(1, len(drawn) // (6 * count))]:
        words += sentence.words
        if len(words) >= 8 + 24 * (len(found) % 5) / 4:
            found.append(Sentence(words))
            words = ()
        if len(found) == count:
            break
    return found


def encoder_of(blocks: int, hidden: int, pieces: int) -> PreTrainedModel:
    """A BERT of this shape."""
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=pieces,
        num_hidden_layers=blocks,
        hidden_size=hidden,
        num_attention_heads=hidden // 64,
        intermediate_size=4 * hidden,
    )
    return BertModel(config).eval()


def main() -> None:
    """Print sentences per second, the ratio and the largest difference, for each shape."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    tokenizer = load_tokenizer("embedded")
    tokenizer.model_max_length = 512  # joined sentences are longer than it is told to expect
    drawn = sentences_of(max(count for _, _, count in SHAPES.values()))
    pieces = sum(len(found.chunks[0]) for found in WordTokenizer(tokenizer, 512).split(drawn))
    print(f"sentences of {pieces / len(drawn):.1f} pieces, {torch.get_num_threads()} threads")
    print("| | one at a time, sentences/s | AlignScope, sentences/s | ratio | largest difference |")
    print("|---|---|---|---|---|")
    for name, (blocks, hidden, count) in SHAPES.items():
        encoder, sentences = encoder_of(blocks, hidden, len(tokenizer)), drawn[:count]
        one_at_a_time(encoder, tokenizer, sentences[:4])
        slow, fast = [], []
        for _ in range(arguments.rounds):
            start = time.perf_counter()
            expected = one_at_a_time(encoder, tokenizer, sentences)
            middle = time.perf_counter()
            found = sentence_representations(encoder, WordTokenizer(tokenizer, 512), sentences)
            slow.append(middle - start)
            fast.append(time.perf_counter() - middle)
        wrong = float((found - expected).abs().max())
        speeds = [len(sentences) / statistics.median(spent) for spent in (slow, fast)]
        ratio = statistics.median(a / b for a, b in zip(slow, fast, strict=True))
        print(f"| {name} | {speeds[0]:.0f} | {speeds[1]:.0f} | {ratio:.1f} | {wrong:.0e} |")


if __name__ == "__main__":
    main()
