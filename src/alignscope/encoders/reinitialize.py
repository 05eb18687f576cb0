"""Give a window of blocks fresh weights, and prove it."""

import hashlib
from collections.abc import Iterator
from copy import deepcopy
from typing import get_args

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from alignscope.config.run import Adapters, Init
from alignscope.config.windows import Window, check_fits
from alignscope.encoders.blocks import block_path, blocks
from alignscope.errors import EncoderError


def reinitialize(
    encoder: PreTrainedModel,
    window: Window,
    *,
    seed: int,
    init: Init = "config",
    adapters: Adapters = "reset",
) -> None:
    """Give the blocks of ``window`` (from 0, both ends included) fresh weights, in place.

    ``reinitialize(encoder, Window(0, 1), seed=7)`` is the RANDOM-INIT of Muller et al. (2021)
    for the two lowest blocks. The same seed gives block i the same weights in every window.

    ``init="config"`` draws as the encoder's own class does before pretraining (for BERT
    N(0, initializer_range) and zero biases; ModernBERT's deviation differs between matrices).
    ``init="torch-default"`` draws as the code released with the paper does, with every module's
    ``reset_parameters`` (uniform weights, biases not zero); a vector whose module has none,
    such as mT5's norms, is drawn as by ``"config"``. ``adapters="keep"`` leaves the language
    adapters of X-MOD as they are.

    How: a fresh encoder of the same class is built from the same configuration under a forked,
    seeded generator, and the window's parameters and buffers are copied from it. The obvious
    way, ``block.apply(encoder._init_weights)``, changes *nothing* in transformers ≥ 5: every
    loaded parameter carries a mark that makes the initialiser skip it. So the effect is proved:
    every weight matrix of the window changed, nothing else did, nothing is NaN.

    What a window does not touch: DeBERTa's relative positions, their norm and its convolution
    lie outside the blocks. What it touches beyond itself: in mT5, block 0 holds the relative
    position bias of *all* blocks. ``alignscope.encoders.blocks.notes`` says so per encoder.

    The global random state, on every device, stays as it was. Raises ``EncoderError`` if the
    window does not fit, if the encoder has no usable blocks, or if the proof fails.
    """
    if init not in get_args(Init) or adapters not in get_args(Adapters):
        raise EncoderError(
            f"init={init!r} with adapters={adapters!r} is not a way to re-initialise; "
            f"init is one of {get_args(Init)}, adapters one of {get_args(Adapters)}"
        )
    check_fits(window, len(blocks(encoder)), type(encoder).__name__)
    chosen = _chosen(encoder, window, adapters)
    before = _fingerprints(encoder)
    _copy(_fresh(encoder, seed, init), encoder, chosen)
    _prove(encoder, chosen, before)


def _chosen(encoder: PreTrainedModel, window: Window, adapters: Adapters) -> set[str]:
    """Name the parameters and buffers that are to be replaced."""
    path = block_path(encoder)
    prefixes = tuple(f"{path}.{block}." for block in window.blocks)
    names = {name for name, _ in _tensors(encoder) if name.startswith(prefixes)}
    if adapters == "reset":
        return names
    without = {name for name in names if ".adapter_modules." not in name}
    if without == names:
        raise EncoderError(f"{type(encoder).__name__} has no language adapters to keep")
    return without


def _fresh(encoder: PreTrainedModel, seed: int, init: Init) -> PreTrainedModel:
    """Build the encoder anew on the CPU: the same weights whatever the device, dtype or window."""
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        # torch.manual_seed would seed every accelerator as well, which no fork here would undo.
        torch.default_generator.manual_seed(seed)
        fresh = type(encoder)(deepcopy(encoder.config))
        if init == "torch-default":
            _reset(blocks(fresh))
    return fresh


def _reset(modules: nn.Module) -> None:
    for module in modules.modules():
        reset = getattr(module, "reset_parameters", None)
        if callable(reset):
            reset()
        elif any(own.ndim >= 2 for own in module.parameters(recurse=False)):
            raise EncoderError(
                f"{type(module).__name__} has a weight matrix but no reset_parameters, so "
                "init='torch-default' does not say how to draw it; use init='config'"
            )


@torch.no_grad()
def _copy(source: nn.Module, target: nn.Module, names: set[str]) -> None:
    """Copy in place: optimisers, devices, dtypes and frozen parameters stay what they were."""
    drawn = dict(_tensors(source))
    if added := sorted(names - drawn.keys()):
        raise EncoderError(f"{added[0]} was added after loading; there is no fresh one to copy")
    for name, tensor in _tensors(target):
        if name in names:
            tensor.copy_(drawn[name])


def _prove(encoder: nn.Module, chosen: set[str], before: dict[str, str]) -> None:
    after, tensors = _fingerprints(encoder), dict(_tensors(encoder))
    changed = {name for name in before if before[name] != after[name]}
    matrices = {name for name, weight in encoder.named_parameters() if weight.ndim >= 2}
    if stuck := sorted((chosen & matrices) - changed):
        raise EncoderError(f"re-initialisation left {len(stuck)} matrices as is: {stuck[0]}")
    if stray := sorted(changed - chosen):
        raise EncoderError(f"re-initialisation changed {stray[0]}, outside the window")
    if broken := sorted(name for name in chosen if tensors[name].isnan().any()):
        raise EncoderError(f"re-initialisation put NaN into {broken[0]}")


def _fingerprints(encoder: nn.Module) -> dict[str, str]:
    """Return a hash of the bytes of every parameter and buffer."""
    return {
        name: hashlib.sha256(
            tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data
        ).hexdigest()
        for name, tensor in _tensors(encoder)
    }


def _tensors(encoder: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from encoder.named_parameters()
    yield from encoder.named_buffers()
