"""Windows that are not trained: freeze their weights, and prove that they stayed as they were."""

from collections.abc import Iterable

from torch import nn
from transformers import PreTrainedModel

from alignscope.config.windows import Window, check_fits
from alignscope.encoders.blocks import block_path, blocks
from alignscope.encoders.tensors import fingerprints
from alignscope.errors import EncoderError


def freeze_blocks_(encoder: PreTrainedModel, window: Window) -> list[nn.Parameter]:
    """Exclude every weight of a window from training, in place.

    >>> from alignscope.encoders.load import load_model
    >>> encoder = load_model("embedded")
    >>> len(freeze_blocks_(encoder, Window(0, 1))), len(freeze_blocks_(encoder, Window(0, 1)))
    (32, 0)

    Frozen weights get no gradient, no state of the optimizer and no weight decay. All weights of
    the blocks are frozen, including language adapters (X-MOD) and, in block 0 of mT5, the position
    bias of all blocks.

    Args:
        encoder: the encoder.
        window: the blocks.

    Returns:
        The weights that were trained until now.

    Raises:
        EncoderError: if the window does not fit, or the encoder has no usable blocks.
    """
    check_fits(window, len(blocks(encoder)), type(encoder).__name__)
    weights = [
        parameter
        for index in window.blocks
        for parameter in blocks(encoder)[index].parameters()
        if parameter.requires_grad
    ]
    for parameter in weights:
        parameter.requires_grad_(False)
    return weights


class FrozenWeights:
    """The weights of a window before a training, which must not change them.

    .. code-block:: python

        frozen = FrozenWeights([encoder], Window(0, 1))
        ...  # train
        frozen.verify()

    Args:
        encoders: the encoders that are trained.
        window: their window; None if no block is frozen.
    """

    def __init__(self, encoders: Iterable[PreTrainedModel], window: Window | None) -> None:
        self._encoders = list(encoders) if window is not None else []
        self._window = window
        self._before = [self._fingerprints(encoder) for encoder in self._encoders]

    def verify(self) -> None:
        """Check that the training left every weight of the window as it was, bit for bit.

        Raises:
            EncoderError: if a weight changed.
        """
        for encoder, before in zip(self._encoders, self._before, strict=True):
            after = self._fingerprints(encoder)
            if moved := sorted(name for name in before if before[name] != after[name]):
                raise EncoderError(
                    f"Training changed {moved[0]}, which was to stay frozen. Its run is not valid."
                )

    def _fingerprints(self, encoder: PreTrainedModel) -> dict[str, str]:
        assert self._window is not None
        path = block_path(encoder)
        return fingerprints(
            (f"{path}.{index}.{name}", parameter)
            for index in self._window.blocks
            for name, parameter in blocks(encoder)[index].named_parameters()
        )
