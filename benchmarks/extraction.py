"""Extraction of all layers for a corpus: AlignScope and a loop over single sentences.

    python benchmarks/extraction.py [--rounds 3]

The encoders are BERTs with random weights (which do not change the speed), from the size of the
bundled encoder to that of BERT-base. The sentences are about as long as those of PUD.
"""

import argparse
import statistics
import time
from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import BertConfig, BertModel, PreTrainedModel, PreTrainedTokenizerBase

import alignscope as al
from alignscope.similarity.representations import sentence_representations

SHAPES = {
    "8 blocks × 64": (8, 64, 1000),
    "4 blocks × 256": (4, 256, 400),
    "12 blocks × 768": (12, 768, 100),
}
"""Blocks, hidden size, and number of sentences."""


@torch.inference_mode()
def one_at_a_time(
    encoder: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, sentences: Sequence[al.Sentence]
) -> Tensor:
    """Tokenize, encode and average each sentence separately, without special tokens."""
    vectors = []
    for sentence in sentences:
        encoded = tokenizer(list(sentence.words), is_split_into_words=True, return_tensors="pt")
        output = encoder(**encoded, output_hidden_states=True)
        vectors.append(torch.stack([layer[0, 1:-1].mean(0) for layer in output.hidden_states]))
    return torch.stack(vectors, dim=1)


def sentences_of(count: int) -> list[al.Sentence]:
    """Join sentences of two domains to about twenty words each."""
    corpus = [
        *al.load_corpus("synthetic:vesti/manual", "train"),
        *al.load_corpus("synthetic:vesti/news", "train"),
    ]
    joined, words = [], ()
    for sentence in corpus[:: max(1, len(corpus) // (6 * count))]:
        words += sentence.words
        if len(words) >= 8 + 24 * (len(joined) % 5) / 4:
            joined.append(al.Sentence(words))
            words = ()
        if len(joined) == count:
            break
    return joined


def random_bert(blocks: int, hidden: int, vocabulary: int) -> PreTrainedModel:
    """Return a BERT of this shape with random weights."""
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=vocabulary,
        num_hidden_layers=blocks,
        hidden_size=hidden,
        num_attention_heads=hidden // 64,
        intermediate_size=4 * hidden,
    )
    return BertModel(config).eval()


def main() -> None:
    """Print sentences per second, their ratio and the largest difference for each shape."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    tokenizer = al.load_encoder("embedded").tokenizer
    tokenizer.model_max_length = 512  # joined sentences exceed its default
    corpus = sentences_of(max(count for _, _, count in SHAPES.values()))
    words = al.Encoder(random_bert(1, 64, len(tokenizer)), tokenizer).word_tokenizer(512)
    subwords = sum(len(item.chunks[0]) for item in words.split(corpus))
    print(f"sentences of {subwords / len(corpus):.1f} subwords, {torch.get_num_threads()} threads")
    print("| | one at a time, sentences/s | AlignScope, sentences/s | ratio | largest difference |")
    print("|---|---|---|---|---|")
    for name, (blocks, hidden, count) in SHAPES.items():
        encoder, sentences = random_bert(blocks, hidden, len(tokenizer)), corpus[:count]
        one_at_a_time(encoder, tokenizer, sentences[:4])
        slow, fast = [], []
        for _ in range(arguments.rounds):
            start = time.perf_counter()
            expected = one_at_a_time(encoder, tokenizer, sentences)
            middle = time.perf_counter()
            vectors = sentence_representations(encoder, words, sentences)
            slow.append(middle - start)
            fast.append(time.perf_counter() - middle)
        difference = float((vectors - expected).abs().max())
        speeds = [len(sentences) / statistics.median(spent) for spent in (slow, fast)]
        ratio = statistics.median(a / b for a, b in zip(slow, fast, strict=True))
        print(f"| {name} | {speeds[0]:.0f} | {speeds[1]:.0f} | {ratio:.1f} | {difference:.0e} |")


if __name__ == "__main__":
    main()
