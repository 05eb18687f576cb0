"""Words in running text: each has the subwords that share a character with it."""

import re
from collections.abc import Callable

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast

from alignscope.data.sentence import MultiwordToken, Sentence
from alignscope.data.surface import surface_text
from alignscope.encoders.load import load_tokenizer
from alignscope.encoders.tokenization import TokenizedSentence, WordTokenizer
from alignscope.errors import DataError
from tests.helpers import families

FIN = Sentence(
    ("la", "fin", "de", "le", "monde", "."),
    comments=(" text = la fin du monde.",),
    ranges=(MultiwordToken(3, 4, "du"),),
)


def byte_level() -> PreTrainedTokenizerFast:
    """Return a byte-level tokenizer, whose subwords begin with the blank before a word."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = BpeTrainer(
        vocab_size=275, special_tokens=["[CLS]"], initial_alphabet=alphabet, show_progress=False
    )
    core.train_from_iterator(["la fin du monde", "le monde est fini"] * 9, trainer)
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A", special_tokens=[("[CLS]", 0)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=core, pad_token="[CLS]", cls_token="[CLS]")


TOKENIZERS = pytest.mark.parametrize("make", [families.tokenizer, byte_level])


def split(tokenizer: PreTrainedTokenizerFast, sentence: Sentence, length: int = 64) -> (
    TokenizedSentence
):  # fmt: skip
    return WordTokenizer(tokenizer, length).split([surface_text(sentence)])[0]


def letters(tokenizer: PreTrainedTokenizerFast, sentence: TokenizedSentence) -> list[str]:
    return [
        re.sub(r"##|Ġ| ", "", tokenizer.decode(sentence.chunks[chunk][first:last]))
        for chunk, first, last in sentence.spans
    ]


@TOKENIZERS
def test_words_of_a_multiword_token_share_its_subwords(
    make: Callable[[], PreTrainedTokenizerFast],
) -> None:
    tokenizer = make()
    found = split(tokenizer, FIN)
    assert letters(tokenizer, found) == ["la", "fin", "du", "du", "monde", "."]
    text = WordTokenizer(tokenizer, 64).split(["la fin du monde."])[0]
    assert found.chunks == text.chunks  # the encoder reads the text as it is written
    assert (found.truncated_words, found.unknown_words) == (0, 0)


def test_a_subword_across_a_border_belongs_to_both_words() -> None:
    """Without blanks between words, the tokenizer has its own borders."""
    tokenizer = byte_level()
    glued = Sentence(("mon", "de"), misc=("SpaceAfter=No", "_"))
    found = split(tokenizer, glued)
    whole = WordTokenizer(tokenizer, 64).split(["monde"])[0]
    assert len(whole.chunks[0]) == 3  # [CLS] m onde
    assert found.spans == ((0, 1, 3), (0, 2, 3))


def test_text_longer_than_an_input_is_read_in_chunks() -> None:
    tokenizer = families.tokenizer()
    found = split(tokenizer, FIN, length=8)
    assert len(found.chunks) == 3
    assert letters(tokenizer, found) == ["la", "fin", "du", "du", "monde", "."]
    short = split(tokenizer, FIN, length=6)  # four subwords: monde does not fit
    assert letters(tokenizer, short) == ["la", "fin", "du", "du", "mond", "."]
    assert short.truncated_words == 1


def test_a_word_that_the_tokenizer_does_not_read_is_named() -> None:
    """The normaliser of this tokenizer removes characters without width."""
    tokenizer = load_tokenizer("embedded")
    with pytest.raises(DataError, match=r"no subword for '\\u200b' in .* text = \"words\""):
        split(tokenizer, Sentence(("tavu", "\u200b", "ori")))


@pytest.mark.parametrize(
    ("form", "count", "shares"),
    [("x", 2, [(0, 1), (0, 1)]), ("xy", 2, [(0, 1), (1, 2)]), ("xyz", 2, [(0, 1), (1, 3)]),
     ("xy", 3, [(0, 1), (0, 1), (1, 2)]), ("wxyz", 3, [(0, 1), (1, 2), (2, 4)])],
)  # fmt: skip
def test_words_of_a_multiword_token_share_its_subwords_out(
    form: str, count: int, shares: list[tuple[int, int]]
) -> None:
    """For fine-tuning, every word has a share of its own as far as there are enough subwords."""
    words = ("la", *["q"] * count, "fin")
    sentence = Sentence(words, ranges=(MultiwordToken(2, 1 + count, form),))
    tokenizer = families.tokenizer()
    found = WordTokenizer(tokenizer, 64, surface=True).split([sentence])[0]
    alone = WordTokenizer(tokenizer, 64).split([Sentence(("la", form, "fin"))])[0]
    assert found.chunks == alone.chunks
    start = alone.spans[1][1]
    assert found.spans[1:-1] == tuple((0, start + first, start + last) for first, last in shares)
    assert (found.spans[0], found.spans[-1]) == (alone.spans[0], alone.spans[-1])
    assert WordTokenizer(tokenizer, 64).split([sentence])[0].chunks != found.chunks


def test_the_second_sentence_of_a_pair_begins_at_its_word() -> None:
    pair = Sentence(("de", "le", "roi", "la", "fin"), second_start=3,
                    ranges=(MultiwordToken(1, 2, "du"),))  # fmt: skip
    written = Sentence(("du", "roi", "la", "fin"), second_start=2)
    tokenizer = families.tokenizer()
    surface, plain = WordTokenizer(tokenizer, 64, surface=True), WordTokenizer(tokenizer, 64)
    assert surface.split([pair])[0].chunks == plain.split([written])[0].chunks


def test_unknown_and_truncated_words_are_counted() -> None:
    tokenizer = families.tokenizer()
    long = Sentence(("a", "b", "c"), ranges=(MultiwordToken(1, 2, "abcdefgh"),))
    strange = Sentence(("a", "b", "c"), ranges=(MultiwordToken(1, 2, "漢"),))
    assert WordTokenizer(tokenizer, 6, surface=True).split([strange])[0].unknown_words == 2
    found = WordTokenizer(tokenizer, 6, surface=True).split([long])[0]
    assert found.truncated_words == 2
    assert [last - first for _, first, last in found.spans] == [2, 2, 1]
