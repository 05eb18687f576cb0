"""A cased WordPiece tokenizer like multilingual BERT's, trained on any text."""

from collections import Counter
from collections.abc import Sequence

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from tokenizers.trainers import WordPieceTrainer
from transformers import PreTrainedTokenizerFast

SPECIAL = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}


def train_wordpiece(
    lines: Sequence[str], vocabulary: int, max_length: int
) -> PreTrainedTokenizerFast:
    """Train a WordPiece tokenizer in which ``[PAD]`` is subword 0.

    Case and accents are kept, and every Chinese character is a word. At most half of the
    vocabulary consists of single characters, so that scripts with thousands of them leave room
    for words. The same lines always give the same tokenizer.

    Args:
        lines: the text.
        vocabulary: the largest number of subwords.
        max_length: the longest input in subwords, which the tokenizer records.
    """
    core = _pipeline(models.WordPiece(unk_token=SPECIAL["unk_token"]))
    letters, inner = _alphabet(core, lines, vocabulary // 4)
    # The trainer iterates over hash maps whose seed differs from process to process, so that it
    # would number inner letters, and choose among equally rare ones, at random. Special tokens are
    # numbered first and in order.
    trainer = WordPieceTrainer(
        vocab_size=vocabulary,
        initial_alphabet=letters,
        limit_alphabet=len(letters),
        special_tokens=[*SPECIAL.values(), *(f"##{letter}" for letter in inner)],
        show_progress=False,
    )
    core.train_from_iterator(lines, trainer)
    trained = models.WordPiece(core.get_vocab(), unk_token=SPECIAL["unk_token"])
    core = _pipeline(trained)
    ends = [(token, core.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
    )
    return PreTrainedTokenizerFast(tokenizer_object=core, model_max_length=max_length, **SPECIAL)


def _pipeline(model: models.WordPiece) -> Tokenizer:
    core = Tokenizer(model)
    core.normalizer = normalizers.BertNormalizer(strip_accents=False, lowercase=False)
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.decoder = decoders.WordPiece()
    return core


def _alphabet(core: Tokenizer, lines: Sequence[str], most: int) -> tuple[list[str], list[str]]:
    """Return the most frequent letters, and those of them that also stand inside words."""
    words: Counter[str] = Counter()
    for line in lines:
        normal = core.normalizer.normalize_str(line)
        words.update(word for word, _ in core.pre_tokenizer.pre_tokenize_str(normal))
    counts: Counter[str] = Counter()
    for word, count in words.items():
        counts.update(dict.fromkeys(word, count))
    letters = sorted(counts, key=lambda letter: (-counts[letter], letter))[:most]
    inside = {letter for word in words for letter in word[1:]}
    return sorted(letters), sorted(inside.intersection(letters))
