"""A cased WordPiece tokenizer like multilingual BERT's, trained on any text."""

from collections.abc import Iterable

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
    lines: Iterable[str], vocabulary: int, max_pieces: int
) -> PreTrainedTokenizerFast:
    """Train a tokenizer of at most ``vocabulary`` pieces; ``[PAD]`` is piece 0.

    Case and accents are kept; Chinese characters stand alone. At most half of the vocabulary
    goes to single characters, so that scripts with thousands of them leave room for words.
    """
    core = Tokenizer(models.WordPiece(unk_token=SPECIAL["unk_token"]))
    core.normalizer = normalizers.BertNormalizer(strip_accents=False, lowercase=False)
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.decoder = decoders.WordPiece()
    trainer = WordPieceTrainer(
        vocab_size=vocabulary,
        limit_alphabet=vocabulary // 4,
        special_tokens=list(SPECIAL.values()),
        show_progress=False,
    )
    core.train_from_iterator(lines, trainer)
    ends = [(token, core.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
    )
    return PreTrainedTokenizerFast(tokenizer_object=core, model_max_length=max_pieces, **SPECIAL)
