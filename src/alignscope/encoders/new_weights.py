"""New weights for the tensors of a window, drawn in the ways that ``init`` names."""

import math
from collections.abc import Callable, Mapping
from copy import deepcopy

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from alignscope._util.seeding import derive_seed
from alignscope.config.run import Init
from alignscope.encoders.blocks import blocks
from alignscope.encoders.tensors import named_tensors
from alignscope.errors import EncoderError

Weights = Mapping[str, Tensor]
"""Tensors by the name that they have in the encoder."""

STANDARD_ERRORS = 6
"""The number of standard errors by which mean and deviation of a matched tensor may differ from
those of the pretrained one. Two normal draws in a billion differ by more."""


def draw_weights(encoder: PreTrainedModel, names: set[str], seed: int, init: Init) -> Weights:
    """Return new values for some tensors of an encoder, on the CPU; the encoder stays as it is.

    A tensor gets the same values whatever the other names are, so that block i has the same
    weights in every window. The global random state stays as it was.

    Args:
        encoder: the encoder.
        names: names of its parameters and buffers.
        seed: the seed.
        init: any but ``"skip"``, which draws nothing.

    Raises:
        EncoderError: if a tensor has no new values, because it was added after loading
            (``config``), has no initialiser (``torch-default``), or is a constant matrix
            (``matched``, ``permuted``).
    """
    if init in _FROM_PRETRAINED:
        draw = _FROM_PRETRAINED[init]
        pretrained = {n: t.detach() for n, t in encoder.named_parameters() if n in names}
        return {
            name: draw(tensor.cpu(), _generator(seed, init, name))
            for name, tensor in pretrained.items()
            if not _is_constant(name, tensor, init)
        }
    fresh = dict(named_tensors(fresh_model(encoder, seed, init)))
    if added := sorted(names - fresh.keys()):
        raise EncoderError(f"{added[0]} was added after loading, so there is no fresh one to copy.")
    return {name: tensor for name, tensor in fresh.items() if name in names}


def _generator(seed: int, init: Init, name: str) -> torch.Generator:
    return torch.Generator().manual_seed(derive_seed(seed, init, name))


def _is_constant(name: str, tensor: Tensor, init: Init) -> bool:
    """Return whether all values are equal, as in norms and biases of an untrained encoder."""
    constant = bool((tensor == tensor.flatten()[0]).all())
    if constant and tensor.ndim >= 2:
        raise EncoderError(
            f"All weights of the matrix {name} are equal, so init={init!r} cannot change it. Use "
            "init='config'."
        )
    return constant


def _matched(pretrained: Tensor, generator: torch.Generator) -> Tensor:
    deviation, mean = torch.std_mean(pretrained.double(), correction=0)
    drawn = torch.randn(pretrained.shape, generator=generator, dtype=torch.float64)
    return drawn * deviation + mean


def _permuted(pretrained: Tensor, generator: torch.Generator) -> Tensor:
    order = torch.randperm(pretrained.numel(), generator=generator)
    return pretrained.flatten()[order].view(pretrained.shape)


_FROM_PRETRAINED: Mapping[Init, Callable[[Tensor, torch.Generator], Tensor]] = {
    "matched": _matched,
    "permuted": _permuted,
}


def fresh_model(encoder: PreTrainedModel, seed: int, init: Init) -> PreTrainedModel:
    """Build the encoder anew on the CPU: the same weights for every device, dtype and window.

    Args:
        encoder: the encoder, which gives class and configuration.
        seed: the seed.
        init: ``"config"`` or ``"torch-default"``.
    """
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


def check_relation(name: str, before: Tensor, after: Tensor, init: Init) -> None:
    """Check that new values relate to the pretrained ones as ``init`` says.

    Args:
        name: the name of the tensor, for the message.
        before: the pretrained values.
        after: the new values, in the same dtype.
        init: the way in which they were drawn; only those from pretrained values are related.

    Raises:
        EncoderError: if permuted values are not the same values in some order, or mean and
            deviation of matched values are further from the pretrained ones than sampling explains.
    """
    rounding = torch.finfo(after.dtype).eps if after.is_floating_point() else 0.0
    before, after = before.detach().double().flatten(), after.detach().double().flatten()
    if init == "permuted" and not torch.equal(before.sort().values, after.sort().values):
        raise EncoderError(f"Permuting {name} changed its values, not just their order.")
    if init == "matched" and not _is_matched(before, after, rounding):
        raise EncoderError(
            f"The new weights of {name} do not have the mean and standard deviation of the "
            "pretrained ones."
        )


def _is_matched(before: Tensor, after: Tensor, rounding: float) -> bool:
    """Compare mean and deviation with their standard errors in normal samples.

    ``rounding`` is the relative error of a stored weight, which is large in half precision.
    """
    (expected_std, expected_mean), (std, mean) = (
        torch.std_mean(values, correction=0) for values in (before, after)
    )
    count = len(before)
    slack = 2 * rounding * float(expected_std + expected_mean.abs())
    of_mean = STANDARD_ERRORS * float(expected_std) / math.sqrt(count)
    of_std = STANDARD_ERRORS * float(expected_std) / math.sqrt(2 * count)
    return (
        abs(float(mean - expected_mean)) <= of_mean + slack
        and abs(float(std - expected_std)) <= of_std + slack
    )
