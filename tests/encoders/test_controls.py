"""Matched, permuted and skipped windows do to an encoder what their name says."""

import pickle
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from transformers import GPT2Config, GPT2Model, LlamaConfig, LlamaModel, PreTrainedModel

from alignscope.config.windows import Window
from alignscope.encoders import new_weights, skip
from alignscope.encoders.blocks import block_path, blocks
from alignscope.encoders.encoder import load_encoder
from alignscope.encoders.load import load_model, set_language
from alignscope.encoders.reinitialize import reinitialize, reinitialize_
from alignscope.errors import EncoderError

WINDOW = Window(1, 2)
SIZE = {"vocab_size": 60, "hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2}
DECODERS: dict[str, Callable[[], PreTrainedModel]] = {
    "llama": lambda: LlamaModel(LlamaConfig(**SIZE, intermediate_size=48)),
    "gpt2": lambda: GPT2Model(GPT2Config(vocab_size=60, n_embd=32, n_layer=4, n_head=2)),
}


@pytest.fixture
def encoder(encoder_folder: Path) -> PreTrainedModel:
    found = load_model(str(encoder_folder))
    set_language(found, "en")
    return found


@pytest.fixture
def bert(encoder_folders: Callable[[str], Path]) -> PreTrainedModel:
    return load_model(str(encoder_folders("bert")))


@pytest.fixture(params=list(DECODERS))
def decoder(request: pytest.FixtureRequest) -> PreTrainedModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        return DECODERS[str(request.param)]().eval()


def values(encoder: PreTrainedModel, window: Window = WINDOW) -> dict[str, Tensor]:
    """Return the weights of a window by walking its blocks."""
    path = block_path(encoder)
    return {
        f"{path}.{block}.{name}": parameter.detach().clone()
        for block in window.blocks
        for name, parameter in blocks(encoder)[block].named_parameters()
    }


@torch.no_grad()
def hidden_states(encoder: PreTrainedModel) -> list[Tensor]:
    """Return the input of block 0 and the output of each block, as they arrive at the next one."""
    states: list[Tensor] = []

    def keep(module: nn.Module, args: tuple[Tensor, ...], kwargs: dict[str, Tensor]) -> None:
        states.append((args[0] if args else kwargs["hidden_states"]).clone())

    hooks = [block.register_forward_pre_hook(keep, with_kwargs=True) for block in blocks(encoder)]
    tokens = torch.tensor([[2, 7, 8, 9, 3], [2, 5, 11, 3, 0]])
    encoder(input_ids=tokens, attention_mask=tokens.sign())
    for hook in hooks:
        hook.remove()
    return states


def test_permuted_weights_are_the_pretrained_ones_in_another_order(
    encoder: PreTrainedModel,
) -> None:
    before = values(encoder)
    reinitialize_(encoder, WINDOW, seed=1, init="permuted")
    for name, tensor in values(encoder).items():
        old = before[name]
        assert torch.equal(tensor.flatten().sort().values, old.flatten().sort().values), name
        if tensor.ndim >= 2:
            moved = (tensor != old).double().mean().item()
            assert moved > 0.9, name
            pair = torch.stack([tensor.flatten(), old.flatten()])
            assert abs(torch.corrcoef(pair)[0, 1].item()) < 6 / tensor.numel() ** 0.5, name


def test_matched_weights_have_the_pretrained_mean_and_deviation(encoder: PreTrainedModel) -> None:
    for _, parameter in blocks(encoder)[1].named_parameters():
        parameter.data.mul_(3).add_(0.5)  # so that zero means and the class's deviations fail
    before = values(encoder)
    reinitialize_(encoder, WINDOW, seed=1, init="matched")
    for name, tensor in values(encoder).items():
        old, count = before[name], tensor.numel()
        error = old.std().item() / count**0.5
        assert abs(tensor.mean().item() - old.mean().item()) < 5 * error, name
        assert tensor.std().item() == pytest.approx(old.std().item(), rel=5 / (2 * count) ** 0.5)
        assert not torch.equal(tensor.flatten().sort().values, old.flatten().sort().values), name


@pytest.mark.parametrize("init", ["matched", "permuted"])
def test_constant_vectors_stay_and_constant_matrices_are_refused(
    decoder: PreTrainedModel, init: new_weights.Init
) -> None:
    before = values(decoder)
    reinitialize_(decoder, WINDOW, seed=1, init=init)
    after = values(decoder)
    vectors = [name for name, tensor in before.items() if tensor.ndim == 1]
    assert vectors  # norms of one and biases of zero, as the decoder was never trained
    assert all(torch.equal(before[name], after[name]) for name in vectors)
    matrix = next(name for name, tensor in before.items() if tensor.ndim == 2)
    decoder.get_parameter(matrix).data.fill_(0.25)
    with pytest.raises(EncoderError, match=f"All weights of the matrix {matrix} are equal"):
        reinitialize_(decoder, WINDOW, seed=1, init=init)
    assert torch.equal(values(decoder)[vectors[0]], after[vectors[0]])


@pytest.mark.parametrize("init", ["matched", "permuted"])
def test_half_precision_is_drawn_and_verified_too(
    bert: PreTrainedModel, init: new_weights.Init
) -> None:
    bert.to(torch.bfloat16)
    before = values(bert)
    reinitialize_(bert, WINDOW, seed=1, init=init)
    after = values(bert)
    assert all(not torch.equal(before[name], after[name]) for name in before)
    assert {tensor.dtype for tensor in after.values()} == {torch.bfloat16}


def test_permutation_that_changes_a_value_is_detected(
    bert: PreTrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def noisy(pretrained: Tensor, generator: torch.Generator) -> Tensor:
        return new_weights._permuted(pretrained, generator) + 1e-6

    monkeypatch.setitem(new_weights._FROM_PRETRAINED, "permuted", noisy)  # type: ignore[arg-type]
    with pytest.raises(EncoderError, match="changed its values, not just their order"):
        reinitialize_(bert, WINDOW, seed=1, init="permuted")


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.02), (1.3, 0.0), (0.7, 0.0)])
def test_weights_that_do_not_match_are_detected(
    bert: PreTrainedModel, monkeypatch: pytest.MonkeyPatch, scale: float, shift: float
) -> None:
    def other(pretrained: Tensor, generator: torch.Generator) -> Tensor:
        return scale * new_weights._matched(pretrained, generator) + shift

    monkeypatch.setitem(new_weights._FROM_PRETRAINED, "matched", other)  # type: ignore[arg-type]
    with pytest.raises(EncoderError, match="do not have the mean and standard deviation"):
        reinitialize_(bert, WINDOW, seed=1, init="matched")


def test_skipped_blocks_return_their_input_and_all_others_act(encoder: PreTrainedModel) -> None:
    weights = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    before = hidden_states(encoder)
    reinitialize_(encoder, WINDOW, seed=1, init="skip")
    after = hidden_states(encoder)
    assert torch.equal(after[0], before[0])
    assert torch.equal(after[1], before[1])
    assert torch.equal(after[2], after[1])  # the output of block 1, which arrives at block 2
    assert torch.equal(after[3], after[1])
    assert not torch.allclose(after[1], after[0], atol=1e-3)
    assert not torch.allclose(before[3], before[1], atol=1e-3)
    assert all(torch.equal(tensor, encoder.state_dict()[n]) for n, tensor in weights.items())


def test_skipping_every_block_leaves_the_embeddings(bert: PreTrainedModel) -> None:
    reinitialize_(bert, Window(0, 3), seed=1, init="skip")
    tokens = torch.tensor([[2, 7, 8, 3]])
    with torch.no_grad():
        output = bert(input_ids=tokens, output_hidden_states=True)
    assert len(output.hidden_states) == 5
    assert all(torch.equal(output.last_hidden_state, state) for state in output.hidden_states)


def test_hidden_states_are_skipped_too_if_they_were_recorded_before(
    encoder: PreTrainedModel,
) -> None:
    tokens = {"input_ids": torch.tensor([[2, 7, 8, 3]]), "output_hidden_states": True}
    with torch.no_grad():
        encoder(**tokens)  # transformers now has hooks of its own in every block
        reinitialize_(encoder, WINDOW, seed=1, init="skip")
        states = encoder(**tokens).hidden_states
    assert torch.equal(states[2], states[1])
    assert torch.equal(states[3], states[1])
    assert not torch.allclose(states[1], states[0], atol=1e-3)


def test_decoders_are_skipped_as_well(decoder: PreTrainedModel) -> None:
    reinitialize_(decoder, WINDOW, seed=1, init="skip")
    states = hidden_states(decoder)
    assert torch.equal(states[3], states[1])


def test_skipped_block_0_of_mt5_still_gives_all_blocks_their_position_bias(
    encoder_folders: Callable[[str], Path],
) -> None:
    encoder = load_model(str(encoder_folders("mt5")))
    reinitialize_(encoder, "0", seed=1, init="skip")
    before = hidden_states(encoder)
    blocks(encoder)[0].layer[0].SelfAttention.relative_attention_bias.weight.data.mul_(-3)
    after = hidden_states(encoder)
    assert torch.equal(after[1], before[0])
    assert not torch.allclose(after[2], before[2], atol=1e-4)


@pytest.mark.parametrize("copy", [deepcopy, lambda encoder: pickle.loads(pickle.dumps(encoder))])
def test_copies_of_a_skipped_encoder_skip_as_well(
    encoder: PreTrainedModel, copy: Callable[[PreTrainedModel], PreTrainedModel]
) -> None:
    reinitialize_(encoder, WINDOW, seed=1, init="skip")
    copied = copy(encoder)
    path = block_path(encoder)
    assert skip.skipped_blocks(copied) == [f"{path}.1", f"{path}.2"]
    states = hidden_states(copied)
    assert torch.equal(states[3], states[1])
    assert copied.state_dict().keys() == encoder.state_dict().keys()


def test_weights_of_a_skipped_encoder_can_be_kept_and_restored(bert: PreTrainedModel) -> None:
    pretrained = {name: tensor.clone() for name, tensor in bert.state_dict().items()}
    reinitialize_(bert, WINDOW, seed=1, init="skip")
    before = hidden_states(bert)
    for parameter in bert.parameters():
        parameter.data.add_(0.1)
    bert.load_state_dict(pretrained)
    assert all(torch.equal(a, b) for a, b in zip(hidden_states(bert), before, strict=True))


def test_skipped_block_gets_no_gradient_and_those_below_it_do(bert: PreTrainedModel) -> None:
    reinitialize_(bert, WINDOW, seed=1, init="skip")
    bert(input_ids=torch.tensor([[2, 7, 8, 3]])).last_hidden_state.square().sum().backward()
    with_gradient = {
        index
        for index, block in enumerate(blocks(bert))
        if any(parameter.grad is not None for parameter in block.parameters())
    }
    assert with_gradient == {0, 3}


def test_skipping_twice_is_skipping_once_and_new_weights_are_refused(bert: PreTrainedModel) -> None:
    reinitialize_(bert, WINDOW, seed=1, init="skip")
    reinitialize_(bert, "2", seed=1, init="skip")
    assert len(blocks(bert)[2]._forward_hooks) == 1
    with pytest.raises(EncoderError, match="Block 2 is skipped, so that new weights"):
        reinitialize_(bert, "2-3", seed=1)


def test_name_of_a_changed_encoder_says_what_was_done() -> None:
    embedded = load_encoder("embedded", device="cpu")
    assert reinitialize(embedded, "0-1", seed=1, init="skip").name == "embedded (0-1 skipped)"
    assert skip.skipped_blocks(embedded.model) == []


def test_skip_without_effect_is_detected(
    encoder: PreTrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def idle(block: nn.Module, args: object, kwargs: object, output: object) -> object:
        return output

    monkeypatch.setattr(skip, "_return_input", idle)
    with pytest.raises(EncoderError, match=r"\.1 changes its input although it is skipped"):
        reinitialize_(encoder, WINDOW, seed=1, init="skip")


def test_skip_beyond_the_window_is_detected(
    bert: PreTrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = skip.blocks

    def careless(model: PreTrainedModel) -> nn.ModuleList:
        real(model)[3].register_forward_hook(skip._return_input, with_kwargs=True)
        return real(model)

    with monkeypatch.context() as patched:
        patched.setattr(skip, "is_skipped", lambda block: careless(bert) is None)
        with pytest.raises(EncoderError, match=r"Skipping 1-2 also skipped encoder\.layer\.3"):
            reinitialize_(bert, WINDOW, seed=1, init="skip")


def test_block_that_returns_no_hidden_states_cannot_be_skipped(bert: PreTrainedModel) -> None:
    block = blocks(bert)[1]
    returned = block.forward
    block.forward = lambda *args, **kwargs: {"hidden": returned(*args, **kwargs)}
    block.register_forward_hook(lambda module, args, output: output["hidden"])
    with pytest.raises(EncoderError, match="returns a dict and not its hidden states"):
        reinitialize_(bert, WINDOW, seed=1, init="skip")


def test_adapters_keep_is_refused_for_skipped_blocks(
    encoder_folders: Callable[[str], Path],
) -> None:
    encoder = load_model(str(encoder_folders("xmod")))
    with pytest.raises(EncoderError, match="A skipped block uses no adapters"):
        reinitialize_(encoder, WINDOW, seed=1, init="skip", adapters="keep")
