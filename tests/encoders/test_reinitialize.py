"""Re-initialisation changes exactly the window, and detects its own failures."""

import random
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from statistics import mean

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from alignscope.config.run import Init
from alignscope.config.windows import Window
from alignscope.encoders import new_weights
from alignscope.encoders import reinitialize as module
from alignscope.encoders.blocks import block_path, blocks
from alignscope.encoders.load import load_model, set_language
from alignscope.encoders.new_weights import Weights
from alignscope.encoders.reinitialize import reinitialize_
from alignscope.errors import EncoderError

WINDOW = Window(1, 2)
FRESH: list[Init] = ["config", "torch-default"]
PRETRAINED: list[Init] = ["matched", "permuted"]
INITS: list[Init] = [*FRESH, *PRETRAINED]


@pytest.fixture
def encoder(encoder_folder: Path) -> PreTrainedModel:
    return load_model(str(encoder_folder))


@pytest.fixture
def bert(encoder_folders: Callable[[str], Path]) -> PreTrainedModel:
    return load_model(str(encoder_folders("bert")))


def tensors(encoder: nn.Module) -> dict[str, Tensor]:
    named = [*encoder.named_parameters(), *encoder.named_buffers()]
    return {name: tensor.detach().clone() for name, tensor in named}


def changed(before: dict[str, Tensor], encoder: nn.Module) -> set[str]:
    after = tensors(encoder)
    return {name for name in before if not torch.equal(before[name], after[name])}


def within(encoder: PreTrainedModel, window: Window) -> set[str]:
    """Return the names of a window's tensors by walking the blocks; the code uses prefixes."""
    wanted = {id(p) for block in window.blocks for p in blocks(encoder)[block].parameters()}
    return {name for name, parameter in encoder.named_parameters() if id(parameter) in wanted}


@pytest.mark.parametrize("init", INITS)
def test_only_the_window_changes(encoder: PreTrainedModel, init: Init) -> None:
    before = tensors(encoder)
    reinitialize_(encoder, WINDOW, seed=1, init=init)
    assert changed(before, encoder) == within(encoder, WINDOW)
    assert len(within(encoder, WINDOW)) >= 12


def test_transformers_own_initialiser_still_changes_nothing(encoder: PreTrainedModel) -> None:
    before = tensors(encoder)
    for block in blocks(encoder):
        block.apply(encoder._init_weights)
    # T5 and ModernBERT style initialisers go through the same guarded functions.
    assert changed(before, encoder) == set()


def test_config_init_has_the_distribution_of_the_model_class(encoder: PreTrainedModel) -> None:
    reinitialize_(encoder, WINDOW, seed=1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(99)
        fresh = tensors(type(encoder)(deepcopy(encoder.config)))
    for name in within(encoder, WINDOW):
        drawn, expected = encoder.get_parameter(name), fresh[name]
        if drawn.ndim == 1:
            assert torch.equal(drawn, expected), name
        else:
            assert drawn.std().item() == pytest.approx(expected.std().item(), rel=0.3), name
            assert abs(drawn.mean().item()) < 0.2 * drawn.std().item() + 1e-6, name


def test_standard_deviation_of_modernbert_differs_between_matrices(
    encoder_folders: Callable[[str], Path],
) -> None:
    encoder = load_model(str(encoder_folders("modernbert")))
    reinitialize_(encoder, WINDOW, seed=1)
    block = blocks(encoder)[1]
    ratio = block.mlp.Wi.weight.std().item() / block.mlp.Wo.weight.std().item()
    assert ratio == pytest.approx((2 * len(blocks(encoder))) ** 0.5, rel=0.1)


def test_torch_default_has_the_distribution_of_the_code_of_the_paper(
    encoder: PreTrainedModel,
) -> None:
    reinitialize_(encoder, Window(0, 3), seed=1, init="torch-default")
    for block in blocks(encoder):
        for part in block.modules():
            if isinstance(part, nn.Linear):
                bound = part.in_features**-0.5
                assert part.weight.abs().max().item() <= bound
                assert part.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.15)
                assert part.bias is None or part.bias.abs().sum() > 0
            elif "norm" in type(part).__name__.lower():
                assert torch.equal(part.weight, torch.ones_like(part.weight))


@pytest.mark.parametrize("init", INITS)
def test_ablated_encoder_runs_and_its_output_differs(encoder: PreTrainedModel, init: Init) -> None:
    set_language(encoder, "en")
    tokens = torch.tensor([[2, 7, 8, 9, 3]])
    with torch.no_grad():
        before = encoder(input_ids=tokens).last_hidden_state
        reinitialize_(encoder, WINDOW, seed=1, init=init)
        after = encoder(input_ids=tokens).last_hidden_state
    assert after.isfinite().all()
    assert not torch.allclose(before, after, atol=1e-3)


@pytest.mark.parametrize("init", INITS)
def test_equal_seeds_draw_equal_weights_and_other_seeds_others(
    encoder: PreTrainedModel, init: Init
) -> None:
    first, same_seed, other_seed = encoder, deepcopy(encoder), deepcopy(encoder)
    reinitialize_(first, WINDOW, seed=5, init=init)
    reinitialize_(same_seed, WINDOW, seed=5, init=init)
    reinitialize_(other_seed, WINDOW, seed=6, init=init)
    matrices = {n for n in within(first, WINDOW) if first.get_parameter(n).ndim >= 2}
    assert changed(tensors(first), same_seed) == set()
    assert changed(tensors(first), other_seed) >= matrices


@pytest.mark.parametrize("init", INITS)
def test_a_block_gets_the_same_weights_in_every_window(bert: PreTrainedModel, init: Init) -> None:
    wide, narrow = bert, deepcopy(bert)
    reinitialize_(wide, Window(1, 3), seed=5, init=init)
    reinitialize_(narrow, Window(3, 3), seed=5, init=init)
    for first, second in zip(
        blocks(wide)[3].parameters(), blocks(narrow)[3].parameters(), strict=True
    ):
        assert torch.equal(first, second)


@pytest.mark.parametrize("init", INITS)
def test_the_global_random_state_is_unchanged(encoder: PreTrainedModel, init: Init) -> None:
    def state() -> tuple[object, ...]:
        return torch.get_rng_state().tolist(), random.getstate(), str(np.random.get_state())

    before = state()
    reinitialize_(encoder, WINDOW, seed=1, init=init)
    assert state() == before


def test_weights_do_not_depend_on_the_global_random_state(bert: PreTrainedModel) -> None:
    copy = deepcopy(bert)
    reinitialize_(bert, WINDOW, seed=5)
    torch.rand(3)
    reinitialize_(copy, WINDOW, seed=5)
    assert changed(tensors(bert), copy) == set()


def test_parameters_stay_the_same_objects_with_dtype_and_mode(bert: PreTrainedModel) -> None:
    bert.half().train()
    bert.requires_grad_(False)
    before = [id(parameter) for parameter in bert.parameters()]
    reinitialize_(bert, WINDOW, seed=1)
    assert [id(parameter) for parameter in bert.parameters()] == before
    assert {p.dtype for p in bert.parameters()} == {torch.float16}
    assert not any(p.requires_grad for p in bert.parameters())
    assert bert.training


@pytest.mark.parametrize("window", [Window(0, 0), Window(0, 3)])
def test_windows_of_one_block_and_of_all_blocks(bert: PreTrainedModel, window: Window) -> None:
    before = tensors(bert)
    reinitialize_(bert, window, seed=1)
    assert changed(before, bert) == within(bert, window)


@pytest.mark.parametrize(("adapters", "kept"), [("reset", False), ("keep", True)])
def test_xmod_keeps_its_adapters_with_adapters_keep(
    encoder_folders: Callable[[str], Path], adapters: module.Adapters, kept: bool
) -> None:
    encoder = load_model(str(encoder_folders("xmod")))
    before = tensors(encoder)
    reinitialize_(encoder, WINDOW, seed=1, adapters=adapters)
    in_adapters = {name for name in within(encoder, WINDOW) if "adapter_modules" in name}
    assert len(in_adapters) == 2 * 4 * 4  # blocks × languages × (two weights, two biases)
    assert (changed(before, encoder) & in_adapters == set()) is kept
    assert changed(before, encoder) >= within(encoder, WINDOW) - in_adapters


def test_adapters_keep_is_refused_without_adapters(bert: PreTrainedModel) -> None:
    with pytest.raises(EncoderError, match="BertModel has no language adapters to keep"):
        reinitialize_(bert, WINDOW, seed=1, adapters="keep")


def test_window_beyond_the_last_block_is_refused(bert: PreTrainedModel) -> None:
    with pytest.raises(EncoderError, match=r"Window 3-4 .* BertModel, which has 4 blocks \(0-3\)"):
        reinitialize_(bert, Window(3, 4), seed=1)


def test_unknown_init_is_refused(bert: PreTrainedModel) -> None:
    with pytest.raises(EncoderError, match="init='xavier'"):
        reinitialize_(bert, WINDOW, seed=1, init="xavier")  # type: ignore[arg-type]


def test_copy_without_effect_is_detected(
    encoder: PreTrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_copy", lambda *_: None)
    for init in INITS:
        with pytest.raises(EncoderError, match=r"left .* matrices unchanged"):
            reinitialize_(encoder, WINDOW, seed=1, init=init)


def test_copy_that_misses_one_matrix_is_detected(
    encoder: PreTrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = module._copy

    def forgetful(drawn: Weights, target: nn.Module) -> None:
        matrices = sorted(name for name, tensor in drawn.items() if tensor.ndim >= 2)
        copy({name: drawn[name] for name in drawn if name != matrices[-1]}, target)

    monkeypatch.setattr(module, "_copy", forgetful)
    with pytest.raises(EncoderError, match="left 1 matrices unchanged"):
        reinitialize_(encoder, WINDOW, seed=1)


def test_copy_beyond_the_window_is_detected(
    encoder: PreTrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, outside = module._copy, f"{block_path(encoder)}.3."

    def careless(drawn: Weights, target: nn.Module) -> None:
        more = next(n for n, p in target.named_parameters() if n.startswith(outside) and p.ndim > 1)
        copy({**drawn, more: torch.zeros(())}, target)

    monkeypatch.setattr(module, "_copy", careless)
    with pytest.raises(EncoderError, match="outside the window"):
        reinitialize_(encoder, WINDOW, seed=1)


def test_nan_is_detected(bert: PreTrainedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = new_weights.fresh_model

    def poisoned(*arguments: object) -> PreTrainedModel:
        built = fresh(*arguments)  # type: ignore[arg-type]
        nn.init.constant_(built.encoder.layer[1].output.dense.bias, float("nan"))
        return built

    monkeypatch.setattr(new_weights, "fresh_model", poisoned)
    with pytest.raises(EncoderError, match=r"put NaN into encoder.layer.1.output.dense.bias"):
        reinitialize_(bert, WINDOW, seed=1)


def test_module_added_after_loading_is_refused(bert: PreTrainedModel) -> None:
    before = tensors(bert)
    blocks(bert)[1].lora = nn.Linear(2, 2)
    with pytest.raises(EncoderError, match=r"encoder\.layer\.1\.lora\.bias was added after"):
        reinitialize_(bert, WINDOW, seed=1)
    assert changed(before, bert) == set()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("init", INITS)
def test_weights_on_a_gpu_equal_those_on_the_cpu(bert: PreTrainedModel, init: Init) -> None:
    on_gpu = deepcopy(bert).cuda()
    before = torch.cuda.get_rng_state()
    reinitialize_(on_gpu, WINDOW, seed=1, init=init)
    assert torch.equal(before, torch.cuda.get_rng_state())
    reinitialize_(bert, WINDOW, seed=1, init=init)
    assert changed(tensors(bert), on_gpu.cpu()) == set()


def test_a_matrix_without_reset_parameters_has_no_torch_default() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(2, 2))

    with pytest.raises(EncoderError, match="Odd has a weight matrix but no reset_parameters"):
        new_weights._reset(Odd())


def test_weights_of_neighbouring_seeds_do_not_correlate(bert: PreTrainedModel) -> None:
    drawn = []
    for seed in range(4):
        reinitialize_(bert, WINDOW, seed=seed)
        drawn.append(blocks(bert)[1].output.dense.weight.detach().flatten().clone())
    pairs = [torch.corrcoef(torch.stack(drawn[i : i + 2]))[0, 1].abs().item() for i in range(3)]
    assert mean(pairs) < 0.1
