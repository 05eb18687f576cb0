"""Properties of a tokenizer, found by trying it: special tokens, and blanks before words."""

from transformers import PreTrainedTokenizerBase

from alignscope.errors import EncoderError

Ids = tuple[int, ...]


def special_ends(tokenizer: PreTrainedTokenizerBase) -> tuple[Ids, Ids]:
    """Return what the tokenizer puts before and after a text, such as [CLS] and [SEP]."""
    encoding = tokenizer.backend_tokenizer.encode("a")
    inside = [i for i, special in enumerate(encoding.special_tokens_mask) if not special]
    if not inside:
        raise EncoderError(f"The tokenizer of {tokenizer.name_or_path} has no subword for 'a'.")
    return tuple(encoding.ids[: inside[0]]), tuple(encoding.ids[inside[-1] + 1 :])


def special_between(tokenizer: PreTrainedTokenizerBase) -> Ids:
    """Return what the tokenizer puts between two texts, such as [SEP]; often nothing."""
    encoding = tokenizer.backend_tokenizer.encode("a", "a")
    inside = [i for i, special in enumerate(encoding.special_tokens_mask) if not special]
    return tuple(
        id
        for i, id in enumerate(encoding.ids)
        if encoding.special_tokens_mask[i] and inside[0] < i < inside[-1]
    )


def blank_before_words(tokenizer: PreTrainedTokenizerBase) -> str:
    """Return the blank that a word inside a sentence needs.

    Byte-level tokenizers have different subwords for ``a`` and `` a``; words inside a sentence are
    the latter.
    """
    first, alone, both = (
        tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
        for text in ("b", "a", "b a")
    )
    return "" if both == first + alone else " "
