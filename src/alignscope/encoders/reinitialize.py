"""Give a window of blocks fresh weights, and verify the effect."""

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
from alignscope.encoders.encoder import Encoder
from alignscope.errors import EncoderError


def reinitialize(
    encoder: Encoder,
    window: Window | str,
    *,
    seed: int,
    init: Init = "config",
    adapters: Adapters = "reset",
) -> Encoder:
    """Return a copy of an encoder whose blocks in ``window`` have fresh weights.

    >>> from alignscope.encoders.encoder import load_encoder
    >>> reinitialize(load_encoder("embedded", device="cpu"), "0-1", seed=1)
    Encoder('embedded (0-1 re-initialised)', RoFormerModel with 8 blocks on cpu)

    The encoder itself stays as it is; `reinitialize_` works in place and describes the arguments.
    The copy shares the tokenizer.

    Raises:
        EncoderError: as `reinitialize_` does.
    """
    if not isinstance(encoder, Encoder):
        raise EncoderError(
            f"reinitialize takes an Encoder, got a {type(encoder).__name__}. Wrap the model: "
            "Encoder(model, tokenizer); or use reinitialize_, which changes a model in place."
        )
    model = deepcopy(encoder.model)
    reinitialize_(model, window, seed=seed, init=init, adapters=adapters)
    name = f"{encoder.name} ({_parse(window)} re-initialised)"
    return Encoder(model, encoder.tokenizer, name=name)


def reinitialize_(
    encoder: Encoder | PreTrainedModel,
    window: Window | str,
    *,
    seed: int,
    init: Init = "config",
    adapters: Adapters = "reset",
) -> None:
    """Give the blocks of ``window`` fresh weights, in place, and verify that only they changed.

    ``reinitialize_(encoder, "0-1", seed=7)`` is the RANDOM-INIT of Muller et al. (2021) for the two
    lowest blocks.

    Args:
        encoder: an encoder, or a model of transformers.
        window: the blocks, counted from 0, both ends included: ``"0-1"``, ``"4"`` or a `Window`.
        seed: the same seed gives block i the same weights in every window.
        init: ``"config"`` draws the weights as the encoder's own class does before pretraining (for
            BERT N(0, initializer_range) and zero biases; the standard deviation of ModernBERT
            differs between matrices). ``"torch-default"`` draws as the code released with the
            paper does, by every module's ``reset_parameters`` (uniform weights, biases not zero);
            a vector whose module has none, such as the norms of mT5, is drawn as by ``"config"``.
        adapters: ``"keep"`` leaves the language adapters of X-MOD as they are.

    Raises:
        EncoderError: if the window does not fit, if the encoder has no usable blocks, if an
            argument has the wrong type or value, or if the verification fails.

    Notes:
        The weights come from a fresh encoder of the same class and configuration, built under a
        forked, seeded generator. The obvious way, ``block.apply(encoder._init_weights)``, changes
        *nothing* in transformers ≥ 5: every loaded parameter carries a mark, and the initialiser
        skips marked parameters. For this reason the effect is verified: every weight matrix of the
        window changed, nothing else did, and nothing is NaN.

        Some architectures share weights across blocks. The relative positions of DeBERTa, their
        norm and its convolution lie outside the blocks, and no window touches them. In mT5, block 0
        holds the relative position bias of *all* blocks. `alignscope.encoders.blocks.caveats` lists
        this per encoder.

        The global random state stays as it was on every device.
    """
    model = encoder.model if isinstance(encoder, Encoder) else encoder
    if not isinstance(model, PreTrainedModel):
        raise EncoderError(
            f"reinitialize_ takes an Encoder or a model of transformers, got a "
            f"{type(model).__name__}."
        )
    if init not in get_args(Init) or adapters not in get_args(Adapters):
        raise EncoderError(
            f"init={init!r} with adapters={adapters!r} is not a way to re-initialise. Choose init "
            f"from {get_args(Init)} and adapters from {get_args(Adapters)}."
        )
    window = _parse(window)
    check_fits(window, len(blocks(model)), type(model).__name__)
    chosen = _window_tensors(model, window, adapters)
    before = _fingerprints(model)
    _copy(_fresh_model(model, seed, init), model, chosen)
    _verify(model, chosen, before)


def _parse(window: Window | str) -> Window:
    if isinstance(window, str):
        return Window.parse(window)
    if not isinstance(window, Window):
        raise EncoderError(
            f"{window!r} is not a window. Write Window(0, 1) or '0-1' for blocks 0 and 1."
        )
    return window


def _window_tensors(encoder: PreTrainedModel, window: Window, adapters: Adapters) -> set[str]:
    """Return the names of the parameters and buffers to replace."""
    path = block_path(encoder)
    prefixes = tuple(f"{path}.{block}." for block in window.blocks)
    names = {name for name, _ in _tensors(encoder) if name.startswith(prefixes)}
    if adapters == "reset":
        return names
    without = {name for name in names if ".adapter_modules." not in name}
    if without == names:
        raise EncoderError(f"{type(encoder).__name__} has no language adapters to keep.")
    return without


def _fresh_model(encoder: PreTrainedModel, seed: int, init: Init) -> PreTrainedModel:
    """Build the encoder anew on the CPU: the same weights for every device, dtype and window."""
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
        elif any(weight.ndim >= 2 for weight in module.parameters(recurse=False)):
            raise EncoderError(
                f"{type(module).__name__} has a weight matrix but no reset_parameters, so "
                "init='torch-default' cannot draw it. Use init='config'."
            )


@torch.no_grad()
def _copy(source: nn.Module, target: nn.Module, names: set[str]) -> None:
    """Copy in place: optimisers, devices, dtypes and frozen parameters stay what they were."""
    drawn = dict(_tensors(source))
    if added := sorted(names - drawn.keys()):
        raise EncoderError(f"{added[0]} was added after loading, so there is no fresh one to copy.")
    for name, tensor in _tensors(target):
        if name in names:
            tensor.copy_(drawn[name])


def _verify(encoder: nn.Module, chosen: set[str], before: dict[str, str]) -> None:
    after, tensors = _fingerprints(encoder), dict(_tensors(encoder))
    changed = {name for name in before if before[name] != after[name]}
    matrices = {name for name, weight in encoder.named_parameters() if weight.ndim >= 2}
    if stuck := sorted((chosen & matrices) - changed):
        raise EncoderError(
            f"Re-initialisation left {len(stuck)} matrices unchanged, such as {stuck[0]}."
        )
    if stray := sorted(changed - chosen):
        raise EncoderError(f"Re-initialisation changed {stray[0]}, which lies outside the window.")
    if broken := sorted(name for name in chosen if tensors[name].isnan().any()):
        raise EncoderError(f"Re-initialisation put NaN into {broken[0]}.")


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
