"""Give a window of blocks other weights, or skip it, and verify the effect."""

from copy import deepcopy
from typing import get_args

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from alignscope.config.run import Adapters, Init
from alignscope.config.windows import Window, check_fits
from alignscope.encoders.blocks import block_path, blocks
from alignscope.encoders.encoder import Encoder
from alignscope.encoders.new_weights import Weights, check_relation, draw_weights
from alignscope.encoders.skip import is_skipped, skip_blocks_
from alignscope.encoders.tensors import fingerprints, named_tensors
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
    name = f"{encoder.name} ({parse_window(window)} {_DONE.get(init, 're-initialised')})"
    return Encoder(model, encoder.tokenizer, name=name)


def reinitialize_(
    encoder: Encoder | PreTrainedModel,
    window: Window | str,
    *,
    seed: int,
    init: Init = "config",
    adapters: Adapters = "reset",
) -> None:
    """Give the blocks of ``window`` other weights, in place, and verify that only they changed.

    ``reinitialize_(encoder, "0-1", seed=7)`` is the RANDOM-INIT of Muller et al. (2021) for the two
    lowest blocks.

    Args:
        encoder: an encoder, or a model of transformers.
        window: the blocks, counted from 0, both ends included: ``"0-1"``, ``"4"`` or a `Window`.
        seed: the same seed gives block i the same weights in every window.
        init: where the new weights come from.

            - ``"config"`` draws them as the encoder's own class does before pretraining (for BERT
              N(0, initializer_range) and zero biases; the standard deviation of ModernBERT differs
              between matrices).
            - ``"torch-default"`` draws them by every module's ``reset_parameters`` (uniform
              weights, biases not zero); a vector whose module has none, such as the norms of mT5,
              is drawn as by ``"config"``.
            - ``"matched"`` draws each tensor from a normal distribution with the mean and the
              standard deviation of the pretrained tensor.
            - ``"permuted"`` permutes the weights of each pretrained tensor within the tensor.
            - ``"skip"`` changes no weight: the blocks return their input, and do nothing else.

            With ``"matched"`` and ``"permuted"``, a vector whose values are all equal (the norms
            and biases of an encoder that was never trained) stays as it is, and buffers do.
        adapters: ``"keep"`` leaves the language adapters of X-MOD as they are.

    Raises:
        EncoderError: if the window does not fit, if the encoder has no usable blocks, if an
            argument has the wrong type or value, if a block cannot be skipped or is skipped
            already, if a matrix is constant and cannot be permuted, or if the verification fails.

    Notes:
        The weights of ``"config"`` and ``"torch-default"`` come from a fresh encoder of the same
        class and configuration, built under a forked, seeded generator. The obvious way,
        ``block.apply(encoder._init_weights)``, changes *nothing* in transformers ≥ 5: every loaded
        parameter carries a mark, and the initialiser skips marked parameters. For this reason the
        effect is verified: every weight matrix of the window changed, nothing else did, and nothing
        is NaN. Permuted tensors have the values of the pretrained ones, matched ones their mean and
        standard deviation up to sampling error.

        A skip is verified on a few tokens: the output of each block of the window is its input, bit
        for bit. It is a hook of the block, which copies and pickles of the encoder have as well.
        ``save_pretrained`` stores weights only, so that a loaded encoder skips nothing.

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
    window = parse_window(window)
    check_fits(window, len(blocks(model)), type(model).__name__)
    if init == "skip":
        _skip(model, window, adapters)
        return
    _refuse_skipped(model, window)
    chosen = _window_tensors(model, window, adapters)
    before = _Pretrained(model, chosen, init)
    _copy(draw_weights(model, chosen, seed, init), model)
    before.verify(model)


_DONE = {"skip": "skipped", "permuted": "permuted"}
"""The participle in the name of a changed encoder, other than re-initialised."""


def _skip(model: PreTrainedModel, window: Window, adapters: Adapters) -> None:
    if adapters == "keep":
        raise EncoderError("A skipped block uses no adapters, so adapters='keep' has no effect.")
    before = fingerprints(named_tensors(model))
    skip_blocks_(model, window)
    if fingerprints(named_tensors(model)) != before:
        raise EncoderError(f"Skipping {window} changed weights of {type(model).__name__}.")


def _refuse_skipped(model: PreTrainedModel, window: Window) -> None:
    for index in window.blocks:
        if is_skipped(blocks(model)[index]):
            raise EncoderError(
                f"Block {index} is skipped, so that new weights would have no effect. Start from "
                "the pretrained encoder."
            )


def parse_window(window: Window | str) -> Window:
    """Return a window that is given as such or as a text.

    Raises:
        EncoderError: if it is neither.
    """
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
    names = {name for name, _ in named_tensors(encoder) if name.startswith(prefixes)}
    if adapters == "reset":
        return names
    without = {name for name in names if ".adapter_modules." not in name}
    if without == names:
        raise EncoderError(f"{type(encoder).__name__} has no language adapters to keep.")
    return without


@torch.no_grad()
def _copy(drawn: Weights, target: nn.Module) -> None:
    """Copy in place: optimisers, devices, dtypes and frozen parameters stay what they were."""
    for name, tensor in named_tensors(target):
        if name in drawn:
            tensor.copy_(drawn[name])


class _Pretrained:
    """The weights of an encoder before a window changes, to verify the change with."""

    def __init__(self, encoder: nn.Module, chosen: set[str], init: Init) -> None:
        self.chosen, self.init = chosen, init
        self._hashes = fingerprints(named_tensors(encoder))
        self._values: dict[str, Tensor] = {}
        if init in ("matched", "permuted"):
            self._values = {
                name: tensor.detach().clone()
                for name, tensor in named_tensors(encoder)
                if name in chosen
            }

    def verify(self, encoder: nn.Module) -> None:
        """Check that every matrix of the window changed as it should, and nothing outside did."""
        after, tensors = fingerprints(named_tensors(encoder)), dict(named_tensors(encoder))
        changed = {name for name in after if self._hashes[name] != after[name]}
        matrices = {name for name, weight in encoder.named_parameters() if weight.ndim >= 2}
        if stuck := sorted((self.chosen & matrices) - changed):
            raise EncoderError(
                f"Re-initialisation left {len(stuck)} matrices unchanged, such as {stuck[0]}."
            )
        if stray := sorted(changed - self.chosen):
            raise EncoderError(
                f"Re-initialisation changed {stray[0]}, which lies outside the window."
            )
        if broken := sorted(name for name in self.chosen if tensors[name].isnan().any()):
            raise EncoderError(f"Re-initialisation put NaN into {broken[0]}.")
        for name, before in self._values.items():
            check_relation(name, before, tensors[name], self.init)
