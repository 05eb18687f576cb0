"""The strength of a block: how much it changes what it reads, on words alone."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, PreTrainedModel

from alignscope.config.run import Init
from alignscope.encoders.blocks import blocks
from alignscope.encoders.load import load_model, load_tokenizer, set_language
from alignscope.encoders.reinitialize import reinitialize_
from alignscope.encoders.strength import SENTENCES, block_strengths, relative_change
from alignscope.encoders.tokenization import WordTokenizer
from tests.helpers import families, toys

CORPUS = toys.sentences(30, seed=1)


def bert(width: int, heads: int) -> PreTrainedModel:
    """Return a BERT of two blocks that is not as its class initialises it."""
    config = BertConfig(
        hidden_size=width, num_attention_heads=heads, intermediate_size=4 * width,
        num_hidden_layers=2, vocab_size=len(families.VOCABULARY),
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        model = BertModel(config, add_pooling_layer=False).eval()
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.01)
    return model


def tokenizer() -> WordTokenizer:
    return WordTokenizer(families.tokenizer(), 64)


@torch.no_grad()
def blocks_of_one_sentence(
    encoder: PreTrainedModel, chunk: tuple[int, ...]
) -> dict[int, tuple[torch.Tensor, torch.Tensor]]:
    """Return what each block reads and returns."""
    seen: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def keep(index: int, args: tuple[torch.Tensor, ...], output: object) -> None:
        after = output[0] if isinstance(output, tuple) else output
        assert isinstance(after, torch.Tensor)
        seen[index] = args[0].clone(), after.clone()

    hooks = [
        block.register_forward_hook(lambda _, args, output, i=i: keep(i, args, output))
        for i, block in enumerate(blocks(encoder))
    ]
    encoder(input_ids=torch.tensor([chunk]))
    for hook in hooks:
        hook.remove()
    return seen


@pytest.mark.parametrize(
    ("width", "heads", "init", "expected"),
    [
        (64, 4, "config", 0.026),
        (768, 12, "config", 0.35),
        (64, 4, "torch-default", 0.21),
        (384, 12, "torch-default", 0.21),
        (768, 12, "torch-default", 0.21),
        (768, 12, "skip", 0.0),
    ],
)
def test_strength_of_new_weights_depends_on_the_width_as_measured_elsewhere(
    width: int, heads: int, init: Init, expected: float
) -> None:
    """Reference: the ratio for independent tokens of unit variance, computed elsewhere."""
    encoder = bert(width, heads)
    draw = torch.Generator().manual_seed(0)
    encoder.embeddings.register_forward_hook(
        lambda _, args, output: torch.nn.functional.layer_norm(
            torch.randn(output.shape, generator=draw), (width,)
        )
    )
    reinitialize_(encoder, "0-1", seed=1, init=init)
    found = block_strengths(encoder, tokenizer(), CORPUS)
    assert found.blocks[0] == pytest.approx(expected, rel=0.1, abs=1e-9)


def test_strength_is_the_mean_over_subwords_of_words(
    encoder_folder: Path,
) -> None:
    """Recomputed sentence by sentence, without padding, from the states between blocks."""
    encoder = load_model(str(encoder_folder))
    set_language(encoder, "en")
    reader = WordTokenizer(load_tokenizer(str(encoder_folder)), 64)
    found = block_strengths(encoder, reader, CORPUS)
    totals, count = [0.0] * len(blocks(encoder)), 0
    for sentence in reader.split(CORPUS[:SENTENCES]):
        (chunk,) = sentence.chunks
        seen = blocks_of_one_sentence(encoder, chunk)
        words = [k for _, first, last in sentence.spans for k in range(first, last)]
        count += len(words)
        for index in range(len(totals)):
            x, y = (hidden[0, words] for hidden in seen[index])
            totals[index] += float(((y - x).norm(dim=1) / x.norm(dim=1)).sum())
    assert (found.sentences, found.tokens) == (SENTENCES, count)
    assert found.blocks == pytest.approx([total / count for total in totals], rel=1e-4)


def test_special_tokens_and_padding_do_not_count(
    encoder_folders: Callable[[str], Path],
) -> None:
    """A block that changes special tokens alone has no strength."""
    encoder = load_model(str(encoder_folders("bert")))
    ids: list[torch.Tensor] = []
    encoder.register_forward_pre_hook(
        lambda _, args, kwargs: ids.append(kwargs["input_ids"]), with_kwargs=True
    )
    blocks(encoder)[2].register_forward_hook(
        lambda _, args, output: torch.where((ids[-1] < 5)[..., None], output, args[0])
    )
    found = block_strengths(encoder, tokenizer(), CORPUS)
    assert found.blocks[2] == 0
    assert min(found.blocks[:2]) > 0.01


def test_measuring_leaves_mode_hooks_and_random_state_as_they_were(
    encoder_folders: Callable[[str], Path],
) -> None:
    encoder = load_model(str(encoder_folders("bert"))).train()
    state = torch.get_rng_state()
    first = block_strengths(encoder, tokenizer(), CORPUS)
    assert block_strengths(encoder, tokenizer(), CORPUS) == first
    assert encoder.training
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(block._forward_hooks or block._forward_pre_hooks for block in blocks(encoder))


def test_relative_change_of_half_precision_is_computed_in_single_precision() -> None:
    before = torch.full((2, 768), 300.0, dtype=torch.float16)  # the sum of squares overflows
    assert relative_change(before, before * 2).tolist() == pytest.approx([1.0, 1.0])
