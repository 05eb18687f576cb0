"""Changes of blocks: planted ones are found where they are, and equal noise explains itself."""

import copy
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

from alignscope.data.sentence import Sentence
from alignscope.data.synthetic.corpus import read_synthetic
from alignscope.encoders.blocks import blocks
from alignscope.encoders.load import load_model, load_tokenizer, set_language
from alignscope.encoders.tokenization import WordTokenizer
from alignscope.errors import SimilarityError
from alignscope.similarity.block_changes import (
    MAX_SENTENCES,
    ComparedEncoders,
    add_noise,
    output_changes,
    weight_change,
)
from alignscope.similarity.cache import RepresentationCache
from alignscope.similarity.extractor import RepresentationExtractor
from tests.helpers import toys

Folders = Callable[[str], Path]
LANGUAGES = ("vesti", "qadir", "lianu")
CORPORA = {
    f"synthetic:{name}/news": read_synthetic(name, "news", "test")[:24] for name in LANGUAGES
}


def noisy(encoder: PreTrainedModel, size: float, chosen: range, seed: int) -> PreTrainedModel:
    """Return a copy in which every tensor of some blocks has noise of `size` times its own rms."""
    changed, generator = copy.deepcopy(encoder), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for number in chosen:
            for value in blocks(changed)[number].parameters():
                rms = value.square().mean().sqrt()
                value.add_(size * rms * torch.randn(value.shape, generator=generator))
    return changed


@pytest.fixture(scope="module")
def embedded() -> PreTrainedModel:
    return load_model("embedded").eval()


def extractor(encoder: PreTrainedModel) -> RepresentationExtractor:
    tokenizer = WordTokenizer(load_tokenizer("embedded"), 256)
    return RepresentationExtractor(encoder, tokenizer, RepresentationCache(None))


def log_ratios(before: PreTrainedModel, after: PreTrainedModel, seed: int) -> dict[str, Tensor]:
    """Return log(output change / output change of noise) of each block, by corpus."""
    rows = ComparedEncoders.of(extractor(before), extractor(after), seed).block_changes(CORPORA)
    found: dict[str, list[float]] = {name: [] for name in CORPORA}
    for row in rows:
        assert row["block"] == len(found[str(row["corpus"])])
        changes: Any = row["output_change"], row["noise_output_change"]
        found[str(row["corpus"])].append(math.log(max(changes[0], 1e-7) / changes[1]))
    return {name: torch.tensor(values) for name, values in found.items()}


@pytest.mark.parametrize("size", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("seed", [1, 2])
def test_equal_noise_in_all_blocks_is_what_noise_does(
    embedded: PreTrainedModel, size: float, seed: int
) -> None:
    """Without any training the ratio is 1 in every block, though CKA falls from layer to layer."""
    for values in log_ratios(embedded, noisy(embedded, size, range(8), seed), seed=7).values():
        assert values.abs().max() < 0.35
        assert abs(float(values[4:].mean() - values[:4].mean())) < 0.15


@pytest.mark.parametrize(("chosen", "others"), [(range(4), range(4, 8)), (range(4, 8), range(4))])
def test_noise_in_one_half_of_the_blocks_stands_out(
    embedded: PreTrainedModel, chosen: range, others: range
) -> None:
    """The other half has no change at all, whatever the blocks below it do."""
    for values in log_ratios(embedded, noisy(embedded, 0.1, chosen, 1), seed=7).values():
        assert values[list(chosen)].min() > 0.1
        assert values[list(others)].max() < -10


def test_a_block_that_changes_less_is_found(embedded: PreTrainedModel) -> None:
    """Half of the noise below, twice as much above: the ratio has the planted size."""
    changed = noisy(noisy(embedded, 0.05, range(4), 1), 0.2, range(4, 8), 2)
    for values in log_ratios(embedded, changed, seed=7).values():
        difference = float(values[4:].mean() - values[:4].mean())
        assert difference == pytest.approx(math.log(4), abs=0.2)


def test_the_change_of_weights_is_the_norm_of_the_difference(embedded: PreTrainedModel) -> None:
    changed = noisy(embedded, 0.1, range(2, 3), 1)
    for number, (old, new) in enumerate(zip(blocks(embedded), blocks(changed), strict=True)):
        flat = [
            torch.cat([value.detach().flatten() for value in block.parameters()]).double()
            for block in (old, new)
        ]
        expected = float((flat[1] - flat[0]).norm() / flat[0].norm())
        assert weight_change(old, new) == pytest.approx(expected, rel=1e-6)
        assert (expected > 0) == (number == 2)


def test_noise_has_the_same_relative_size_everywhere(embedded: PreTrainedModel) -> None:
    before = {name: value.clone() for name, value in embedded.state_dict().items()}
    noise = add_noise(embedded, 0.07, seed=1)
    for old, new in zip(blocks(embedded), blocks(noise), strict=True):
        assert weight_change(old, new) == pytest.approx(0.07, rel=1e-4)
        for a, b in zip(old.parameters(), new.parameters(), strict=True):
            size = float(a.detach().norm())
            assert float((b - a).detach().norm()) == pytest.approx(0.07 * size, rel=1e-4)
    assert noise.get_input_embeddings().weight is embedded.get_input_embeddings().weight
    assert all(torch.equal(value, before[name]) for name, value in embedded.state_dict().items())
    again, other = add_noise(embedded, 0.07, seed=1), add_noise(embedded, 0.07, seed=2)
    first, second, third = (next(blocks(one)[0].parameters()) for one in (noise, again, other))
    assert torch.equal(first, second)
    assert not torch.equal(first, third)


def test_the_noise_is_as_large_as_the_training(embedded: PreTrainedModel) -> None:
    changed = noisy(noisy(embedded, 0.05, range(4), 1), 0.2, range(4, 8), 2)
    encoders = ComparedEncoders.of(extractor(embedded), extractor(changed), 3)
    flat = [
        torch.cat([p.detach().flatten() for b in blocks(e) for p in b.parameters()]).double()
        for e in (embedded, changed, encoders.noise.encoder)
    ]
    trained, of_noise = (float((after - flat[0]).norm()) for after in flat[1:])
    assert of_noise == pytest.approx(trained, rel=1e-4)


def separate_changes(
    before: PreTrainedModel, after: PreTrainedModel, tokenizer: WordTokenizer, text: Sentence
) -> list[float]:
    """Compute the changes of one sentence from the hidden states of the encoder, without hooks."""
    (split,) = tokenizer.split([text])
    (chunk,) = split.chunks
    positions = [i for _, first, last in split.spans for i in range(first, last)]
    ids = torch.tensor([chunk])
    with torch.no_grad():
        states = before.eval()(input_ids=ids, output_hidden_states=True).hidden_states
        found = []
        for number in range(len(blocks(before))):
            mixed = copy.deepcopy(before)
            blocks(mixed)[number].load_state_dict(blocks(after)[number].state_dict())
            changed = mixed(input_ids=ids, output_hidden_states=True).hidden_states[number + 1]
            expected = states[number + 1]
            relative = (changed - expected).norm(dim=-1) / expected.norm(dim=-1)
            found.append(float(relative[0, positions].mean()))
    return found


@pytest.mark.parametrize("family", ["bert", "distilbert", "xlm-roberta", "roformer"])
def test_changes_are_those_of_an_encoder_with_one_block_exchanged(
    encoder_folders: Folders, family: str
) -> None:
    """The other blocks stay pretrained, and special tokens and padding do not count."""
    folder = encoder_folders(family)
    before = load_model(str(folder)).eval()
    after = noisy(before, 0.3, range(len(blocks(before))), seed=1).train()
    tokenizer, texts = toys.subwords(folder), toys.sentences(9, seed=4)
    changes, tokens = output_changes(before, [blocks(after)], tokenizer, texts)
    counts = [len([i for _, a, b in s.spans for i in range(a, b)]) for s in tokenizer.split(texts)]
    assert tokens == sum(counts)
    separate = torch.tensor([separate_changes(before, after, tokenizer, text) for text in texts])
    weights = torch.tensor(counts)[:, None] / tokens
    assert torch.allclose(changes[0].float(), (weights * separate).sum(dim=0), rtol=1e-4)
    assert all(module.training for block in blocks(after) for module in block.modules())


def test_every_family_has_changes(encoder_folder: Path) -> None:
    """Every block gets all arguments of its counterpart, in all architectures."""
    before = load_model(str(encoder_folder)).eval()
    set_language(before, "en")
    after = noisy(before, 0.2, range(len(blocks(before))), seed=1)
    cached = getattr(before.config, "use_cache", None)
    tokenizer, texts = toys.subwords(encoder_folder), toys.sentences(5, seed=4)
    changes, _ = output_changes(
        before, [blocks(after), blocks(copy.deepcopy(before))], tokenizer, texts
    )
    assert bool((changes[0] > 1e-3).all())
    assert bool((changes[1] == 0).all())
    assert getattr(before.config, "use_cache", None) == cached
    assert not any(block._forward_hooks for block in blocks(before))


def test_a_block_with_another_output_is_refused(encoder_folders: Folders) -> None:
    encoder = load_model(str(encoder_folders("bert")))
    blocks(encoder)[0].register_forward_hook(lambda module, args, output: output[:, :1])
    texts: Sequence[Sentence] = toys.sentences(3)
    with pytest.raises(
        SimilarityError, match=r"A block of BertModel returns a tensor of the shape"
    ):
        output_changes(encoder, [blocks(encoder)], toys.subwords(encoder_folders("bert")), texts)


def test_long_corpora_are_sampled(embedded: PreTrainedModel) -> None:
    texts = read_synthetic("vesti", "news", "test")[:100]
    one = extractor(embedded)
    rows = ComparedEncoders.of(one, extractor(noisy(embedded, 0.1, range(8), 1)), 1).block_changes(
        {"synthetic:vesti/news": texts}
    )
    assert {row["sentences"] for row in rows} == {MAX_SENTENCES}
